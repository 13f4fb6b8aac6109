"""Where networks compute and in what numbers: the device, the precision,
and what a GPU is allowed meanwhile.
"""

import os
import platform
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import cache
from itertools import chain
from pathlib import Path

import torch
from torch import nn

PRECISIONS = ("auto", "float32")
_wished: str = os.environ.get("FEATLAB_PRECISION", "auto")
# what FEATLAB_PRECISION makes of a processor, whatever it has
EMULATED = {"float32": False, "bfloat16": True}
if _wished not in (*PRECISIONS, *EMULATED):
    raise ValueError(
        f"the environment variable FEATLAB_PRECISION is {_wished!r}: set it to auto, float32 or "
        "bfloat16, or not at all"
    )
# what the block says, if there is one
_precision: ContextVar[str | None] = ContextVar("precision", default=None)
_usual = "float32" if _wished == "float32" else "auto"  # what holds outside every block


def tell(text: str) -> None:
    """Warn at the line of the reader's that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in (
        "featlab",
        "torch",
        "contextlib",
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)


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
    wished = os.environ.get("FEATLAB_DEVICE", "").strip()
    return (
        usable(wished, "the environment variable FEATLAB_DEVICE is")
        if wished
        else torch.device("cuda" if usable_gpu() else "cpu")
    )


def usable(name: str | torch.device, what: str = "the device is") -> torch.device:
    """The device of this name, if torch knows it and can compute there now;
    else an error that begins with `what`.
    """
    try:
        found = torch.device(name)
        computes = (
            (torch.ones(2, device=found) + 1).sum().cpu().item() == 4 if found.type != "meta" else False
        )
        reason = "numbers have no values there"
    except (
        RuntimeError,
        AssertionError,
        ImportError,
        TypeError,
    ) as error:  # another device is another kind of error
        computes, reason = False, str(error).partition("\n")[0]
    if computes:
        return found
    if str(name).startswith("cuda") and not torch.cuda.is_available():
        reason = "it sees no such GPU"
    raise ValueError(
        f"{what} {str(name)!r}, but torch {torch.__version__} cannot compute there "
        f"({reason[:160]}): choose cpu, or cuda with a build of "
        "torch that sees your GPU; or unset what names it"
    )


def device_of(model: object) -> torch.device | None:
    """Where a module's parameters live; None for a plain function."""
    tensors = chain(model.parameters(), model.buffers()) if isinstance(model, nn.Module) else ()
    return next((tensor.device for tensor in tensors), None)


def dtype_of(model: object) -> torch.dtype:
    """The type of numbers that a module computes in, and in which it wants its images:
    that of its first parameter.
    """
    parameters = model.parameters() if isinstance(model, nn.Module) else ()
    return next((p.dtype for p in parameters if p.is_floating_point()), torch.float32)


def kind_of(model: object) -> str:
    """ "cpu" or "cuda"."""
    where = device_of(model)
    return where.type if where is not None else "cpu"


def wished_precision() -> str:
    """The precision of the block that we are in, or the usual one."""
    return _precision.get() or _usual


def use_precision(name: str) -> None:
    """From now on networks compute in this precision wherever no block says otherwise: in every cell,
    slider and thread.
    """
    global _usual
    _usual = checked_precision(name)


def checked_precision(name: str) -> str:
    """The name, if it is one of PRECISIONS."""
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}: choose one of {', '.join(PRECISIONS)}")
    return name


@contextmanager
def precision(name: str) -> Iterator[None]:
    """Within this block networks compute in "float32" (the reference) or in "auto"
    (bfloat16 convolutions where the processor has them).
    """
    token = _precision.set(checked_precision(name))
    try:
        yield
    finally:
        _precision.reset(token)


@cache
def has_bfloat16(kind: str) -> bool:
    """Whether bfloat16 is fast here.

    With AVX2 alone it is ten times slower than float32, so it must be asked.

    With FEATLAB_PRECISION=float32 in the environment a CPU counts as one that has none, with bfloat16 as one
    that has it (slowly).
    """
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and EMULATED.get(_wished, torch.cpu._is_avx512_bf16_supported())


def describe_precision() -> str:
    """The arithmetic of convolutions on this device now, in words."""
    return (
        "bfloat16 convolutions" if wished_precision() == "auto" and has_bfloat16(device().type) else "float32"
    )


def processor() -> str:
    """The processor's name as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def autocast(model: nn.Module, kind: str) -> AbstractContextManager:
    """The context in which `model` runs: bfloat16 pays for convolutions only, so other models stay exact."""
    convolutional = any(isinstance(part, nn.Conv2d) for part in model.modules())
    if (
        wished_precision() == "float32"
        or not convolutional
        or not has_bfloat16(kind)
        or dtype_of(model) != torch.float32
    ):
        return nullcontext()
    return torch.autocast(kind, torch.bfloat16, cache_enabled=False)


# what was set before each block that is tuned now; what counts is the first
_before: list[tuple[bool, bool, bool]] = []
_one_at_a_time = threading.Lock()


@contextmanager
def tuned(kind: str) -> Iterator[None]:
    """Within this block a GPU does what the precision allows: TF32 in "auto" only; the fastest convolutions,
    found by trying.
    """
    if kind != "cuda":
        yield
        return
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    with _one_at_a_time:
        _before.append((cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32))
        cudnn.benchmark = not cudnn.deterministic
        cudnn.allow_tf32 = matmul.allow_tf32 = wished_precision() == "auto"
    try:
        yield
    finally:
        with _one_at_a_time:
            settings = _before.pop()
            if not _before:
                cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = settings


class AsyncNumber:
    """A number that a GPU may still be computing: asking for it waits for it alone,
    not for all that was begun after it.
    """

    def __init__(self, value: torch.Tensor):
        self.value, self.there = value, None
        if value.is_cuda:  # a plain .item() would wait for everything on the stream
            self.value = torch.empty_like(value, device="cpu", pin_memory=True).copy_(
                value, non_blocking=True
            )
            self.there = torch.cuda.Event()
            self.there.record()

    def item(self) -> float:
        if self.there:
            self.there.synchronize()
        return self.value.item()
