"""Classifiers: pixels in [0, 1] in, logits out; the representation g(x) and the linear head (w, b) of section 2 apart."""

import torch
from torch import Tensor, nn

from featlab.types import pixels


class Classifier(nn.Module):
    """C = (F, w, b) of section 2: a body computes the features g(x), the head is linear in them.

    The first layer standardises, so that every other function, and every eps, speaks of pixels in [0, 1].

    body     module (n, c, h, w) -> (n, d)
    width    d, the number of features
    channels c, colour channels of the images
    classes  k, the number of logits
    """

    def __init__(self, body: nn.Module, width: int, *, channels: int, classes: int):
        super().__init__()
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
        return self.body((pixels(x) - self.mean) / self.std)

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


class Pool(nn.Module):
    """The mean over all positions: (n, c, h, w) -> (n, c).

    Same numbers as AdaptiveAvgPool2d(1), but its gradient keeps the channels-last layout; a change of layout made the ReLU before it ten
    times slower in the backward pass on a CPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1).flatten(1, 2).mean(1)


def cnn(*, channels: int = 1, classes: int = 10, width: int = 16) -> Classifier:
    """Four convolutions of width, 2 width, 4 width, 4 width channels, average-pooled: for the laptop, any image size from 8x8."""
    sizes = [(channels, width, 2), (width, 2 * width, 1), (2 * width, 4 * width, 2), (4 * width, 4 * width, 1)]
    layers = [
        layer
        for c_in, c_out, stride in sizes
        for layer in (nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())
    ]
    return Classifier(nn.Sequential(*layers, Pool()), 4 * width, channels=channels, classes=classes)


def resnet(depth: int, *, channels: int, classes: int) -> Classifier:
    """torchvision's ResNet with the stem for 32x32 images: a 3x3 convolution of stride 1, no max-pooling."""
    from torchvision import models

    body = getattr(models, f"resnet{depth}")()
    width = body.fc.in_features
    body.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    body.maxpool, body.fc = nn.Identity(), nn.Identity()
    return Classifier(body, width, channels=channels, classes=classes)


def resnet18(*, channels: int = 3, classes: int = 10) -> Classifier:
    """ResNet-18 for 32x32 images."""
    return resnet(18, channels=channels, classes=classes)


def resnet50(*, channels: int = 3, classes: int = 10) -> Classifier:
    """ResNet-50 for 32x32 images, the paper's architecture (appendix C)."""
    return resnet(50, channels=channels, classes=classes)


MODELS = {"cnn": cnn, "resnet18": resnet18, "resnet50": resnet50}


def build(name: str, **sizes: int) -> Classifier:
    """A fresh model by name: build("resnet18", channels=3, classes=10)."""
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join(MODELS)}")
    return MODELS[name](**sizes)
