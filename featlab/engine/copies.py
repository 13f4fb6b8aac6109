"""A copy of a model for attacks and evaluation, that is used only where it was seen to compute what the model
computes.

It begins as a plain deep copy. On the first images it is compared with the model itself; then it is made fast
(batch-norm folded, channels last, bfloat16 where that pays) and compared again. What does not agree is not
used.
"""

import contextlib
import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from featlab.engine.anatomy import Anatomy
from featlab.engine.folding import Watch, fold, folded, is_own
from featlab.engine.unchanged import evaluated, same
from featlab.inputs.checks import ordinary

# of the largest number; rounding makes about a hundredth of it
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
COARSE = 0.1  # where convolutions compute in 16 bits


class Unlike(Exception):
    """The copy does not compute what the model computes; says why."""


def passes(model: nn.Module) -> list[Callable[[Tensor], object]]:
    """All that is asked of a model: its logits, and its representation if it has one."""
    represent = getattr(model, "represent", None)
    return [model, represent] if callable(represent) else [model]


def working(model: nn.Module, x: Tensor) -> list[int]:
    """Which of its `passes` the model can do on images (n, ...); where it can do none, its own error."""
    found, errors = [], []
    for which in range(len(passes(model))):
        try:
            outputs(model, x, [which])
            found.append(which)
        except (
            Exception
        ) as error:  # a forward or a represent that is not meant to be called says so in many ways
            errors.append(error)
    if not found:
        raise errors[0]
    return found


def outputs(model: nn.Module, x: Tensor, which: list[int]) -> list[Tensor]:
    """What some `passes` of the model make of images (n, ...), as tensors of any shape; what a pass draws, it
    draws from the same numbers each time.
    """
    devices = [x.device] if x.device.type == "cuda" else []
    found = []
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        for one in (passes(model)[i] for i in which):
            torch.default_generator.manual_seed(0)
            if devices:
                torch.cuda.manual_seed(0)
            found += tensors_in(one(x))
    return found


def tensors_in(output: object) -> list[Tensor]:
    """All tensors of an output, of any shape, in order; lists, tuples and dicts are looked into."""
    if isinstance(output, Tensor):
        return [output]
    parts = (
        output.values() if isinstance(output, Mapping) else output if isinstance(output, list | tuple) else ()
    )
    return [tensor for part in parts for tensor in tensors_in(part)]


def versions(tensors: list[Tensor]) -> list[int | None]:
    """What torch counts up at each change of a tensor, of any shape, that it sees; None in inference."""
    return [None if tensor.is_inference() else tensor._version for tensor in tensors]


def joined(tensors: list[Tensor]) -> list[Tensor]:
    """Copies of all numbers in tensors of any shape: those of one type on one device one after the other,
    (m,), so that a GPU compares them at once.
    """
    kinds: dict[tuple, list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault((tensor.dtype, tensor.device), []).append(tensor)
    return [torch.cat([tensor.flatten() for tensor in alike]) for alike in kinds.values()]


def agree(found: list[Tensor], wanted: list[Tensor], tolerance: float) -> bool:
    """Whether the tensors, of any shape, are those wanted: as many, of the same shapes, and no number further
    away than this share of the largest one wanted. Unlike if a tensor is of a special kind, which cannot be
    compared.
    """
    if not all(map(ordinary, (*found, *wanted))):
        raise Unlike("it returns tensors of a special kind")
    return len(found) == len(wanted) and all(
        _close(a, b, tolerance) for a, b in zip(found, wanted, strict=True)
    )


def _close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    if a.shape != b.shape:
        return False
    a, b = a.double(), b.double()
    finite = b[b.isfinite()]
    scale = finite.abs().max().clamp_min(1e-30) if finite.numel() else 1.0
    return torch.allclose(a / scale, b / scale, rtol=0, atol=tolerance, equal_nan=True)


def keep_layout(part: nn.Module, inputs: tuple[Tensor]) -> None:
    """Let the gradient of a part's input (n, c, h, w) have the channels-last layout of that input: a ReLU
    before it is ten times slower on a mixture. An input of another rank is left alone.
    """
    x = inputs[0]
    if x.requires_grad and x.ndim == 4:
        x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))


