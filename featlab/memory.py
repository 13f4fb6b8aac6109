"""Work in chunks that fit: where memory runs out, half as many images at a time, from there on and for the rest of the process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from featlab import engine

FILLED = ("cuda",)  # where chunks of one shape are worth a few images computed twice


def relieve(kind: str, size: int) -> None:
    """After `size` images did not fit: free what is cached and let chunks be half as large; an error if it was one image."""
    if size <= 1:
        raise torch.OutOfMemoryError(
            "not even one image at a time fits into memory. What is finished is kept: free the device (nvidia-smi shows who uses it) or "
            "choose a smaller preset, and give the same command again"
        )
    engine.lower(kind, size // 2)
    engine.forget_recordings()
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
            f"{what} does not fit into memory. What is finished is kept: free the device (nvidia-smi shows who uses it), share the batch "
            "among several GPUs (torchrun --nproc-per-node K), or choose a recipe of smaller batches"
        ) from error


def ran_out(error: RuntimeError) -> bool:
    """Whether this error says that memory ran out: torch has a type for it on a GPU, and words on a CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def slices(tensors: tuple[Tensor, ...], start: int, size: int) -> list[Tensor]:
    """Rows start .. start + size of each tensor; on a GPU the last ones are filled up from the first rows, so that all have one shape."""
    parts = [t[start : start + size] for t in tensors]
    lacking = size - len(parts[0])
    if not start or not lacking or tensors[0].device.type not in FILLED:
        return parts
    return [torch.cat([part, t[:lacking]]) for part, t in zip(parts, tensors, strict=True)]


def attempt(function: Callable, parts: list[Tensor]) -> object | None:
    """The function's result, or None where memory ran out."""
    try:
        return function(*parts)
    except MemoryError:
        return None  # and not further work here: the exception holds on to what filled the memory
    except RuntimeError as error:
        if not ran_out(error):
            raise
        return None


def in_chunks(function: Callable, *tensors: Tensor, times: int = 1) -> Iterator[object]:
    """function(rows of each tensor), over chunks of `times` engine.chunk rows, or of half as many again and again where memory runs out."""
    kind, start = tensors[0].device.type, 0
    while start < len(tensors[0]):
        size = times * engine.chunk(kind)
        parts = slices(tensors, start, size)
        if (result := attempt(function, parts)) is None:
            relieve(kind, len(parts[0]) // times or 1)
            continue
        yield result
        start += size


def mapped(function: Callable[..., Tensor], *tensors: Tensor, times: int = 1) -> Tensor:
    """The function's results of all rows, chunk after chunk: it must give one row for each."""
    return torch.cat(list(in_chunks(function, *tensors, times=times)))[: len(tensors[0])]
