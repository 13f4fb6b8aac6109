"""What people have in hand as tensors: numpy's arrays, lists, text labels, one-hot rows, places in a dataset.

What cannot be taken is refused in words; what could mean two things, with the line that makes it one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Integral, Number
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

_WIDE = (torch.uint16, torch.uint32, torch.uint64)  # torch hardly computes with these


# anything -> tensor


def tensor_of(values: object, what: str) -> Tensor:
    """A tensor of any shape as it is, or a copy of an array or a list as one. `what` names it in errors.

    A list of tensors is stacked, a sparse tensor made dense, numpy's float64 becomes float32. TypeError for
    what does not hold real numbers, ValueError for a list of several shapes.
    """
    if _are_tensors(values):
        values = _stacked(values, what)
    if isinstance(values, Tensor):
        return _dense(values, what)
    array = _array(values, what)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what} must be real numbers, got an array of {array.dtype}")
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    if array.dtype.kind == "f" and array.dtype.itemsize > 4:
        array = array.astype(np.float32)  # numpy makes float64 unasked
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def _are_tensors(values: object) -> TypeGuard[Sequence[Tensor]]:
    if not isinstance(values, (list, tuple)) or not values:
        return False
    return all(isinstance(value, Tensor) for value in values)


def _dense(values: Tensor, what: str) -> Tensor:
    """A tensor with which one can compute; a copy only where it is not."""
    if values.is_meta or values.is_nested or values.is_quantized or values.is_complex():
        kind = f"{values.dtype}, {values.layout}, {values.device}"
        raise TypeError(f"{what} must be an ordinary tensor of real numbers, got one of {kind}")
    if values.dtype in _WIDE:
        values = values.long()
    return values if values.layout == torch.strided else values.to_dense()


def _stacked(values: Sequence[Tensor], what: str) -> Tensor:
    shapes = sorted({tuple(value.shape) for value in values})
    if len(shapes) > 1:
        raise ValueError(f"{what} must be of one shape, got {shapes[:3]}: resize them first")
    return torch.stack(list(values))


def _array(values: Any, what: str) -> np.ndarray:
    """An array of what is one by nature."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{what} are a masked array: give what is masked a value with .filled(value)")
    listed = isinstance(values, (list, tuple, range))
    if not listed and not isinstance(values, Integral) and not hasattr(values, "__array__"):
        way = ": use .images and .labels of a dataset" if hasattr(values, "images") else ""
        way = ": the model stands first, and the images second" if callable(values) else way
        kind = type(values).__name__
        raise TypeError(f"{what} must be a torch tensor, an array or a list, got {kind}{way}")
    try:
        array = np.asarray([np.asarray(value) for value in values] if listed else values)
    except ValueError as error:
        raise ValueError(f"{what} must be of one shape, these are ragged: mend them first") from error
    return _plain(array) if array.dtype == object else array


def _plain(array: np.ndarray) -> np.ndarray:
    """An array of Python's objects as one of numbers or text, if they are."""
    for kinds, dtype in (((bool, np.bool_), bool), ((int, np.integer), np.int64), ((str,), str)):
        if array.size and all(isinstance(value, kinds) for value in array.flat):
            return array.astype(dtype)
    return array


# labels


def numbered(labels: object, classes: Iterable[object]) -> tuple[object, tuple[str, ...]]:
    """Labels and the names of their classes.

    Text labels become places among the names, or among their own names, sorted; other labels pass unchanged.
    """
    names = class_names(classes)
    texts = None if isinstance(labels, Tensor) or _are_tensors(labels) else _texts(labels)
    if texts is None:
        return labels, names
    names = names or class_names(in_order(set(texts)))
    place = {name: number for number, name in enumerate(names)}
    if unknown := sorted(set(texts) - place.keys()):
        strange = ", ".join(map(repr, unknown[:5]))
        raise ValueError(f"there is no class {strange}: classes are {', '.join(names)}")
    return torch.tensor([place[text] for text in texts]), names


def _texts(labels: object) -> list[str] | None:
    """Labels that are text, (n,) or (n, 1), as a list; None for others."""
    array = _array(labels, "labels")
    if array.dtype.kind not in "UST" or not (array.ndim == 1 or array.shape[1:] == (1,)):
        return None
    if isinstance(labels, (list, tuple)) and any(isinstance(label, Number) for label in labels):
        raise TypeError("labels must be numbers or texts, got some of each")
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    return [str(text) for text in array.reshape(-1)]


def in_order(names: Iterable[str]) -> list[str]:
    """Names sorted; by value if all are whole numbers, 2 before 10."""
    ordered = sorted(names)
    return sorted(ordered, key=int) if all(name.isdecimal() for name in ordered) else ordered


def class_names(classes: Iterable[object]) -> tuple[str, ...]:
    """Names of classes as a tuple of different texts."""
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise TypeError(f"classes must be the names of the classes, one text each, got {classes!r}")
    names = tuple(str(name) for name in classes)
    if len(set(names)) < len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise ValueError(f"classes must have different names, there is more than one {', '.join(twice)}")
    return names


def one_each(labels: Tensor, n: int) -> Tensor:
    """Labels (n,) from (n,), a column (n, 1), one number for one image, or one-hot rows (n, k)."""
    if labels.shape == (n,):
        return labels
    if labels.shape == (n, 1):
        return labels[:, 0]
    if labels.ndim == 0 and n == 1:
        return labels.reshape(1)
    if labels.ndim == 2 and len(labels) == n and _one_hot(labels):
        return labels.long().argmax(1)
    way = ": use labels.reshape(-1)" if labels.numel() == n else ""
    if labels.ndim == 2 and len(labels) == n:
        way = ": use labels.argmax(1) for probabilities, labels[:, 0] for the first column"
    shape = tuple(labels.shape)
    raise ValueError(f"there must be one label per image: {n} images, labels of shape {shape}{way}")


def _one_hot(rows: Tensor) -> bool:
    ones = rows == 1
    return bool((ones | (rows == 0)).all()) and bool((ones.sum(1) == 1).all())


# parts


def places(index: object, n: int) -> slice | Tensor:
    """Which of n images an index means: a number, a slice, a mask (n,), or a tensor,
    array or list of places.
    """
    if isinstance(index, slice):
        return index if (index.step or 1) > 0 else torch.tensor(range(n)[index], dtype=torch.long)
    if isinstance(index, (bool, tuple)) or index is Ellipsis:
        raise TypeError(f"an index must be a whole number, a slice, a mask or places, got {index!r}")
    if isinstance(index, list) and not index:
        return torch.arange(0)
    chosen = tensor_of(index, "places")
    if chosen.dtype == torch.bool:
        if chosen.shape != (n,):
            raise IndexError(f"a mask must have shape ({n},), got {tuple(chosen.shape)}")
        return chosen
    if chosen.is_floating_point() or chosen.dtype == torch.uint8:
        way = "use .long() for places, .bool() for a mask"
        raise TypeError(f"places must be whole numbers, got {chosen.dtype}: {way}")
    if chosen.ndim > 1:
        raise IndexError(f"places must be a number or a list of numbers, got shape {tuple(chosen.shape)}")
    beyond = chosen[(chosen < -n) | (chosen >= n)]
    if beyond.numel():
        raise IndexError(f"there is no image {beyond.reshape(-1)[0].item()}: the dataset has {n}")
    return chosen.long() if chosen.ndim else _one(int(chosen))


def _one(place: int) -> slice:
    return slice(place, place + 1 or None)
