"""The types that everything between two arrows has: a Dataset, a Classifier (in models), an Attack, a number."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

# (model, x, y) -> x': model maps pixels (n, c, h, w) in [0, 1] to logits (n, k); y are labels, or targets of a targeted attack.
Attack = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]

_trusted: ContextVar[bool] = ContextVar("trusted", default=False)


@contextmanager
def trusting() -> Iterator[None]:
    """Within this block the values of images and labels are not looked at: they were at the door, and on a GPU each look waits for it."""
    token = _trusted.set(True)
    try:
        yield
    finally:
        _trusted.reset(token)


def pixels(images: Tensor) -> Tensor:
    """Images as float pixels in [0, 1]: uint8 is divided by 255, floats pass unchanged."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


def check_images(images: Tensor) -> Tensor:
    """Return `images` if they are (n, c, h, w), not empty, and uint8 or finite floats in [0, 1]; else say what is wrong and what to do."""
    if not isinstance(images, Tensor):
        raise TypeError(f"images must be a torch tensor, got {type(images).__name__}: use torch.as_tensor(images)")
    if images.ndim != 4:
        raise ValueError(
            f"images must have shape (n, channels, height, width), got {tuple(images.shape)}: "
            "use images[None] for one image, images[:, None] for grey images without a channel axis"
        )
    if not images.numel():
        raise ValueError(f"there are no images: shape {tuple(images.shape)}")
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise TypeError(
            f"images must be uint8 (0 to 255) or float (0 to 1), got {images.dtype}: convert with .to(torch.uint8) or .float() / 255"
        )
    if _trusted.get():
        return images
    low, high = (bound.item() for bound in images.detach().aminmax())
    if not (low >= 0 and high <= 1):  # a NaN fails both comparisons
        raise ValueError(
            f"pixels must lie in [0, 1] and be finite, these range over [{low:.3g}, {high:.3g}]: "
            "divide 0..255 pixels by 255, undo any standardisation (the model standardises itself)"
        )
    return images


def check_labels(labels: Tensor, images: Tensor, classes: int = 0) -> Tensor:
    """Return `labels` as int64 (n,) if there is one an image and, where `classes` is given, each lies in 0..classes-1."""
    labels = torch.as_tensor(labels, device=images.device)
    if labels.ndim != 1 or len(labels) != len(images):
        raise ValueError(f"there must be one label an image: {len(images)} images, labels of shape {tuple(labels.shape)}")
    if _trusted.get():
        return labels.long()
    if labels.is_floating_point() and not bool((labels == labels.round()).all()):
        raise TypeError("labels must be whole numbers, one class index an image")
    labels = labels.long()
    low, high = labels.min().item(), labels.max().item()
    if classes and not (low >= 0 and high < classes):
        raise ValueError(f"labels must lie in 0..{classes - 1} for {classes} classes, these range over {low}..{high}")
    if low < 0 and not set(labels.unique().tolist()) <= {-1, 1}:
        raise ValueError(f"labels must be class indices from 0 up, or all -1 / +1; these range over {low}..{high}")
    return labels


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images: two tensors on one device.

    images   (n, c, h, w)  uint8 0..255 at rest, or float pixels in [0, 1]
    labels   (n,)          int64 class indices (or -1 / +1 for the binary definitions of section 2)
    classes  names of the classes, in the order of their indices; may be empty
    report   what a construction achieved, one tensor (n,) a quantity: see featlab.constructed
    """

    images: Tensor
    labels: Tensor
    classes: tuple[str, ...] = ()
    report: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self):
        check_images(self.images)
        object.__setattr__(self, "labels", check_labels(self.labels, self.images, len(self.classes)))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index) -> "Dataset":
        """A part of the dataset: a slice, a mask or a tensor of indices. One integer gives a dataset of one image."""
        if isinstance(index, int):
            if not -len(self) <= index < len(self):  # also what ends `for image in dataset`
                raise IndexError(f"there is no image {index}: the dataset has {len(self)}")
            index = slice(index, index + 1 or None)
        report = {name: column[index] for name, column in self.report.items()}
        return replace(self, images=self.images[index], labels=self.labels[index], report=report)

    def __repr__(self) -> str:
        n, c, h, w = self.images.shape
        achieved = "".join(f", {name} {column.float().mean():.3g}" for name, column in self.report.items())
        return f"Dataset({n:,} images {c}x{h}x{w}, {self.num_classes} classes{achieved})"

    @property
    def pixels(self) -> Tensor:
        """All images as float pixels in [0, 1]."""
        return pixels(self.images)

    @property
    def num_classes(self) -> int:
        return len(self.classes) or int(self.labels.max()) + 1

    @property
    def device(self) -> torch.device:
        return self.images.device

    def to(self, device) -> "Dataset":
        """The same dataset on another device."""
        report = {name: column.to(device) for name, column in self.report.items()}
        return replace(self, images=self.images.to(device), labels=self.labels.to(device), report=report)
