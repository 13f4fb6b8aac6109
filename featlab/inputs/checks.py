"""What people and their functions hand in, taken where it can be and refused in one sentence where it cannot:
numbers, calls, logits.
"""

import math
import operator
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, replace
from numbers import Integral
from types import FrameType, UnionType
from typing import Any, ClassVar, Protocol, TypeVar, overload

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from featlab.inputs.options import did_you_mean

_T = TypeVar("_T")
_D = TypeVar("_D", bound="_Fields")
Size = int | tuple[int, int]  # of images in pixels: the side of a square, or (height, width)
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_overheard: ContextVar[list[str] | None] = ContextVar("overheard", default=None)


def real(value: Any, name: str) -> float:
    """A number, numpy's or a tensor of one included; texts are refused,
    for 8 / 255 is a number and "8/255" is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{name} must be a number, such as 8 / 255 or 0.5; got {_shown(value)}") from None


def whole(value: Any, name: str, least: int | None = 0) -> int:
    """A whole number from `least` up; 2.0 and numpy's integers are taken."""
    limit = "" if least is None else f" from {least} up"
    said = f"{name} must be a whole number{limit}, got {_shown(value)}"
    try:
        if isinstance(value, bool):
            raise TypeError
        number = (
            int(value)
            if isinstance(value, float | np.floating) and value == int(value)
            else operator.index(value)
        )
    except (TypeError, ValueError, OverflowError):
        raise ValueError(said) from None
    if least is not None and number < least:
        raise ValueError(said)
    return number


def sides(size: object) -> tuple[int, int]:
    """Height and width in pixels, of a square's side or of the pair."""
    pair = size if isinstance(size, tuple | list) else (size, size)
    whole_ones = [isinstance(side, Integral) and not isinstance(side, bool) for side in pair]
    if len(pair) != 2 or not all(whole_ones) or min(pair) <= 0:
        allowed = "a whole number of pixels, the side of a square, or a pair (height, width)"
        raise ValueError(f"size must be {allowed}, got {_shown(size)}")
    return int(pair[0]), int(pair[1])


def between(value: object, name: str, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number, from `least` to `most`."""
    number = real(value, name)
    if not (math.isfinite(number) and least <= number <= most):
        low = f" from {least:g}" if least > -math.inf else ""
        high = f" to {most:g}" if most < math.inf else " up" if low else ""
        raise ValueError(f"{name} must be a finite number{low}{high}, got {_shown(value)}")
    return number


def positive(value: object, name: str, most: float = math.inf) -> float:
    """A finite number above 0, up to `most`."""
    if not (number := between(value, name, 0, most)):
        raise ValueError(f"{name} must be a number above 0, got {_shown(value)}")
    return number


def flag(value: object, name: str) -> bool:
    """True or False; a word is neither, for "no" would count as true."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False, got {_shown(value)}")
    return bool(value)


def known(name: object, names: Iterable[str], what: str) -> str:
    """The name, if it is one of the names."""
    names = list(names)
    if not isinstance(name, str) or name not in names:
        meant = did_you_mean(name, names) if isinstance(name, str) else ""
        raise ValueError(f"unknown {what} {_shown(name)}: choose one of {', '.join(names)}{meant}")
    return name


class _Fields(Protocol):
    """What a dataclass is to a type checker."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


def changed(value: _D, changes: Mapping[str, Any]) -> _D:
    """A frozen value, such as a Recipe, with some fields changed, by their names; a ValueError that names the
    fields if one is unknown.
    """
    for name in changes:
        known(name, [field.name for field in fields(value)], f"field of {type(value).__name__}")
    return replace(value, **changes)


def numbers(values: Any, name: str) -> list[float]:
    """A list of finite numbers."""
    listed = isinstance(values, Iterable) and not isinstance(values, str | Mapping)
    if not listed or getattr(values, "ndim", 1) != 1:
        raise TypeError(f"{name} must be a list of numbers, got {_shown(values)}")
    return [between(value, f"each of {name}") for value in values]


@overload
def instance(value: object, kinds: type[_T], what: str) -> _T: ...
@overload
def instance(value: object, kinds: UnionType, what: str) -> object: ...
def instance(value: object, kinds: type[_T] | UnionType, what: str) -> object:
    """The value, if it is of one of the kinds; `what` says what is needed: "data must be a Dataset"."""
    if not isinstance(value, kinds):
        shown = f" {_shown(value)}" if isinstance(value, str | int | float) else ""
        raise TypeError(f"{what}, got {type(value).__name__}{shown}")
    return value


def named(value: object, what: str, least: int = 1) -> Mapping[str, Any]:
    """A dict name -> something with at least so many entries."""
    wanted = f"{what} must be a dict by name with at least {least}"
    given = instance(value, Mapping, wanted)
    if len(given) < least:
        raise ValueError(f"{wanted}, got {len(given)}: {list(given)}")
    return given


def function(value: object, name: str, signature: str) -> Callable:
    """The value, if it can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be a function of ({signature}), got {_shown(value)}")
    return value


