"""Where work runs and how fast: the device, the precision, frozen copies of models for attacks and evaluation.

An attack differentiates with respect to pixels only, so the network may be rewritten as long as it computes the same function:
parameters frozen, batch-norm folded into the convolution before it, channels last, bfloat16 where the processor has it.
"""

import copy
import os
import platform
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

PRECISIONS = ("auto", "float32")
_wished: str = os.environ.get("FEATLAB_PRECISION", "auto")
if _wished not in PRECISIONS:
    raise ValueError(f"the environment variable FEATLAB_PRECISION is {_wished!r}: set it to one of {', '.join(PRECISIONS)}, or not at all")
_precision: ContextVar[str] = ContextVar("precision", default=_wished)


@cache
def usable_gpu() -> bool:
    """Whether there is a GPU that this build of torch can compute on; one that it cannot use is said once."""
    if not torch.cuda.is_available():
        return False
    try:
        return torch.ones(2, device="cuda").sum().item() == 2
    except RuntimeError as error:  # "no kernel image is available": the build is for other architectures
        warnings.warn(f"the GPU cannot be used by this build of torch, the CPU is ({error})", stacklevel=2)
        return False


def device() -> torch.device:
    """The GPU if there is one, else the CPU; the environment variable FEATLAB_DEVICE overrules."""
    wished = os.environ.get("FEATLAB_DEVICE", "")
    if wished.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(
            f"the environment variable FEATLAB_DEVICE is {wished!r}, but torch {torch.__version__} sees no such GPU: install a build of "
            "torch for it, or unset the variable"
        )
    return torch.device(wished or ("cuda" if usable_gpu() else "cpu"))


def device_of(model: Callable) -> torch.device | None:
    """Where a module's parameters live; None for a plain function."""
    tensors = (*model.parameters(), *model.buffers()) if isinstance(model, nn.Module) else ()
    return tensors[0].device if tensors else None


def kind_of(model: Callable) -> str:
    """ "cpu" or "cuda"."""
    where = device_of(model)
    return where.type if where is not None else "cpu"


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Within this block networks compute in "float32" (the reference) or in "auto" (bfloat16 convolutions where the processor has them)."""
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}: choose one of {', '.join(PRECISIONS)}")
    token = _precision.set(name)
    try:
        yield
    finally:
        _precision.reset(token)


@cache
def has_bfloat16(kind: str) -> bool:
    """Whether bfloat16 is fast here. With AVX2 alone it is ten times slower than float32, so it must be asked."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and torch.cpu._is_avx512_bf16_supported()


def describe_precision() -> str:
    """The arithmetic of convolutions on this device now, in words."""
    return "bfloat16 convolutions" if _precision.get() == "auto" and has_bfloat16(device().type) else "float32"


def processor() -> str:
    """The processor's name as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def autocast(model: nn.Module, kind: str):
    """The context in which `model` runs: bfloat16 pays for convolutions only, so other models stay exact."""
    convolutional = any(isinstance(part, nn.Conv2d) for part in model.modules())
    if _precision.get() == "float32" or not convolutional or not has_bfloat16(kind):
        return nullcontext()
    return torch.autocast(kind, torch.bfloat16, cache_enabled=False)


MOST = 2000  # images a chunk on a GPU; more fill it no better
IMAGE = 16 * 2**20  # bytes allowed for an image between forward and backward; ResNet-50 at 32x32 keeps about ten million
_ceiling: dict[str, int] = {}  # what fitted where memory ran out before


@cache
def roomy(kind: str) -> int:
    """Images for which half of a GPU's free memory is enough, at most MOST."""
    return max(1, min(MOST, torch.cuda.mem_get_info()[0] // 2 // IMAGE))


def chunk(kind: str) -> int:
    """Images a chunk: on a CPU few enough a thread that activations stay in its cache, on a GPU enough to fill it, as its memory allows."""
    wished = 125 * torch.get_num_threads() if kind == "cpu" else int(os.environ.get("FEATLAB_CHUNK") or roomy(kind))
    return min(wished, _ceiling.get(kind, wished))


def lower(kind: str, size: int) -> None:
    """From now on at most `size` images a chunk."""
    _ceiling[kind] = size


def tune() -> None:
    """Let a GPU do what the precision allows: TF32 in "auto" only; the fastest convolutions, found by trying."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = _precision.get() == "auto"


class Late:
    """A number that a GPU may still be computing: asking for it waits for it alone, not for all that was begun after it."""

    def __init__(self, value: Tensor):
        self.value, self.there = value, None
        if value.is_cuda:  # a plain .item() would wait for everything on the stream
            self.value = torch.empty_like(value, device="cpu", pin_memory=True).copy_(value, non_blocking=True)
            self.there = torch.cuda.Event()
            self.there.record()

    def item(self) -> float:
        if self.there:
            self.there.synchronize()
        return self.value.item()


def seed_of(*numbers: int) -> int:
    """One seed for torch from several whole numbers, such as the seed of a run and its epoch; the same in every process."""
    return hash(numbers) % 2**63


@contextmanager
def drawing(*numbers: int) -> Iterator[None]:
    """Within this block torch's random draws follow from these numbers; after it they go on as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(seed_of(*numbers))
        yield


def made_of(model: nn.Module) -> list[tuple]:
    """What a network is apart from its weights and its mode: its parts by name, with their plain settings."""
    plain = (int, float, str, tuple)
    settings = [{k: v for k, v in vars(part).items() if isinstance(v, plain) and k != "training"} for part in model.modules()]
    return [(name, type(part), setting) for (name, part), setting in zip(model.named_modules(), settings, strict=True)]


def conv_bn_pairs(model: nn.Module, prefix: str = "") -> list[tuple[str, str]]:
    """Names of each convolution whose only reader is a batch-norm that reads nothing else, with that batch-norm."""
    try:
        nodes = fx.symbolic_trace(model).graph.nodes
    except Exception:  # a forward with control flow cannot be traced: look inside its parts, each by itself
        return [pair for name, part in model.named_children() for pair in conv_bn_pairs(part, f"{prefix}{name}.")]
    parts = dict(model.named_modules())
    calls = Counter(n.target for n in nodes if n.op == "call_module")
    once = [n for n in nodes if calls[n.target] == 1]
    norms = [n for n in once if type(parts[n.target]) is nn.BatchNorm2d and parts[n.target].track_running_stats]
    edges = [(n.args[0], n) for n in norms if n.args and n.args[0] in once]
    pairs = [(a.target, b.target) for a, b in edges if type(parts[a.target]) is nn.Conv2d and len(a.users) == 1]
    return [(prefix + conv, prefix + norm) for conv, norm in pairs]


def keep_layout(part: nn.Module, inputs: tuple[Tensor]) -> None:
    """Let the gradient of a part's input have the channels-last layout of that input: a ReLU before it is ten times slower on a mixture."""
    x = inputs[0]
    if x.requires_grad and x.ndim == 4:
        x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))


