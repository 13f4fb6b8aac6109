"""The frozen form of models, for attacks and evaluation.

An attack differentiates with respect to pixels only, so the network may be rewritten as long as it computes
the same function: parameters frozen, batch-norm folded into the convolution before it, channels last,
bfloat16 where the processor has it.
"""

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, overload

import torch
from torch import Tensor, nn

from featlab.engine import chunks, workers
from featlab.engine.anatomy import Anatomy
from featlab.engine.copies import Copy, Unlike, passes
from featlab.engine.devices import (
    autocast,
    device_of,
    dtype_of,
    kind_of,
    tell,
    tuned,
    wished_precision,
)
from featlab.engine.reach import networks_in
from featlab.engine.unchanged import evaluated, unchanged
from featlab.inputs.checks import logits_tensor, ordinary

_T = TypeVar("_T")
_one_at_a_time = threading.RLock()


def compiled(function: Callable) -> Callable:
    """The function through torch.compile, for each shape by itself:
    networks of one architecture share what is compiled.
    """
    fast = torch.compile(function, dynamic=False)

    def run(*arguments: Tensor) -> Tensor:
        # shapes and modes of one function, of which torch allows 8
        with torch._dynamo.config.patch(cache_size_limit=64):
            return fast(*arguments)

    return run


class Frozen:
    """A model for attacks and evaluation: same function, eval mode, no parameter gradients, and faster where
    a copy can be.

    Call it for logits (n, k) in float32, or float64 if the model computes in it; `represent` gives a
    Classifier's representation g(x). Where no copy computes what the model computes, the model itself runs,
    and stays as it was.
    """

    harmless = True  # in a function of the reader's as well

    def __init__(self, model: nn.Module):
        self.model, self.dtype = model, dtype_of(model)
        with _one_at_a_time, torch.inference_mode(False):
            self.anatomy = _of(model).seen(model)
            self.kept = self._copied()

    def _copied(self) -> Copy | None:
        """The copy with the weights that the model has now, made anew if the model is another;
        None if there can be none.
        """
        of = _of(self.model)
        if self.anatomy.obstacle:
            self._say_once(self.anatomy.obstacle)
            return None
        where = f"{device_of(self.model)} {wished_precision()}"
        kept = of.copies.get(where)
        if kept is None or not kept.follows or kept.signature != self.anatomy.signature:
            try:
                kept = of.copies[where] = Copy(
                    self.model, self.anatomy, autocast(self.model, kind_of(self.model))
                )
            except Exception as error:  # a reader's own __deepcopy__ may say anything
                self._say_once(f"it cannot be copied: {error}")
                return None
        if kept.broken:
            return None
        kept.follow(self.model, self.anatomy.tensors)
        return kept

    def _say_once(self, why: str) -> None:
        """Say that the model itself is used."""
        said = _of(self.model).said
        if why not in said:
            said.add(why)
            tell(
                f"attacks and measurements run this {type(self.model).__name__} itself, not a "
                f"faster copy of it: {why}"
            )

    @property
    def used(self) -> Copy:
        """The copy that stands for the model.

        AttributeError where none does: so `hasattr(frozen, "graphs")` says whether its steps can be recorded.
        """
        if self.kept is None:
            raise AttributeError(f"no copy stands for this {type(self.model).__name__}: it runs itself")
        return self.kept

    @property
    def copy(self) -> nn.Module:
        return self.used.network

    @property
    def graphs(self) -> dict[str, Any]:
        """What featlab.engine.graphs recorded of steps through this copy."""
        return self.used.graphs

    def compile(self, shape: tuple[int, ...]) -> None:
        """From now on passes of images of this shape run compiled."""
        self.used.compiled.setdefault(shape, [compiled(one) for one in passes(self.copy)])

    def __call__(self, x: Tensor) -> Tensor:
        return self._pass(x, 0)

    def represent(self, x: Tensor) -> Tensor:
        """The representation g(x) of images (n, c, h, w), as (n, d), in float32 or in float64."""
        return self._pass(x, 1)

    def takes_channels_last(self, x: Tensor) -> bool:
        """Whether the network was seen to compute the same on images (n, c, h, w)
        like these with channels last in memory.
        """
        self._prepare(x)
        return self.kept is not None and self.kept.quick

    def thread_safe(self, x: Tensor) -> bool:
        """Whether several workers may run it at once on images (n, c, h, w) like these."""
        with contextlib.suppress(Exception):  # what it says against these images it says again when it is run
            self._prepare(x)
            return self.kept is not None and self.kept.steady
        return False

    def _pass(self, x: Tensor, which: int) -> Tensor:
        x = x.to(self.dtype) if x.is_floating_point() else x
        self._prepare(x)
        kept = self.kept
        if kept is None:
            with evaluated(self.model, [self.model, *self.anatomy.parts], plain=not self.anatomy.ours):
                return in_full(chunks.weighed(passes(self.model)[which], x, _of(self.model).weights[which]))
        with kept.autocast, tuned(x.device.type):
            known = kept.compiled.get(x.shape)
            return in_full((known or passes(kept.of_worker(workers.worker_number())))[which](x))

    def _prepare(self, x: Tensor) -> None:
        """Compare the copy with the model where that was not done for images of this shape;
        chunks.TooMany if they would not fit.
        """
        kept = self.kept
        if kept is None:
            return
        if x.shape[1:] not in kept.weights:
            with _one_at_a_time, torch.inference_mode(False):
                self._prove(kept, x.detach()[:2].clone())
        if self.kept and (allowed := chunks.allowed_for(x)):
            needed, widest = kept.weights[x.shape[1:]]
            chunks.check_rows(x, needed if torch.is_grad_enabled() else 4 * widest, allowed)

    def _prove(self, kept: Copy, x: Tensor) -> None:
        try:
            kept.prove(self.model, x if len(x) > 1 else torch.cat([x, x.flip(-1)]), self.anatomy.tensors)
        except Unlike as why:
            kept.broken = str(why)
            self.kept = None
            self._say_once(str(why))


