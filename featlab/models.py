"""Classifiers: pixels in [0, 1] in, logits out; the representation g(x) and the linear head (w, b) of section 2 apart."""

import torch
from torch import Tensor, nn

from featlab.architectures import BODIES
from featlab.types import Dataset, pixels


class Classifier(nn.Module):
    """C = (F, w, b) of section 2: a body computes the features g(x), the head is linear in them.

    The first layer standardises, so that every other function, and every eps, speaks of pixels in [0, 1].

    body     module (n, c, h, w) -> (n, d)
    width    d, the number of features
    channels c, colour channels of the images
    classes  k, the number of logits
    size     height and width of the images, None if any will do
    """

    def __init__(self, body: nn.Module, width: int, *, channels: int, classes: int, size: int | None = None):
        super().__init__()
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
        """Let the first layer subtract the mean and divide by the standard deviation of these images, a channel."""
        x = pixels(images).transpose(0, 1).flatten(1)  # (c, n * h * w)
        self.mean.copy_(x.mean(1).view(-1, 1, 1))
        self.std.copy_(x.std(1).clamp_min(1e-3).view(-1, 1, 1))

    def represent(self, x: Tensor) -> Tensor:
        """The penultimate representation g(x): (n, c, h, w) pixels -> (n, d). Its coordinates are the features F_C of section 2."""
        wanted = (self.channels, self.size or x.shape[-2], self.size or x.shape[-1])
        if x.ndim != 4 or x.shape[1:] != wanted:
            raise ValueError(
                f"the model takes images (n, c, h, w) with c, h, w = {wanted}, got {tuple(x.shape)}: build it with channels=, size="
            )
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
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
    model.to(where)


def cnn(*, channels: int = 1, classes: int = 10, size: int = 28, width: int = 16, features: int = 0) -> Classifier:
    """Four 3x3 convolutions of width, 2 width, 4 width, 4 width channels, two of them of stride 2, for size x size images: for the laptop.

    The representation is the last convolution's output, unpooled: 4 width channels at each of (size / 4)^2 places; or, with `features`, as
    many ELU units that each see all of it: few enough to look at one by one, and without a ReLU's flat half, where no gradient leads out.
    """
    sizes = [(channels, width, 2), (width, 2 * width, 1), (2 * width, 4 * width, 2), (4 * width, 4 * width, 1)]
    layers = [
        layer
        for c_in, c_out, stride in sizes
        for layer in (nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())
    ]
    places = (-(-size // 4)) ** 2
    body, units = [*layers, nn.Flatten()], 4 * width * places
    if features:
        body, units = [*body, nn.Linear(units, features), nn.ELU()], features
    return Classifier(nn.Sequential(*body), units, channels=channels, classes=classes, size=size)


def cnn64(*, channels: int = 1, classes: int = 10, size: int = 28) -> Classifier:
    """A narrow `cnn` with 64 penultimate units, to look at each of them (notebook 01)."""
    return cnn(channels=channels, classes=classes, size=size, width=8, features=64)


def built(name: str, *, channels: int, classes: int, size: int | None = None) -> Classifier:
    """A fresh classifier on one of the bodies of featlab.architectures."""
    body, width = BODIES[name](channels, size)
    return Classifier(body, width, channels=channels, classes=classes, size=size)


def resnet18(*, channels: int = 3, classes: int = 10) -> Classifier:
    """torchvision's ResNet-18 with the stem for 32x32 images: a 3x3 convolution of stride 1, no max-pooling."""
    return built("resnet18", channels=channels, classes=classes)


def resnet50(*, channels: int = 3, classes: int = 10) -> Classifier:
    """ResNet-50 for 32x32 images, the paper's architecture (appendix C)."""
    return built("resnet50", channels=channels, classes=classes)


SMALL = {"cnn": cnn, "cnn64": cnn64}


def build(name: str, data: Dataset) -> Classifier:
    """A fresh model by name, for the images and classes of a dataset: "cnn", "cnn64", or one of featlab.architectures."""
    shape = {"channels": data.images.shape[1], "classes": data.num_classes, "size": data.images.shape[-1]}
    if name in SMALL:
        return SMALL[name](**shape)
    if name not in BODIES:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join([*SMALL, *BODIES])}")
    return built(name, **shape)
