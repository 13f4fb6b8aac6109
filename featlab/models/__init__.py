"""Classifiers: pixels in [0, 1] in, logits out; the representation g(x) and
the linear head (w, b) of section 2 apart.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from featlab.doors import dataset
from featlab.inputs.checks import Size, instance, known, sides, whole
from featlab.models.architectures import BODIES
from featlab.types import Dataset, pixels


def counts(**given: object) -> list[int]:
    """Whole numbers from 1 up, as many as are given by name."""
    return [whole(value, name, least=1) for name, value in given.items()]


class Classifier(nn.Module):
    """C = (F, w, b) of section 2: a body computes the features g(x), the head is linear in them.

    The first layer standardises, so that every other function, and every eps, speaks of pixels in [0, 1].

    body     module (n, c, h, w) -> (n, d)
    width    d, the number of features
    channels c, colour channels of the images
    classes  k, the number of logits
    size     of the images, the side of a square or (height, width); None if any will do

    Numbers below 1 are refused with a ValueError, a body that is no module with a TypeError, images of other
    channels or another size, when it is called, with a ValueError.
    """

    mean: Tensor  # (c, 1, 1), and so is std
    std: Tensor
    trained: Tensor  # a single bool

    def __init__(self, body: nn.Module, width: int, *, channels: int, classes: int, size: Size | None = None):
        super().__init__()
        instance(body, nn.Module, "the body must be a torch.nn.Module: (n, c, h, w) -> (n, d)")
        width, channels, classes = counts(width=width, channels=channels, classes=classes)
        if size is not None:
            sides(size)
        self.size = size
        self.body, self.head = body, nn.Linear(width, classes)
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))
        self.register_buffer("trained", torch.tensor(False))

    @property
    def channels(self) -> int:
        return self.mean.shape[0]

    @property
    def classes(self) -> int:
        return self.head.out_features

    def standardise(self, images: Tensor) -> None:
        """Let the first layer subtract the mean and divide by the standard deviation of images (n, c, h, w),
        for each channel.
        """
        self._check(images)
        x = pixels(images).transpose(0, 1).flatten(1)  # (c, n * h * w)
        self.mean.copy_(x.mean(1).view(-1, 1, 1))
        self.std.copy_(x.std(1).clamp_min(1e-3).view(-1, 1, 1))

    def _check(self, x: object) -> None:
        """Refuse what are not images of the model's channels and size."""
        x = instance(x, Tensor, "the model takes images as a tensor (n, c, h, w) of pixels")
        wanted = (self.channels, *(sides(self.size) if self.size else x.shape[-2:] if x.ndim == 4 else "hw"))
        if x.ndim != 4 or x.shape[1:] != wanted:
            fitting = (
                f"channels={x.shape[1]}, size={tuple(x.shape[2:])}" if x.ndim == 4 else "channels=, size="
            )
            raise ValueError(
                f"the model takes images (n, c, h, w) with c, h, w = {wanted}, got "
                f"{tuple(x.shape)}: build it with {fitting}"
            )

    def represent(self, x: Tensor) -> Tensor:
        """The penultimate representation g(x): (n, c, h, w) pixels -> (n, d).

        Its coordinates are the features F_C of section 2.
        """
        self._check(x)
        return self.body((pixels(x).to(self.mean.dtype) - self.mean) / self.std)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.represent(x))


def initialise(model: nn.Module, seed: int) -> None:
    """Draw all weights anew from `seed`, leaving the global random state alone."""
    where = next(model.parameters()).device
    model.cpu()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for part in model.modules():
            if reset := getattr(part, "reset_parameters", None):
                reset()
    model.to(where)


def cnn(
    *, channels: int = 1, classes: int = 10, size: Size = 28, width: int = 16, features: int = 0
) -> Classifier:
    """Four 3x3 convolutions of width, 2 width, 4 width, 4 width channels, two of them of stride 2: for the
    laptop.

    size  of the images, the side of a square or (height, width)

    The representation is the last convolution's output, unpooled: 4 width channels at each of h / 4 x w / 4
    places; or, with `features`, as many ELU units that each see all of it: few enough to look at one by one,
    and without a ReLU's flat half, where no gradient leads out.

    Numbers below 1 are refused with a ValueError.
    """
    channels, classes, width = counts(channels=channels, classes=classes, width=width)
    features, (height, breadth) = whole(features, "features"), sides(size)
    sizes = [
        (channels, width, 2),
        (width, 2 * width, 1),
        (2 * width, 4 * width, 2),
        (4 * width, 4 * width, 1),
    ]
    layers: list[nn.Module] = [
        layer
        for c_in, c_out, stride in sizes
        for layer in (
            nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
        )
    ]
    places = -(-height // 4) * -(-breadth // 4)
    body, units = [*layers, nn.Flatten()], 4 * width * places
    if features:
        body, units = [*body, nn.Linear(units, features), nn.ELU()], features
    return Classifier(nn.Sequential(*body), units, channels=channels, classes=classes, size=size)


def cnn64(*, channels: int = 1, classes: int = 10, size: Size = 28) -> Classifier:
    """A narrow `cnn` with 64 penultimate units, to look at each of them (notebook 01)."""
    return cnn(channels=channels, classes=classes, size=size, width=8, features=64)


def built(name: str, *, channels: int, classes: int, size: Size | None = None) -> Classifier:
    """A fresh classifier on one of the bodies of featlab.models.architectures."""
    channels, classes = counts(channels=channels, classes=classes)
    body, width = BODIES[name](channels, size)
    return Classifier(body, width, channels=channels, classes=classes, size=size)


def resnet18(*, channels: int = 3, classes: int = 10) -> Classifier:
    """torchvision's ResNet-18 with the stem for 32x32 images: a 3x3 convolution of stride 1,
    no max-pooling.

    Numbers below 1 are refused with a ValueError.
    """
    return built("resnet18", channels=channels, classes=classes)


def resnet50(*, channels: int = 3, classes: int = 10) -> Classifier:
    """ResNet-50 for 32x32 images, the paper's architecture (appendix C).

    Numbers below 1 are refused with a ValueError.
    """
    return built("resnet50", channels=channels, classes=classes)


_SMALL: dict[str, Callable[..., Classifier]] = {"cnn": cnn, "cnn64": cnn64}


def build(name: str, data: Dataset) -> Classifier:
    """A fresh model by name, for the images and classes of a dataset: "cnn", "cnn64",
    or one of featlab.models.architectures.
    """
    known(name, [*_SMALL, *BODIES], "model")
    _, channels, height, width = dataset(data).images.shape
    size = height if height == width else (height, width)
    make = _SMALL.get(name) or partial(built, name)
    return make(channels=channels, classes=data.num_classes, size=size)
