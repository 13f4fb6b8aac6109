"""Features linear in the pixels, whose robust usefulness has a closed form."""

from dataclasses import dataclass

import torch
from torch import Tensor

from featlab.attacks import L2, Ball, check_ball
from featlab.doors import dataset
from featlab.features.definitions import standardise, usefulness
from featlab.inputs.checks import between, instance, whole
from featlab.types import Dataset


@dataclass(frozen=True, eq=False)
class Linear:
    """k features linear in the pixels, f(x) = a . x: directions a (k, c, h, w)."""

    directions: Tensor

    def __post_init__(self) -> None:
        instance(self.directions, Tensor, "the directions of linear features must be a tensor (k, c, h, w)")

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, k)"""
        if images.shape[1:].numel() != self.directions.shape[1:].numel():
            seen, wanted = tuple(images.shape), tuple(self.directions.shape[1:])
            raise ValueError(f"these features are of images {wanted}, got {seen}: take images of that size")
        return images.flatten(1) @ self.directions.to(images).flatten(1).T


def pixel(row: int, column: int, like: Tensor) -> Linear:
    """The simplest feature: one pixel (of the first channel) of images shaped like `like` (n, c, h, w)."""
    instance(like, Tensor, "the images that the feature is for must be a tensor (n, c, h, w)")
    for name, at, side in (("row", row, like.shape[-2]), ("column", column, like.shape[-1])):
        between(whole(at, name), name, 0, side - 1)
    direction = torch.zeros_like(like[:1], dtype=torch.float32)
    direction[0, 0, row, column] = 1
    return Linear(direction)


def principal_components(data: Dataset, k: int) -> Linear:
    """The k directions of unit length along which the images vary most, in decreasing order."""
    x = dataset(data).pixels.flatten(1).double()
    k = int(between(whole(k, "k"), "k", 1, x.shape[1]))
    _, vectors = torch.linalg.eigh(torch.cov(x.T))
    directions = vectors.flip(1)[:, :k].T.float()
    return Linear(directions.reshape(k, *data.images.shape[1:]))


def check_linear(feature: object) -> None:
    """Refuse what is not Linear."""
    instance(feature, Linear, "the feature must be Linear(directions), whose directions are known")


def closed_form(feature: Linear, data: Dataset, ball: Ball, *, balanced: bool = False) -> Tensor:
    """gamma of linear features exactly (k,), if perturbed images may leave the box [0, 1].

    gamma = rho - eps ||a||_q / s,   1/p + 1/q = 1,   s the standard deviation of a . x under D
    """
    check_linear(feature)
    check_ball(ball)
    rho, s = usefulness(feature, data, balanced=balanced), standardise(feature, data, balanced=balanced).std
    dual = feature.directions.flatten(1).double().norm(p=2 if isinstance(ball, L2) else 1, dim=1)
    return rho.value - ball.eps * dual / s


def mixture(features: Linear, shares: Tensor, data: Dataset) -> Linear:
    """One linear feature with these shares (k,) of k others,
    each divided by its standard deviation under D first.
    """
    check_linear(features)
    s = standardise(features, data).std
    if instance(shares, Tensor, "shares must be a tensor (k,), one number a feature").shape != s.shape:
        raise ValueError(
            f"there must be a share for each of {len(s)} features, got shape {tuple(shares.shape)}"
        )
    return Linear(
        torch.einsum("k,k...->...", (shares.double() / s), features.directions.double())[None].float()
    )
