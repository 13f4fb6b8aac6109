"""Work in chunks that fit: where memory runs out, half as many images at a time,
from there on and for the rest of the process.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor

from featlab.engine import chunks, devices, freezing, workers

_T = TypeVar("_T")
FILLED = ("cuda",)  # where chunks of one shape are worth a few images computed twice


def relieve(kind: str, size: int, alone: bool = False) -> None:
    """After `size` images did not fit: free what is cached and let chunks be half as large;
    an error if they belong to one `alone`.
    """
    if alone or size <= 1:
        raise torch.OutOfMemoryError(
            "not even one image at a time fits into memory. What is finished is kept: free the "
            "device (nvidia-smi shows who uses it) or "
            "choose a smaller preset, and give the same command again"
        )
    chunks.lower(kind, size // 2)
    freezing.forget_recordings()
    if kind == "cuda":
        torch.cuda.empty_cache()


@contextmanager
def advising(what: str) -> Iterator[None]:
    """Within this block memory that runs out is an error that says what did not fit and what to do."""
    try:
        yield
    except RuntimeError as error:
        if not ran_out(error):
            raise
        raise torch.OutOfMemoryError(
            f"{what} does not fit into memory. What is finished is kept: free the device "
            "(nvidia-smi shows who uses it), share the batch "
            "among several GPUs (torchrun --nproc-per-node K), or choose a recipe of smaller batches"
        ) from error


def ran_out(error: RuntimeError) -> bool:
    """Whether this error says that memory ran out: torch has a type for it on a GPU, and words on a CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _rows(of: Tensor | range, start: int, size: int, full: bool) -> Tensor | range:
    """Rows start .. start + size of a tensor (n, ...) or of a range; fewer at the end, unless the part is to
    be `full`: then a tensor's first rows fill it up.
    """
    part = of[start : start + size]
    if isinstance(of, range) or not full or len(part) == size:
        return part
    return torch.cat([of[start:], of[: size - len(part)]])


def attempt(function: Callable[..., _T], kind: str, parts: Sequence[Tensor | range]) -> list[_T]:
    """The function's result for parts (m, ...) in a list, which is empty where memory ran out. chunks.TooMany
    if a network says that so many will not fit.
    """
    limited = chunks.splitting(kind) if parts and len(parts[0]) > 1 else nullcontext()
    try:
        with limited, devices.tuned(kind), outside_inference():
            return [function(*(_ordinary(part) for part in parts))]
    except chunks.TooMany:
        raise
    except MemoryError:
        return []  # and no further work here: the exception holds on to what filled the memory
    except RuntimeError as error:
        if not ran_out(error):
            raise
        return []


def _ordinary(part: Tensor | range) -> Tensor | range:
    """The part (m, ...), or a copy of a tensor from inference_mode, through which no gradient could flow."""
    return part.clone() if isinstance(part, Tensor) and part.is_inference() else part


@contextmanager
def outside_inference() -> Iterator[None]:
    """Within this block gradients can be computed, even where the caller is in torch.inference_mode."""
    if not torch.is_inference_mode_enabled():
        yield
        return
    with torch.inference_mode(False), torch.set_grad_enabled(False):
        yield


def in_chunks(
    function: Callable[..., _T],
    first: Tensor,
    *others: Tensor | range,
    times: int = 1,
    each: int = 1,
    thread_safe: bool = False,
) -> Iterator[_T]:
    """function(rows of each tensor (n, ...)), over chunks of `times` chunks.chunk rows, or of as few as fit:
    what the network itself says of its images (chunks.TooMany), or half as many again and again where memory
    runs out. A range among the tensors numbers the rows. torch.OutOfMemoryError if not even one row fits.

    each       images that a network sees for a row
    thread_safe  whether several workers may run the function at once
    """
    kind, size = first.device.type, len(first)
    if kind not in FILLED:
        size = max(1, times * chunks.chunk(kind) // each)
        size = chunks.shares(len(first), size, times * chunks.SMALL_SHARE // each) if thread_safe else size

    def chunk(start: int) -> list[_T]:
        rows = slice(start, start + size)
        return list(_fitting(function, first[rows], *(of[rows] for of in others), times=times, each=each))

    starts = range(0, len(first), max(1, size))
    many = min(workers.count(kind), len(starts)) if thread_safe else 1
    for found in workers.hand_out(chunk, starts, many):
        yield from found


def _fitting(
    function: Callable[..., _T], first: Tensor, *others: Tensor | range, times: int, each: int
) -> Iterator[_T]:
    """The same, one after the other, of the rows (n, ...) of a chunk on a CPU, or of all on a GPU."""
    kind, start, most = first.device.type, 0, len(first)
    while start < len(first):
        size = max(1, min(times * chunks.chunk(kind) // each, most))
        full = start > 0 and kind in FILLED  # so that all parts on a GPU have one shape
        parts = [_rows(of, start, size, full) for of in (first, *others)]
        try:
            found = attempt(function, kind, parts)
        except chunks.TooMany as limit:
            if len(parts[0]) == 1:  # which is not refused here, but by who works on several of these
                raise
            most = min(limit.rows // each, len(parts[0]) - 1)
            continue
        if not found:
            relieve(kind, max(2, len(parts[0]) * each // times), alone=len(parts[0]) == 1)
            most = len(parts[0]) // 2
            continue
        yield from found
        start += size


def mapped(
    function: Callable[..., Tensor],
    first: Tensor,
    *others: Tensor,
    times: int = 1,
    each: int = 1,
    thread_safe: bool = False,
) -> Tensor:
    """The function's results of all rows, one for each row, chunk after chunk: (n, ...) -> (n, ...)."""
    parts = in_chunks(function, first, *others, times=times, each=each, thread_safe=thread_safe)
    return torch.cat(list(parts))[: len(first)]
