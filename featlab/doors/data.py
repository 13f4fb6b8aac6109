"""Datasets and labels where they enter: of a type, on the model's device, with labels that it can give."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from featlab.engine import devices
from featlab.inputs.bitmaps import bounds
from featlab.inputs.checks import called, warn, whole
from featlab.types import Dataset, Model, check_classes, check_labels, pixels


def exact(images: Tensor) -> Tensor:
    """Images (n, c, h, w) as float32 or float64 pixels: in 16 bits an attack's steps are lost in rounding."""
    return images if images.dtype == torch.float64 else pixels(images).float()


def dataset(data: object) -> Dataset:
    """`data` if it is a Dataset."""
    if not isinstance(data, Dataset):
        raise TypeError(
            f"data must be a featlab Dataset, got {type(data).__name__}: make one with "
            f"fl.Dataset(images, labels){_way_to_dataset(data)}"
        )
    return data


def _way_to_dataset(given: object) -> str:
    """What to do where something else was given."""
    if callable(given):
        return "; or are they swapped? The model stands first and the data second"
    if isinstance(given, tuple | list) and any(isinstance(part, Dataset) for part in given):
        return "; fl.load gives two, so say which: train, test = fl.load(...)"
    if isinstance(given, tuple | list) and len(given) == 2:
        return ", here fl.Dataset(*data)"
    return ""


def classes_in(data: Dataset, chosen: Iterable[int], least: int = 1) -> list[int]:
    """The numbers of so many different classes of the data, or more."""
    if isinstance(chosen, str) or not isinstance(chosen, Iterable):
        raise TypeError(f"classes are chosen by their numbers, such as (0, 9), got {chosen!r}")
    chosen, most = [whole(c, "class", least=None) for c in chosen], dataset(data).num_classes - 1
    for c in chosen:
        if not 0 <= c <= most:
            raise ValueError(f"class {c} does not exist: the dataset has classes 0 to {most}")
    if len(set(chosen)) < max(least, len(chosen)):
        raise ValueError(f"choose {least} or more classes, each once, of 0 to {most}; got {tuple(chosen)}")
    return chosen


def greatest(low: float, high: float) -> int:
    """The greatest label, if labels of these bounds are class indices."""
    if low < 0:
        raise ValueError(
            f"a model's labels are class indices from 0 up, these begin at {low:g}: of -1 and 1 "
            "make (labels > 0).long()"
        )
    return int(high)


def placed(model: Model, data: Dataset) -> Dataset:
    """The data on the model's device, if it is a Dataset, with labels that the model can give."""
    data = dataset(data).to(devices.device_of(model) or data.device)
    low, high = bounds(data.labels)
    check_classes(data.labels, low, high, getattr(model, "classes", 0))
    greatest(low, high)
    return data


def check_columns(columns: int, data: Dataset) -> None:
    """Refuse a model with fewer logits than there are labels,
    and warn where it has another number than there are names of classes.
    """
    check_labels(data.labels, data.images, columns)
    if data.classes and len(data.classes) != columns:
        warn(
            f"the model has {columns} logits and the data {len(data.classes)} classes: is class 0 "
            "of the one class 0 of the other?"
        )


def targets(rule: Callable, data: Dataset, classes: int, generator: torch.Generator) -> Tensor:
    """What a rule makes of a copy of the labels: int64 (n,) in 0..classes-1."""
    given = called("a rule", "labels, classes, generator", rule, data.labels.clone(), classes, generator)
    if given is None:
        raise TypeError(
            "a rule must return the new labels; this one returned None: end it with `return labels`"
        )
    try:
        return check_labels(given, data.images, classes)
    except (TypeError, ValueError, RuntimeError) as error:
        name = getattr(rule, "__name__", repr(rule))
        raise type(error)(
            f"the rule {name} must return one class index an image, 0 to {classes - 1}: {error}"
        ) from error
