"""The types that everything between two arrows has: a Dataset, a Model (a Classifier, say), an Attack,
a number.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from featlab.engine import devices
from featlab.inputs import arrays, bitmaps
from featlab.inputs.checks import instance


@runtime_checkable
class Model(Protocol):
    """What can be attacked and measured: a module, or any function.

    A model may say its number of `classes`, which labels are then held against.
    """

    def __call__(self, x: Tensor, /) -> Tensor:
        """Pixels (n, c, h, w) in [0, 1] -> logits (n, k)."""


@runtime_checkable
class Representing(Protocol):
    """A model whose representation can be matched and looked at (sections 2 and 3.1)."""

    def represent(self, x: Tensor, /) -> Tensor:
        """Pixels (n, c, h, w) in [0, 1] -> g(x), (n, d)."""


@runtime_checkable
class Attack(Protocol):
    """What changes images so that a model errs, such as PGD, or any function.

    An attack may say more of itself, and is then held to it: the `ball` that it stays in, that it is
    `targeted`, that it `leaves_the_box` [0, 1]. `unchecked` is the attack without its first looks.

    What leaves [0, 1], its ball or the number of images is refused with a ValueError where it is used.
    """

    def __call__(self, model: Model, x: Tensor, y: Tensor, /) -> Tensor:
        """x (n, c, h, w) pixels, y (n,) labels, or targets of a targeted attack -> x' (n, c, h, w)."""


def pixels(images: Tensor) -> Tensor:
    """Images (n, c, h, w) as float pixels in [0, 1]: uint8 is divided by 255, floats pass unchanged."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def check_images(images: object) -> Tensor:
    """Return images as a tensor if they are (n, c, h, w), not empty, and uint8 or floats in [0, 1].

    Floats that a rounding led beyond are clamped. Else say what is wrong and what to do.
    """
    images = formed(images)
    if images.dtype == torch.uint8:
        return images
    return bitmaps.check_range(images, *bitmaps.bounds(images))


def formed(images: object) -> Tensor:
    """Images as a tensor (n, c, h, w) of uint8 or floats, whatever their values."""
    images = arrays.tensor_of(images, "images")
    bitmaps.check_shape(images)
    bitmaps.check_type(images)
    return images


def check_labels(labels: object, images: Tensor, classes: int = 0) -> Tensor:
    """Return labels as int64 (n,) on the images' device; a column (n, 1) and one-hot rows (n, k) become such.

    There must be one label per image and, where `classes` is given, each must lie in 0..classes-1.
    """
    labels = label_numbers(labels, images, classes)
    low, high = bitmaps.bounds(labels)
    check_classes(labels, low, high, classes)
    return labels


def label_numbers(labels: object, images: Tensor, classes: int = 0) -> Tensor:
    """Labels as int64 (n,) on the images' device, whatever their values."""
    labels = arrays.tensor_of(labels, "labels").to(images.device)
    if classes and labels.ndim == 2 and labels.shape[1] not in (1, classes):
        held = f"{classes} classes, labels of shape {tuple(labels.shape)}"
        raise ValueError(f"one-hot labels must have a column a class: {held}")
    labels = arrays.one_each(labels, len(images))
    if labels.is_floating_point() and not bool(((labels == labels.round()) & (labels.abs() < 2**31)).all()):
        raise TypeError("labels must be whole numbers, one class index an image")
    return labels.long()


def check_classes(labels: Tensor, low: float, high: float, classes: int = 0) -> None:
    """Refuse labels (n,) of these bounds that are neither class indices, below `classes` where that is given,
    nor -1 and 1, with a ValueError.
    """
    low, high = int(low), int(high)
    if classes and not (low >= 0 and high < classes):
        way = ": use labels - 1 if they count from 1" if (low, high) == (1, classes) else ""
        allowed = f"0..{classes - 1} for {classes} classes"
        raise ValueError(f"labels must lie in {allowed}, these range over {low}..{high}{way}")
    if low < 0 and not set(labels.unique().tolist()) <= {-1, 1}:
        raise ValueError(
            f"labels must be class indices from 0 up, or all -1 / +1; these range over {low}..{high}"
        )


