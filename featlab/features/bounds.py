"""Bounds that hold for certain: how far the units of a small convolutional network can move when an image
does.

The descent of `features.robust_usefulness` may miss the infimum, so its gamma is an upper bound. Here gamma
is bounded from below, by the better of two classical bounds. Both lose a factor a layer, so for a deep
network they soon say nothing; `vacuous` tells when.
"""

import copy
import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from featlab.attacks import L2, Ball, check_ball
from featlab.features.definitions import Standardised, standardise
from featlab.features.measuring import class_weights, estimate, signs, values
from featlab.features.units import Units
from featlab.inputs.checks import Size, instance, sides
from featlab.intervals import Estimate
from featlab.models import Classifier
from featlab.types import Dataset, check_images

Affine = nn.Conv2d | nn.Linear
MONOTONE = (nn.ReLU, nn.ELU, nn.Tanh, nn.Sigmoid)  # increasing, and of slope at most 1


def layers_of(model: Classifier) -> Iterator[nn.Module]:
    """The layers of a plain sequence in float64, each batch-norm folded into the convolution before it."""
    instance(model, Classifier, "bounds are known for a featlab Classifier, such as models.cnn")
    if not isinstance(model.body, nn.Sequential):
        raise TypeError(
            "bounds are known for a plain sequence of layers, not for a "
            f"{type(model.body).__name__}: use models.cnn"
        )
    parts = list(copy.deepcopy(model.body).cpu().double().eval())
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        if isinstance(part, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            yield fuse_conv_bn_eval(part, after)
        elif isinstance(part, (nn.Conv2d, nn.Linear, nn.Flatten, *MONOTONE)):
            yield part
        elif not isinstance(part, nn.BatchNorm2d):
            raise TypeError(f"no bound is known here for a layer {type(part).__name__}: use models.cnn")


def _apply(layer: Affine, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return (
        F.linear(x, weight, bias)
        if isinstance(layer, nn.Linear)
        else F.conv2d(x, weight, bias, layer.stride, layer.padding)
    )


def _dual_norms(layer: Affine, std: Tensor, ball: Ball) -> Tensor:
    """By how much each output of the first layer can move at most, per unit of the ball's radius."""
    if isinstance(layer, nn.Linear):  # its inputs are the pixels, channel by channel
        std = std.repeat_interleave(layer.in_features // len(std))
    scaled = (layer.weight / std.view(1, -1, *[1] * (layer.weight.ndim - 2))).flatten(1)
    return scaled.norm(p=2 if isinstance(ball, L2) else 1, dim=1).view(-1, *[1] * (layer.weight.ndim - 2))


@torch.no_grad()
def intervals(model: Classifier, x: Tensor, ball: Ball) -> tuple[Tensor, Tensor]:
    """Below and above which no unit can get within the ball: x (n, c, h, w) -> low, high (n, k), float64.

    Interval arithmetic: exact in the first layer (the dual norm), then worst case by worst case.
    """
    check_ball(ball)
    layers, x = list(layers_of(model)), check_images(x)
    parts = [
        _intervals(layers, model.mean.double().cpu(), model.std.double().cpu(), part.double().cpu(), ball)
        for part in x.split(256)
    ]
    low, high = (torch.cat(bounds) for bounds in zip(*parts, strict=True))
    return low, high


def _intervals(
    layers: list[nn.Module], mean: Tensor, std: Tensor, x: Tensor, ball: Ball
) -> tuple[Tensor, Tensor]:
    centre = (x - mean) / std
    radius, pixels = (ball.eps / std).expand_as(x), True  # each pixel can move by eps
    for layer in layers:
        if isinstance(layer, Affine):
            centre = _apply(layer, centre, layer.weight, layer.bias)
            radius = (
                ball.eps * _dual_norms(layer, std.flatten(), ball).expand_as(centre)
                if pixels
                else _apply(layer, radius, layer.weight.abs())
            )
            pixels = False
        elif isinstance(layer, nn.Flatten):
            centre, radius = centre.flatten(1), radius.flatten(1)
        else:
            low, high = layer(centre - radius), layer(centre + radius)
            centre, radius, pixels = (low + high) / 2, (high - low) / 2, False
    return centre - radius, centre + radius


@torch.no_grad()
def lipschitz(model: Classifier, size: Size) -> Tensor:
    """A number for each unit (k,) such that it changes by at most that much times ||delta||_2, for images of
    this size.

    The product of the layers' spectral norms, each computed exactly from the layer's matrix, and the last
    layer's row norms.
    """
    layers = list(layers_of(model))
    affine = [layer for layer in layers if isinstance(layer, Affine)]
    shape: tuple[int, ...] = (model.channels, *sides(size))
    product = 1 / model.std.min().item()
    for layer in layers:
        if layer is affine[-1] and isinstance(layer, nn.Linear):
            return product * layer.weight.norm(dim=1)
        if isinstance(layer, Affine):
            matrix, shape = _matrix(layer, shape)
            product *= torch.linalg.eigvalsh(_gram(matrix))[-1].clamp_min(0).sqrt().item() * (1 + 1e-9)
        elif isinstance(layer, nn.Flatten):
            shape = (math.prod(shape),)
    return torch.full((math.prod(shape),), product, dtype=torch.float64)


def _matrix(layer: Affine, shape: tuple[int, ...]) -> tuple[Tensor, tuple[int, ...]]:
    """The matrix of a layer without its bias, (inputs, outputs), and the shape of its output."""
    size, after = (
        math.prod(shape),
        _apply(layer, torch.zeros(1, *shape, dtype=torch.float64), layer.weight).shape[1:],
    )
    matrix = torch.empty(size, math.prod(after), dtype=torch.float64)
    for index in torch.arange(size).split(256):  # a convolution in float64 keeps large copies of its input
        units = F.one_hot(index, size).double().view(-1, *shape)
        matrix[index] = _apply(layer, units, layer.weight).flatten(1)
    return matrix, tuple(after)


def _gram(matrix: Tensor) -> Tensor:
    return matrix.T @ matrix if matrix.shape[1] < matrix.shape[0] else matrix @ matrix.T


def lower_bound(
    model: Classifier,
    data: Dataset,
    ball: Ball,
    *,
    index: Tensor | slice = slice(None),
    balanced: bool = False,
) -> Estimate:
    """Below which gamma of a network's units (k,) cannot lie; with `features.robust_usefulness` on top, gamma
    is bracketed.

    The greater of two bounds: by `intervals`, and by `lipschitz`, rho - L eps / s (for Linf, eps times the
    root of the number of pixels).

    model     a Classifier whose body is a plain sequence, like models.cnn; else a TypeError
    data      labels -1 / +1 or 0 / 1
    ball      L2(eps) or Linf(eps), eps in pixels of [0, 1]
    index     chooses units
    balanced  as for `usefulness`
    """
    check_ball(ball)
    y, f = signs(data), standardise(Units(model, index), data, balanced=balanced)
    low, high = (bound[:, index] for bound in intervals(model, data.pixels, ball))
    worst = torch.where(y[:, None] > 0, low - f.mean, f.mean - high) / f.std
    length = ball.eps if isinstance(ball, L2) else ball.eps * math.sqrt(data.pixels[0].numel())
    clean = y[:, None] * values(f, data.pixels)
    height, width = data.images.shape[-2:]
    reach = lipschitz(model, (height, width))[index] * length / f.std
    w = class_weights(y, balanced)
    by_intervals, by_lipschitz = estimate(worst, w), estimate(clean - reach, w)
    better = by_intervals.value > by_lipschitz.value
    value = torch.where(better, by_intervals.value, by_lipschitz.value)
    return Estimate(value, torch.where(better, by_intervals.error, by_lipschitz.error), len(y))


def vacuous(bound: Estimate, feature: Standardised, data: Dataset) -> Tensor:
    """Whether a lower bound says nothing (k,): it lies lower than the
    feature's greatest size on any image of D, unperturbed.
    """
    return bound.value < -values(feature, data.pixels).abs().amax(0)
