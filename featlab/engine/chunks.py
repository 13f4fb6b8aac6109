"""How many images go through a network at once: few enough for the memory there is,
enough to keep a device busy.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch
from torch import Tensor

from featlab.engine import workers
from featlab.engine.available import memory_left
from featlab.engine.folding import Scales
from featlab.engine.reach import networks_in

MOST_IMAGES = 2000  # images per chunk on a GPU; more fill it no better
# bytes allowed for an image between forward and backward; ResNet-50 at 32x32 keeps about ten million
IMAGE = 16 * 2**20
ON_A_CPU = 125  # images per chunk: so few that what a layer makes of them stays in the cache
SMALL_SHARE = 32  # images that are not worth another worker
# bytes that a chunk on a CPU may keep between forward and backward, if there is four times that
_KEPT = 160 * 2**20
_ceiling: dict[str, int] = {}  # what fitted where memory ran out before


@cache
def roomy(kind: str) -> int:
    """Images for which half of a GPU's free memory is enough, at most MOST_IMAGES."""
    return max(1, min(MOST_IMAGES, torch.cuda.mem_get_info()[0] // 2 // IMAGE))


def chunk(kind: str) -> int:
    """Images per chunk: on a CPU few enough that activations stay in its cache, on a GPU enough to fill it,
    as its memory allows.

    Any other device is treated like a CPU. A network that needs more for an image than others makes chunks
    smaller: see `splitting`.
    """
    wished = int(os.environ.get("FEATLAB_CHUNK") or roomy(kind)) if kind == "cuda" else ON_A_CPU
    return min(wished, _ceiling.get(kind, wished))


def shares(n: int, most: int, few: int) -> int:
    """Rows per chunk, `most` at most, so that n rows give work to two workers or four, unless that left each
    only a `few`: however many workers there are, for what comes of a row hangs in the last bit on its chunk.
    """
    wanted = 4 * -(-n // (4 * most))
    worthy = n // max(1, few)
    return max(1, -(-n // max(min(wanted, worthy - worthy % 2), -(-n // most), 1)))


def allowance(kind: str) -> float:
    """Bytes that a chunk may keep between forward and backward."""
    if kind == "cuda":
        return 0.0 if os.environ.get("FEATLAB_CHUNK") else float(roomy(kind) * IMAGE)
    return max(1.0, min(_KEPT, memory_left() / (4 * workers.at_work())))


def lower(kind: str, size: int) -> None:
    """From now on at most `size` images per chunk."""
    _ceiling[kind] = size


# of a chunk; none where nobody could split it
_budget: ContextVar[Callable[[], float] | None] = ContextVar("budget", default=None)


@contextmanager
def splitting(kind: str) -> Iterator[None]:
    """Within this block a network refuses more images than the memory there is allows, with TooMany:
    the caller can split them.
    """
    token = _budget.set(
        cache(lambda: allowance(kind))
    )  # to ask the system takes as long as a step on one image
    try:
        yield
    finally:
        _budget.reset(token)


class TooMany(MemoryError):
    """So many images at once would not fit into the memory there is; `rows` would."""

    def __init__(self, rows: int):
        super().__init__(f"only {rows} images at a time fit into the memory there is")
        self.rows = rows


def weighed(run: Callable[[Tensor], object], x: Tensor, known: dict[tuple, float]) -> object:
    """run(x) for images x (n, ...), by a model that runs as itself; weighed the first time. TooMany, perhaps
    in the middle, if so many would not fit.

    known  bytes by shape of an image, with and without a gradient
    """
    key = x.shape[1:], torch.is_grad_enabled()
    allowed = allowed_for(x)
    if allowed and key in known:
        check_rows(x, known[key], allowed)
    elif allowed and compiled_in(run):
        known[key] = 0.0
    if not allowed or key in known:
        return run(x)

    def check(scales: Scales) -> None:
        if (scales.bytes if key[1] else 4 * scales.widest) > allowed:
            raise TooMany(len(x) // 2)

    with Scales(check) as scales:
        found = run(x)
    known[key] = (scales.bytes if key[1] else 4 * scales.widest) / len(x)
    return found


def compiled_in(run: Callable) -> bool:
    """Whether torch.compile is at work in it: what it traces is not what runs, and cannot be weighed."""
    functions = run, *getattr(run, "args", ())
    return any(hasattr(one, "_torchdynamo_orig_callable") for one in functions) or any(
        type(network).__name__ == "OptimizedModule" for network in networks_in(run)
    )


def allowed_for(x: Tensor) -> float:
    """Bytes that a pass of these images (n, ...) may keep; 0 where nobody asks, or could split them."""
    limit = _budget.get()
    return limit() if limit and len(x) > 1 else 0.0


def check_rows(x: Tensor, bytes_each: float, allowed: float) -> None:
    """TooMany if images (n, ...) that take `bytes_each` bytes each would take more than allowed."""
    rows = max(1, int(allowed / max(1, bytes_each)))
    if rows < len(x):
        raise TooMany(rows)