def _check_report(report: Mapping[str, object], n: int) -> dict[str, Tensor]:
    """The columns of a report as tensors (n,)."""
    instance(report, Mapping, "a report must be a dict {name: one value per image}")
    columns = {name: arrays.tensor_of(column, f"report[{name!r}]") for name, column in report.items()}
    for name, column in columns.items():
        if column.shape[:1] != (n,):
            shape = tuple(column.shape)
            raise ValueError(f"a report holds one value for each of {n} images, {name!r} has shape {shape}")
    return columns


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images: two tensors on one device.

    images   (n, c, h, w)  uint8 0..255 at rest, or float pixels in [0, 1]
    labels   (n,)          int64 class indices (or -1 / +1 for the binary definitions of section 2)
    classes  names of the classes, in the order of their indices; may be empty
    report   what a construction achieved, one tensor (n,) a quantity: see featlab.constructed

    Arrays and lists become tensors, a column of labels (n, 1) or one-hot rows (n, k) become (n,), and text
    labels the indices of their classes. Images of other axes or values are refused; `from_arrays` takes more
    of them.
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...] = ()
    report: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        images = check_images(self.images)
        labels, classes = arrays.numbered(self.labels, self.classes)
        bitmaps.warn_of_night(images)
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", check_labels(labels, images, len(classes)))
        object.__setattr__(self, "classes", classes)
        object.__setattr__(self, "report", _check_report(self.report, len(images)))

    @classmethod
    def from_arrays(cls, images: object, labels: object, classes: Iterable[str] = ()) -> "Dataset":
        """A dataset of arrays, tensors or lists as other libraries hold them, where it is clear what they
        mean.

        images   (n, h, w) grey; (n, h, w, c) and MATLAB's (h, w, c, n); booleans, true is white; integers
                 0..255; floats that are whole numbers up to 255. What Dataset takes passes unchanged.
        labels   indices; a column (n, 1); one-hot rows (n, k); texts
        classes  their names in order; for text labels by default their own, sorted
        """
        labels, names = arrays.numbered(labels, classes)
        labels = arrays.tensor_of(labels, "labels")
        return cls(bitmaps.images_of(images, len(labels) if labels.ndim else 1), labels, names)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: object) -> "Dataset":
        """A part of the dataset: a slice, a mask, or a tensor, array or list of places.

        One place gives one image.
        """
        index = arrays.places(index, len(self))
        if isinstance(index, Tensor):
            index = index.to(self.device)
        report = {name: column[index] for name, column in self.report.items()}
        return replace(self, images=self.images[index], labels=self.labels[index], report=report)

    def __repr__(self) -> str:
        n, c, h, w = self.images.shape
        achieved = "".join(f", {name} {column.float().mean():.3g}" for name, column in self.report.items())
        return f"Dataset({n:,} images {c}x{h}x{w}, {self.num_classes} classes{achieved})"

    @property
    def pixels(self) -> Tensor:
        """All images as float pixels in [0, 1], (n, c, h, w)."""
        return pixels(self.images)

    @property
    def num_classes(self) -> int:
        return len(self.classes) or int(self.labels.max()) + 1

    @property
    def device(self) -> torch.device:
        return self.images.device

    @cached_property
    def fingerprint(self) -> str:
        """Twelve letters that follow from images, labels and names of classes:
        what is made of them is named by these.
        """
        digest = hashlib.sha256(repr((tuple(self.images.shape), self.images.dtype, self.classes)).encode())
        for tensor in (self.images, self.labels):
            digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return digest.hexdigest()[:12]

    def to(self, device: torch.device | str) -> "Dataset":
        """The same dataset on another device."""
        device = device if self.device == device else devices.usable(device)
        report = {name: column.to(device) for name, column in self.report.items()}
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), report=report)
