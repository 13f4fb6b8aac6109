"""How a command ends: one line on stderr and an exit status, whatever happened."""

import contextlib
import os
import sys
from collections.abc import Callable

from featlab.inputs.options import Usage

FAILED, USAGE = 1, 2
TIME_IS_UP = 75  # asks to be run again (EX_TEMPFAIL)
INTERRUPTED = 130


def status(run: Callable[[], int]) -> int:
    """The exit status of what is run; what ends it is said."""
    try:
        try:
            return run()
        finally:
            flush()
    except KeyboardInterrupt:
        return say_interrupted()
    except Usage as error:
        announce(f"featlab: {error}")
        return USAGE
    except BrokenPipeError:
        silence()
        announce("featlab: nobody reads the output any more; what was made is kept")
    except Exception as error:
        if by_ctrl_c(error):
            return say_interrupted()
        if os.environ.get("FEATLAB_TRACEBACK"):
            raise
        announce(f"featlab: {in_one_line(error)}")
    return FAILED


def say_interrupted() -> int:
    announce("\ninterrupted; what was made is kept. The same command goes on where it was.")
    return INTERRUPTED


def announce(line: str) -> None:
    """To stderr, if anybody reads it."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)


def flush() -> None:
    """A pipe that nobody reads, or a full disk, is found here and not when the interpreter ends."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        silence()
        raise


def silence() -> None:
    """Nothing more goes to stdout, nor is missed there when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):  # no file stands behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def in_one_line(error: Exception) -> str:
    """What ended a run: the message, with the kind of error where nobody foresaw it."""
    # torch's go on with advice for its makers
    words = str(error).splitlines()[:1] if isinstance(error, RuntimeError) else [str(error)]
    line = " ".join(" ".join(words).split())
    if (
        isinstance(
            error, ValueError | OSError | RuntimeError | FloatingPointError | MemoryError | ImportError
        )
        and line
    ):
        return line
    return f"{type(error).__name__}: {line} (FEATLAB_TRACEBACK=1 shows where)"


def by_ctrl_c(error: BaseException | None) -> bool:
    """Whether an error began as Ctrl-C: a library that was being imported may have made another of it."""
    return error is not None and (
        isinstance(error, KeyboardInterrupt) or by_ctrl_c(error.__cause__ or error.__context__)
    )