class Copy:
    """A model's copy: `network`, with what featlab.engine.graphs recorded and torch compiled of it.

    follows  whether new weights can be written into it; else it is good for one use
    ready    whether it was compared with the model
    quick    whether it was made fast
    broken   why it is not used, if it is not
    steady   whether its passes change nothing in it and draw nothing: several workers may then run it at once
    weights  bytes by shape of an image: what its gradient takes, and the largest single result
    places   tensors of the copy into which values are written
    links    (number of a tensor of the model, where its values are here), but for those that are folded
    values   all numbers that the model's tensors had when they were last taken over, those of a kind in one
             tensor
    """

    def __init__(self, model: nn.Module, found: Anatomy, autocast: contextlib.AbstractContextManager):
        self.signature, self.autocast = found.signature, autocast
        self.graphs: dict[str, Any] = {}
        self.compiled: dict[tuple[int, ...], list[Callable[[Tensor], object]]] = {}
        self.weights: dict[tuple[int, ...], tuple[float, float]] = {}
        self.pairs: list[tuple[str, str]] = []
        self.which: list[int] = []
        self.versions: list[int | None] | None = None
        self.values: list[Tensor] = []
        self.twins: dict[int, nn.Module] = {}
        self.ready, self.quick, self.changes, self.broken, self.steady = False, False, 0, "", False
        self.network = copy.deepcopy(model).eval().requires_grad_(False)
        copied = Anatomy(self.network)
        self.links, self.places = [*enumerate(copied.tensors)], copied.tensors
        self.follows = copied.signature == found.signature and all(map(same, copied.tensors, found.tensors))

    @torch.no_grad()
    def follow(self, model: nn.Module, tensors: list[Tensor]) -> None:
        """Take over the values that the model's tensors, of any shape, have now, in place, so that recorded
        steps see them; nothing is written twice.

        A tensor's version tells most changes, but not those through .data or numpy: where it is the same the
        numbers are compared.
        """
        if not self.follows:
            return
        values = joined(tensors)
        if versions([*tensors, *self.places]) == self.versions and all(map(same, values, self.values)):
            return
        for i, place in self.links:
            place.copy_(tensors[i])
        for names in self.pairs:
            weight, bias = folded(model, *names)
            conv = self.network.get_submodule(names[0])  # its parameters stand in the order of registration
            conv.get_parameter("weight").copy_(weight)
            conv.get_parameter("bias").copy_(bias)
        self.versions, self.values = versions([*tensors, *self.places]), values
        self.changes += 1
        if self.changes.bit_count() == 1:  # the first, second, fourth, eighth ... change is looked at
            self.weights.clear()

    def prove(self, model: nn.Module, x: Tensor, tensors: list[Tensor]) -> None:
        """Compare with the model on a few images (n, ...), and be fast from then on; Unlike if even a plain
        copy does something else.
        """
        with evaluated(model):
            which = working(model, x)
            wanted = outputs(model, x, which)
        self.which = which
        if not self.ready:
            tolerance = tolerance_for(wanted)
            watch = self._check(x, wanted, tolerance)
            self._quicken(model, tensors, watch.pairs(), lambda: self._check(x, wanted, tolerance))
            self.ready = True
        self.follow(model, tensors)
        rounding = isinstance(self.autocast, torch.autocast) and self.quick
        before = versions(self.places)
        with self.autocast:
            watch = self._check(x, wanted, COARSE if rounding else tolerance_for(wanted))
        self.steady = versions(self.places) == before and not watch.draws
        self.weights[x.shape[1:]] = watch.bytes / len(x), watch.widest / len(x)
        self.follow(model, tensors)  # the passes may have changed what the copy holds

    def of_worker(self, number: int | None) -> nn.Module:
        """The network for a worker: one of its own, since a forward may keep something in its module, of the
        tensors that all share.
        """
        if number is None:
            return self.network
        if number not in self.twins:
            shared: dict[int, Any] = {id(tensor): tensor for tensor in Anatomy(self.network).tensors}
            self.twins[number] = copy.deepcopy(self.network, shared)
        return self.twins[number]

    def _check(self, x: Tensor, wanted: list[Tensor], tolerance: float) -> Watch:
        """Run on the images under a Watch; Unlike if the outputs are not those wanted."""
        watch = Watch(self.network)
        try:
            with watch:
                found = outputs(self.network, x, self.which)
        except MemoryError:
            raise
        except Exception as error:  # whatever a reader's forward says to a copy of it, or to another layout
            raise Unlike(f"a copy of it fails ({error})") from error
        for tensor in found:
            watch.see([tensor])  # what is returned is read
        if not agree(found, wanted, tolerance):
            raise Unlike("a copy of it computes something else")
        return watch

    def _quicken(
        self, model: nn.Module, tensors: list[Tensor], pairs: list, check: Callable[[], object]
    ) -> None:
        """Fold batch-norms, lay out channels last and compute in bfloat16 where that pays;
        take it back if `check` says Unlike.
        """
        if not self.follows:
            return
        plain = copy.deepcopy(self.network)
        try:
            self._fold(pairs)
            for parameter in self.network.parameters():
                if parameter.ndim == 4:
                    parameter.data = parameter.data.to(memory_format=torch.channels_last)
            self.follow(model, tensors)
            check()
            self._round()
            self.quick = True
        except Unlike:
            self.network, self.pairs = plain, []
            self.places = Anatomy(plain).tensors
            self.links = [*enumerate(self.places)]
        self.versions = None

    def _fold(self, pairs: list[tuple[str, str]]) -> None:
        parts = [self.network.get_submodule(name) for names in pairs for name in names]
        gone = {id(t) for part in parts for t in (*part.parameters(), *part.buffers())}
        self.links = [(i, place) for i, place in self.links if id(place) not in gone]
        self.pairs = pairs
        self.versions = None
        for names in pairs:
            fold(self.network, *names)
        self.places = [*self.network.parameters(), *(place for _, place in self.links)]

    def _round(self) -> None:
        """Keep what autocast would make of the weights in every pass."""
        parts = {part: name for name, part in self.network.named_modules()}
        for part in parts:
            if (
                isinstance(self.autocast, torch.autocast)
                and type(part) in (nn.Conv2d, nn.Linear)
                and is_own(part, parts)
            ):
                part.to(torch.bfloat16)
            if type(part) is nn.Flatten:
                part.register_forward_pre_hook(keep_layout)


def tolerance_for(wanted: list[Tensor]) -> float:
    """The tolerance with which a copy has to `agree` with outputs of any shape, by the type of the first; 0
    if there are none.
    """
    return TOLERANCE.get(wanted[0].dtype, 0.03) if wanted else 0.0