def compiled(function: Callable) -> Callable:
    """The function through torch.compile, for each shape by itself: networks of one architecture share what is compiled."""
    torch._dynamo.config.cache_size_limit = 64  # shapes and modes of one function, of which torch allows 8
    return torch.compile(function, dynamic=False)


class Frozen:
    """A copy of a model for attacks and evaluation: same function, eval mode, no parameter gradients, faster.

    Call it for logits (n, k) in float32; `represent` gives a Classifier's representation g(x).
    """

    def __init__(self, model: nn.Module):
        self.compiled = {}
        self.graphs = {}  # what featlab.graphs recorded of steps through this copy
        self.made_of, self.pairs = made_of(model), conv_bn_pairs(model)
        self.copy = copy.deepcopy(model).eval().requires_grad_(False).to(memory_format=torch.channels_last)
        for conv_name, bn_name in self.pairs:
            conv = self.copy.get_submodule(conv_name)
            conv.bias = nn.Parameter(torch.zeros(conv.out_channels, device=conv.weight.device), requires_grad=False)
            self.copy.set_submodule(bn_name, nn.Identity())
        self.autocast = autocast(model, kind_of(model))
        for part in self.copy.modules():
            if isinstance(self.autocast, torch.autocast) and type(part) in (nn.Conv2d, nn.Linear):
                part.to(torch.bfloat16)  # what autocast would make of the weights in every pass
            if type(part) is nn.Flatten:
                part.register_forward_pre_hook(keep_layout)

    @torch.no_grad()
    def follow(self, model: nn.Module) -> "Frozen":
        """Take over the weights that `model` has now, in place, so that recorded steps see them."""
        tune()
        now = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        for name, tensor in (*self.copy.named_parameters(), *self.copy.named_buffers()):
            if name in now:
                tensor.copy_(now[name])
        for conv_name, bn_name in self.pairs:
            conv, bn, folded = model.get_submodule(conv_name), model.get_submodule(bn_name), self.copy.get_submodule(conv_name)
            statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
            weight, bias = fuse_conv_bn_weights(conv.weight, conv.bias, *statistics)
            folded.weight.copy_(weight)
            folded.bias.copy_(bias)
        return self

    def compile(self, shape: tuple[int, ...]) -> None:
        """From now on passes of images of this shape run compiled."""
        passes = (self.copy, getattr(self.copy, "represent", None))
        self.compiled.setdefault(shape, [p and compiled(p) for p in passes])

    def __call__(self, x: Tensor) -> Tensor:
        with self.autocast:
            return self.compiled.get(x.shape, [self.copy])[0](x).float()

    def represent(self, x: Tensor) -> Tensor:
        with self.autocast:
            return self.compiled.get(x.shape, [None, self.copy.represent])[1](x).float()


_frozen: "WeakKeyDictionary[nn.Module, dict[str, Frozen]]" = WeakKeyDictionary()


def frozen(model: Callable) -> Callable:
    """The Frozen copy of a module, with the weights it has now; a plain function is returned as it is.

    The copy is kept as long as the model lives, so asking again costs only the copying of the weights.
    """
    if not isinstance(model, nn.Module):
        return model
    where = f"{device_of(model)} {_precision.get()}"
    copies = _frozen.setdefault(model, {})
    if where not in copies or copies[where].made_of != made_of(model):
        copies[where] = Frozen(model)
    return copies[where].follow(model)


def forget_recordings() -> None:
    """Let go of the memory that recorded steps hold; what pays is recorded again."""
    for one in (one for copies in _frozen.values() for one in copies.values()):
        one.graphs.clear()