def shown_by(progress: Callable, signature: str, items: Iterable[_T], *arguments: object) -> Iterable[_T]:
    """The items as `progress` gives them back while it shows the work, if that can be gone through."""
    shown = called("progress", signature, progress, items, *arguments)
    if not isinstance(shown, Iterable):
        raise TypeError(
            f"progress must give back the items that it is given, as tqdm does; it gave {_shown(shown)}"
        )
    return shown


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{type(value).__name__} {text[:60]}..."


def called(name: str, signature: str, given: Callable, *arguments: object) -> object:
    """given(*arguments); where the arguments do not suit it, an error that says how it is called."""
    function(given, name, signature)
    try:
        return given(*arguments)
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise TypeError(
            f"{name} is called with ({signature}), and that failed ({error}): wrap it in lambda "
            f"{signature}: ..."
        ) from error


def logits_of(output: object, n: int) -> Tensor:
    """What a model returned for n images as float logits (n, k), k at least 2; taken out of a tuple, a dict
    or a Hugging Face output.

    Nothing here looks at a value, so that it costs nothing and no GPU is waited for.
    """
    logits = logits_tensor(output)
    if not ordinary(logits):
        raise TypeError(
            "a model must return logits, an ordinary tensor of real numbers; this one returned "
            f"{_kind(logits)}"
        )
    # a model that squeezes, and a last batch of one image
    if n == 1 and logits.ndim == 1 and len(logits) > 1:
        logits = logits[None]
    if logits.ndim == 2 and len(logits) == n and logits.shape[1] > 1:
        return logits if logits.dtype == torch.float64 else logits.float()
    if logits.shape in ((n,), (n, 1)):
        raise ValueError(
            "a model must return logits with one column a class; this one returned "
            f"{tuple(logits.shape)}, one logit an image: "
            "if z is the logit of class 1, return torch.stack([-z, z], 1) / 2 of the flat z"
        )
    raise ValueError(
        f"a model must return logits (n, classes), here ({n}, classes); this one returned "
        f"{tuple(logits.shape)}"
    )


def ordinary(tensor: Tensor) -> bool:
    """Whether a tensor of any shape holds real numbers that can be computed with as they are."""
    strange = tensor.is_meta or tensor.is_nested or tensor.is_quantized or tensor.is_complex()
    return not strange and tensor.layout is torch.strided


def _kind(tensor: Tensor) -> str:
    """What a tensor of any shape is, in words: nested, or its type, layout and device."""
    return (
        f"a nested tensor of {tensor.dtype}"
        if tensor.is_nested
        else f"one of {tensor.dtype}, {tensor.layout} on {tensor.device}"
    )


def logits_tensor(output: object) -> Tensor:
    """The tensor of logits, (n, k) if the model does well, in what a model returned: itself, .logits,
    ["logits"], or the only matrix in a tuple or a dict. TypeError if it is in none of these places.
    """
    if isinstance(output, Tensor):
        return (
            output
            if type(output) is Tensor or is_traceable_wrapper_subclass(output)
            else output.as_subclass(Tensor)
        )
    found = output.get("logits") if isinstance(output, Mapping) else getattr(output, "logits", None)
    if isinstance(found, Tensor):
        return found
    if isinstance(output, np.ndarray):
        return torch.as_tensor(output)
    parts = (
        output.values() if isinstance(output, Mapping) else output if isinstance(output, tuple | list) else ()
    )
    matrices = [part for part in parts if isinstance(part, Tensor) and part.ndim == 2]
    if len(matrices) == 1:
        return matrices[0]
    shapes = f" with {len(matrices)} matrices {[tuple(m.shape) for m in matrices]}" if matrices else ""
    raise TypeError(
        "a model must return logits, a tensor (n, classes); this one returned a "
        f"{type(output).__name__}{shapes}: say which part they "
        "are, with a module whose forward returns only them, or with lambda x: model(x)[0]"
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Within this block `warn` is silent, for what it would say is measured and reported."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


@contextmanager
def overheard() -> Iterator[list[str]]:
    """Within this block what `warn` would say comes into a list, to be said elsewhere."""
    said: list[str] = []
    token = _overheard.set(said)
    try:
        yield said
    finally:
        _overheard.reset(token)


def warn(text: str) -> None:
    """Warn at the line of the reader's that led here, each time:
    what is said once does not stand beside the second number.
    """
    if _quiet.get():
        return
    if (heard := _overheard.get()) is not None:
        heard.append(text)
        return
    frame = sys._getframe(1)
    while frame.f_back and _inside(frame):
        frame = frame.f_back
    where = frame.f_code.co_filename, frame.f_lineno
    warnings.warn_explicit(text, UserWarning, *where, module=frame.f_globals.get("__name__", ""), registry={})


def _inside(frame: FrameType) -> bool:
    """Whether this is a line of ours, or of what we call on the way."""
    return frame.f_globals.get("__name__", "").partition(".")[0] in ("featlab", "torch", "contextlib")