def in_full(output: object) -> Tensor:
    """The tensor, of any shape, in what a model returned, in float32, or in float64 if it is; one that is not
    of real numbers is left to be refused. TypeError if no tensor can be found in it.
    """
    tensor = logits_tensor(output)
    return tensor if tensor.dtype == torch.float64 or not ordinary(tensor) else tensor.float()


class Of:
    """What is kept of a model as long as it lives: its copies by device and precision, what was said about
    it, what it is made of, and what its own passes weigh.
    """

    def __init__(self) -> None:
        self.weights: tuple[dict[tuple, float], dict[tuple, float]] = ({}, {})
        self.copies: dict[str, Copy] = {}
        self.said: set[str] = set()
        self.anatomy: Anatomy | None = None

    def seen(self, model: nn.Module) -> Anatomy:
        """What the model is made of now; walked through only if a glance cannot tell that it is the same."""
        if self.anatomy is None or not self.anatomy.holds(model):
            found = Anatomy(model)
            self.anatomy = found if found.plain else None
            return found
        return self.anatomy


_frozen: dict[
    int, tuple[weakref.ref, Of]
] = {}  # by id: a reader's module may define what makes two of them equal


def _of(model: nn.Module) -> Of:
    key = id(model)
    if key not in _frozen:
        _frozen[key] = weakref.ref(model, lambda _: _frozen.pop(key, None)), Of()
    return _frozen[key][1]


@overload
def frozen(model: nn.Module) -> Frozen: ...
@overload
def frozen(model: _T) -> _T: ...
def frozen(model: Any) -> Any:
    """A module's Frozen form, with the weights it has now; a plain function is returned as it is, unless it
    would change a network.

    The copy is kept as long as the model lives, so asking again costs only a look at what the model is made
    of.
    """
    original = getattr(model, "_orig_mod", None)
    if (
        isinstance(original, nn.Module)
        and type(model).__name__ == "OptimizedModule"
        and not _of(original).seen(original).obstacle
    ):
        return frozen(original)  # what torch.compile makes faster, the copy does as well
    return Frozen(model) if isinstance(model, nn.Module) else harmless(model)


@contextlib.contextmanager
def laid_out(model: nn.Module, x: Tensor) -> Iterator[None]:
    """Within this block the weights lie in memory with channels last, a fifth faster, if the network computes
    the same so on images like x (n, c, h, w); after it as before.
    """
    strides = [(p, p.stride()) for p in model.parameters() if p.ndim == 4]
    fast = Frozen(model).takes_channels_last(x)
    for p, _ in strides if fast else ():
        p.data = p.data.to(memory_format=torch.channels_last)
    try:
        yield
    finally:
        for p, stride in strides if fast else ():
            p.data, p.grad = p.data.new_empty_strided(p.shape, stride).copy_(p.data), None


def harmless(function: Callable) -> Callable:
    """The function; where it uses a network in training mode, one that gives back its batch-norm statistics,
    and a warning.
    """
    parts = [part for network in networks_in(function) for part in network.modules()]
    if not any(part.training for part in parts):
        return function
    kinds = sorted({type(part).__name__ for part in networks_in(function) if part.training})
    tell(
        "the function that is attacked or measured uses a network in training mode "
        f"({', '.join(kinds)}): dropout and batch statistics are "
        "part of what is measured. Call .eval() on it first, or hand in the module itself"
    )

    def careful(x: Tensor) -> Tensor:
        with unchanged(parts, plain=False):
            return function(x)

    return careful


def forget_recordings() -> None:
    """Let go of the memory that recorded steps hold; what pays is recorded again."""
    for one in (one for _, of in [*_frozen.values()] for one in of.copies.values()):
        one.graphs.clear()
