"""Limits for what a reader wrote: time, words, and what it may change. A loop that never ends is stopped.

In the main thread of Linux and macOS an alarm interrupts it, elsewhere (Windows, another thread) a thread
runs it that is told to stop. Neither reaches into a single call that never comes back to Python: there the
alarm waits, the thread is left behind, and said to be.
"""

import contextlib
import contextvars
import copy
import ctypes
import io
import reprlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO, TypeVar

AGAIN = (
    0.02  # seconds after which the alarm is repeated: an `except:` inside the loop may have caught the first
)
PRINTED = 5_000  # characters that may be printed
_T = TypeVar("_T")
_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = 400
_shown.maxlist = _shown.maxtuple = _shown.maxdict = _shown.maxset = 20


class Overdue(BaseException):
    """The time is over; no Exception, so that what was written to catch errors does not catch it."""

    left_behind = False  # whether the work goes on in the background


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """What `work` returns, or Overdue after so many seconds. Whatever else ends it comes out as it is."""
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        with _alarm(seconds):
            return work()
    return _beside(seconds, work)


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise Overdue in this block when the time is over;
    an alarm that somebody else had set rings as if nothing had been.
    """

    watched = [True]

    def ring(number: int, frame: object) -> None:
        if watched:
            raise Overdue

    begun, handler = time.monotonic(), signal.signal(signal.SIGALRM, ring)
    other, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        while watched:  # the alarm may ring on this line too
            with contextlib.suppress(Overdue):
                watched.clear()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if other:
            signal.setitimer(signal.ITIMER_REAL, max(other - (time.monotonic() - begun), 0.001), interval)


def _beside(seconds: float, work: Callable[[], _T]) -> _T:
    """The same with a thread."""
    came: list[_T] = []
    went: list[BaseException] = []

    def run() -> None:
        try:
            came.append(work())
        except BaseException as error:  # handed to the thread that waits
            went.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    except KeyboardInterrupt:
        _stop(thread)
        raise
    if thread.is_alive():
        _stop(thread)
        overdue = Overdue()
        overdue.left_behind = thread.is_alive()
        raise overdue
    if went:
        raise went[0]
    return came[0]


def _stop(thread: threading.Thread, patience: float = 1.0) -> None:
    """Raise Overdue in a thread, again and again for a while: an `except:` may catch it."""
    until = time.monotonic() + patience
    while thread.is_alive() and time.monotonic() < until:
        number = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(Overdue))
        thread.join(AGAIN)


class _Few(io.TextIOBase):
    """Passes on the first PRINTED characters."""

    def __init__(self, to: TextIO):
        self.to, self.left = to, PRINTED

    def write(self, text: str) -> int:
        if self.left > 0:
            self.to.write(text[: self.left] + (" …\n" if len(text) > self.left else ""))
        self.left -= len(text)
        return len(text)

    def flush(self) -> None:
        self.to.flush()


@contextlib.contextmanager
def few_words() -> Iterator[None]:
    """Within this block only the first words that are printed are shown:
    a loop that prints would fill the page.
    """
    with contextlib.redirect_stdout(_Few(sys.stdout)):
        yield


def own_copies(value: Any) -> Any:
    """A copy, so that whoever changes it spoils nothing."""
    if type(value) in (tuple, list):
        return type(value)(own_copies(part) for part in value)
    if hasattr(value, "detach") and hasattr(value, "clone"):
        return value.clone()
    try:
        return copy.deepcopy(value)
    except Exception:  # a generator, say, or an open file: it has no copy
        return value


def short(value: object, room: int = 120, *, of: Callable[[object], str] = repr) -> str:
    """A value in one line of at most so many characters, however large it is."""
    try:
        text = of(value) if of is not repr or hasattr(value, "shape") else _shown.repr(value)
    except Exception:  # the learner's own class may not know how to show itself
        text = f"a {type(value).__name__}"
    text = " ".join(text[: 100 * room].split())
    return text if len(text) <= room else text[: room - 1] + "…"
