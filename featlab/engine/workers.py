"""Several chunks of images at once on a CPU: workers, each a thread that computes alone.

Threads inside an operation wait for each other at each operation, and beside another busy process they wait
for it too. Chunks of an attack, a construction or a measurement know nothing of each other: each worker takes
the next one and does it from beginning to end. What comes of a chunk does not depend on how many workers
there are.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import torch
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from featlab.inputs.checks import overheard, warn

_Job = TypeVar("_Job")
_T = TypeVar("_T")
MOST_WORKERS = 8  # workers; Python, which one thread runs at a time, feeds no more of them
PATIENCE = 0.1  # seconds between two moments at which who waits for a worker can be interrupted


class Stopped(BaseException):
    """Nobody waits for this worker any more; no Exception, so that no `except` on the way keeps it."""


@dataclass(frozen=True)
class Worker:
    """Which of `many` a thread is, and what is set when nobody waits for them any more."""

    number: int
    many: int
    stop: threading.Event


class _Here(threading.local):
    """The worker that this thread is, if it is one."""

    worker: Worker | None = None


_here = _Here()


def at_work() -> int:
    """How many workers share what there is, 1 outside of them."""
    return _here.worker.many if _here.worker else 1


def worker_number() -> int | None:
    """The number of the worker that runs this, None outside of them; Stopped if nobody waits for it."""
    if _here.worker is None:
        return None
    if _here.worker.stop.is_set():
        raise Stopped
    return _here.worker.number


@cache
def _counted_by_thread() -> bool:
    """Whether each thread can have its own number of threads inside operations: where those are OpenMP's."""
    return "ATen parallel backend: OpenMP" in torch.__config__.parallel_info()


def count(kind: str) -> int:
    """How many workers there may be on a device of this kind: as many as operations may use threads here, as
    torch was told; 1 in a worker, on a GPU, and where something watches or changes what this thread computes.
    """
    if kind != "cpu" or _here.worker or not _counted_by_thread():
        return 1
    watched = (
        _get_current_function_mode_stack()
        or _get_current_dispatch_mode_stack()
        or torch.is_autocast_enabled("cpu")
        or torch.is_anomaly_enabled()
        or torch.autograd._profiler_enabled()
    )
    return 1 if watched else min(torch.get_num_threads(), MOST_WORKERS)


def hand_out(function: Callable[[_Job], _T], jobs: Iterable[_Job], many: int) -> Iterator[_T]:
    """function(job) of each job, in their order, `many` of them at a time; what a function warns of is said
    here.

    Jobs are taken here, not in a worker, and not many ahead. If this ends early, workers end at their next
    pass through a network.
    """
    if many < 2:
        yield from map(function, jobs)
        return
    stop, numbers, threads = threading.Event(), iter(range(many)), torch.get_num_threads()

    def begin() -> None:
        _here.worker = Worker(next(numbers), many, stop)
        _compute_with(max(1, threads // many), others=threads)

    pool = ThreadPoolExecutor(many, "featlab", begin)
    waiting: deque[Future[tuple[_T, list[str]]]] = deque()
    run = _as_here(function)
    try:
        for job in jobs:
            waiting.append(pool.submit(copy_context().run, run, job))
            if len(waiting) > many:
                yield _come(waiting.popleft())
        while waiting:
            yield _come(waiting.popleft())
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _compute_with(threads: int, others: int) -> None:
    """Let this thread use so many inside its operations, and threads that begin later so many as before:
    torch gives them the number that it was told last, so a thread that ends at once tells it the old one.
    """
    torch.get_num_threads()  # a thread takes over what was told last at its first operation: let that be past
    torch.set_num_threads(threads)
    last = threading.Thread(target=torch.set_num_threads, args=(others,))
    last.start()
    last.join()


def _as_here(function: Callable[[_Job], _T]) -> Callable[[_Job], tuple[_T, list[str]]]:
    """The function with what it warns of, in a thread that asks for gradients as this one does."""
    wanted = torch.is_grad_enabled()

    def run(job: _Job) -> tuple[_T, list[str]]:
        with torch.set_grad_enabled(wanted), overheard() as said:
            return function(job), said

    return run


def _come(work: Future[tuple[_T, list[str]]]) -> _T:
    """What a worker found, or its error, here; one who waits can be interrupted meanwhile."""
    while not wait((work,), PATIENCE).done:
        pass
    found, said = work.result()
    for text in said:
        warn(text)
    return found
