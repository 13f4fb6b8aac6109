"""Which batch-norms can be folded into the convolution before them: found by watching one pass, so that
nothing is guessed.

A network is watched with real images, never traced: what it keeps of a pass are tensors, and a branch that
hangs on the values of its images is seen. Where there is one, nothing is folded.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from featlab.inputs.checks import instance

FOLDED = "what is folded must be a convolution and its batch-norm"
LOOKS = {
    "dim",
    "size",
    "stride",
    "numel",
    "nelement",
    "is_contiguous",
    "is_floating_point",
    "is_complex",
    "__len__",
    "__hash__",
}
LOOKS |= {
    "storage_offset",
    "get_device",
    "element_size",
    "has_names",
    "__get__",
    "is_inference",
    "is_same_size",
    "result_type",
}


class Scales(TorchFunctionMode):
    """Within this block it weighs what torch's functions make while a network runs.

    bytes    of all that is made, an estimate of what a gradient needs
    widest   bytes of the largest single result
    added    called after each function; it may break off
    """

    def __init__(self, added: Callable[["Scales"], object] = bool):
        super().__init__()
        self.bytes, self.widest, self.added = 0, 0, added

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.weigh(result, tree_leaves((args, kwargs)))
        return result

    def weigh(self, result: object, given: list) -> None:
        """Add what was made, but for views of what was given."""
        places = {_place(t) for t in given} | {None}
        sizes = [t.nbytes for t in tree_leaves(result) if _place(t) not in places]
        self.bytes += sum(sizes)
        self.widest = max(self.widest, *sizes, 0)
        self.added(self)


def _place(value: object) -> int | None:
    """Where a tensor's numbers lie in memory; None if it is no tensor, or one without numbers."""
    if not isinstance(value, Tensor) or value.layout is not torch.strided:
        return None
    try:
        return value.untyped_storage().data_ptr()
    except RuntimeError:  # while torch.compile traces
        return None


class Watch(Scales):
    """Within this block it sees, besides, what torch's functions read and make while a network runs, and
    whether something is drawn at random.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.names = {part: name for name, part in network.named_modules()}
        self.made: dict[int, tuple[Tensor, nn.Module]] = {}
        self.inside: list[nn.Module] = []
        self.read: set[nn.Module] = set()
        self.calls: Counter[nn.Module] = Counter()
        self.edges: list[tuple[nn.Module, nn.BatchNorm2d]] = []
        self.branches, self.draws = False, False
        self.weights = {
            id(t): part for part in self.names if foldable(part) for t in part.parameters(recurse=False)
        }

    def __enter__(self) -> "Watch":
        watched = [part for part in self.names if foldable(part) or type(part) is nn.BatchNorm2d]
        self.hooks = [part.register_forward_pre_hook(self._begins) for part in watched]
        self.hooks += [part.register_forward_hook(self._ends) for part in watched]
        self.others = _other_draws()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        for hook in self.hooks:
            hook.remove()
        self.draws |= self.others != _other_draws()
        super().__exit__(*error)

    def _begins(self, part: nn.Module, inputs: tuple) -> None:
        self.calls[part] += 1
        self.inside.append(part)
        before = self.made.get(id(inputs[0]), (None, None))[1] if len(inputs) == 1 else None
        if type(part) is nn.BatchNorm2d and before is not None:
            self.edges.append((before, part))

    def _ends(self, part: nn.Module, inputs: tuple, output: Tensor) -> None:
        self.inside.pop()
        if foldable(part):
            self.made[id(output)] = output, part  # held, so that its id is no other tensor's

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        draws = torch.default_generator.get_state()
        result = func(*args, **(kwargs or {}))
        self.draws |= not torch.default_generator.get_state().equal(draws)
        name, given = getattr(func, "__name__", ""), tree_leaves((args, kwargs))
        made = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        if name in LOOKS and not made:
            return result
        self.branches |= not made and result is not None
        self.see(given)
        self.weigh(result, given)
        return result

    def see(self, given: list) -> None:
        """Note what is read, other than by the part that it belongs to."""
        reader = self.inside[-1] if self.inside else None
        for one in given:
            if id(one) in self.made and type(reader) is not nn.BatchNorm2d:
                self.read.add(self.made[id(one)][1])
            if id(one) in self.weights and reader is not self.weights[id(one)]:
                self.read.add(self.weights[id(one)])

    def pairs(self) -> list[tuple[str, str]]:
        """Names of each convolution whose output one batch-norm read and nothing else,
        with that batch-norm.
        """
        if self.branches:
            return []
        always = [
            (a, b) for (a, b), times in Counter(self.edges).items() if times == self.calls[a] == self.calls[b]
        ]
        return [
            (self.names[a], self.names[b])
            for a, b in always
            if a not in self.read and is_own(a, self.names) and _settled(b)
        ]


def _other_draws() -> tuple:
    """How far Python's and numpy's own random numbers have come."""
    numpys: dict[str, Any] = np.random.get_state(legacy=False)
    return random.getstate(), numpys["state"]["key"].tobytes(), numpys["state"]["pos"]


def foldable(part: nn.Module) -> bool:
    return (
        type(part) is nn.Conv2d
        and "forward" not in vars(part)
        and part.weight.dtype in (torch.float32, torch.float64)
    )


def is_own(part: nn.Module, others: dict[nn.Module, str]) -> bool:
    """Whether no other module has one of the part's parameters."""
    mine = {id(t) for t in part.parameters(recurse=False)}
    return not any(
        id(t) in mine for other in others if other is not part for t in other.parameters(recurse=False)
    )


def _settled(norm: nn.BatchNorm2d) -> bool:
    """Whether a batch-norm in eval mode is an affine map with fixed numbers."""
    return not norm.training and norm.running_mean is not None and "forward" not in vars(norm)


def fold(network: nn.Module, conv_name: str, norm_name: str) -> None:
    """Make room in a convolution for a batch-norm, which is left out; `folded` gives the numbers."""
    conv = instance(network.get_submodule(conv_name), nn.Conv2d, FOLDED)
    conv.bias = nn.Parameter(conv.weight.new_zeros(conv.out_channels), requires_grad=False)
    network.set_submodule(norm_name, nn.Identity().eval())


def folded(model: nn.Module, conv_name: str, norm_name: str) -> tuple[Tensor, Tensor]:
    """Weight (k, c, h, w) and bias (k,) of the convolution that does what convolution and batch-norm do, one
    after the other. TypeError if the names are not those of a Conv2d and a BatchNorm2d.
    """
    conv = instance(model.get_submodule(conv_name), nn.Conv2d, FOLDED)
    norm = instance(model.get_submodule(norm_name), nn.BatchNorm2d, FOLDED)
    mean, variance = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    return fuse_conv_bn_weights(conv.weight, conv.bias, mean, variance, norm.eps, norm.weight, norm.bias)
