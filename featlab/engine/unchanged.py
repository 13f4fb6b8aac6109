"""Models that are used and stay as they were: their tensors, attributes and mode."""

import contextlib
import threading
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from featlab.engine.anatomy import HELD, SKIPPED

NUMPYS = (torch.float32, torch.float64, torch.float16)  # of weights, which numpy knows as well
LARGE = 5000  # numbers, from which numpy is faster at comparing them
_one_at_a_time = threading.RLock()


class Held:
    """What one module is now, and the way back to it;
    meanwhile it works on copies of its buffers and plain attributes.
    """

    def __init__(self, part: nn.Module, plain: bool, custom: bool):
        self.part, self.plain, self.training = part, plain, part.training
        scripted = isinstance(part, torch.jit.ScriptModule)
        fragile: list[Tensor] = [*part.parameters(recurse=False)] if custom or scripted else []
        fragile += [*part.buffers(recurse=False)] if scripted else []
        self.values = [(tensor, tensor.detach().clone()) for tensor in fragile]
        self.dicts = {} if scripted else {name: dict(vars(part)[name]) for name in HELD}
        self.attributes = {} if scripted else dict(vars(part))
        for name, buffer in self.dicts.get("_buffers", {}).items():
            part._buffers[name] = None if buffer is None else buffer.clone()
        for name, value in self.attributes.items() if plain else ():
            if name not in HELD and name not in SKIPPED and isinstance(value, Tensor | list | dict | set):
                vars(part)[name] = value.clone() if isinstance(value, Tensor) else value.copy()

    @torch.no_grad()
    def restore(self) -> None:
        for tensor, value in self.values:
            if not same(tensor, value):
                # through .data: a gradient that is still to be computed must not see a change
                tensor.data.copy_(value)
        if self.plain and self.attributes:
            vars(self.part).clear()
            vars(self.part).update(self.attributes)
        for name, entries in self.dicts.items():
            vars(self.part)[name].clear()
            vars(self.part)[name].update(entries)
        self.part.training = self.training


@contextlib.contextmanager
def unchanged(parts: list[nn.Module], plain: bool = True) -> Iterator[None]:
    """Whatever happens to these modules within this block, after it they are as they were; one thread at a
    time.

    plain  restore plain attributes as well, which hooks may have set for somebody to look at
    """
    with _one_at_a_time:
        each = {id(part): part for part in parts}.values()
        custom = any(
            type(part).train is not nn.Module.train or type(part).eval is not nn.Module.eval for part in each
        )
        held = [Held(part, plain, custom) for part in each]
        try:
            yield
        finally:
            for one in held:
                one.restore()


@contextlib.contextmanager
def evaluated(model: nn.Module, parts: list[nn.Module] | None = None, plain: bool = True) -> Iterator[None]:
    """Within this block the model is in eval mode; after it the model, its mode included, is as it was."""
    with unchanged([*model.modules()] if parts is None else parts, plain):
        with contextlib.suppress(NotImplementedError):  # an exported model has one mode only
            model.eval()
        yield


def same(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of any shape, the same for both, hold the same numbers, NaN counted as one."""
    return _equal(a, b) or bool(((a == b) | ((a != a) & (b != b))).all())


def _equal(a: Tensor, b: Tensor) -> bool:
    """torch.equal, which takes six times as long as numpy on a layer's
    weights on a CPU (45 and 8 us for 50,000 numbers).
    """
    wide = a.numel() > LARGE and a.shape == b.shape and a.dtype == b.dtype in NUMPYS and a.is_cpu and b.is_cpu
    return bool((a.detach().numpy() == b.detach().numpy()).all()) if wide else torch.equal(a, b)
