"""Two useful, non-robust features (Goh 2019), computed on a pair of classes of real images with singular
vectors.

A linear feature is f(x) = a'x / ||a||_Sigma with ||a||_Sigma^2 = a' Sigma a, so that it has variance 1
(section 2).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from featlab.doors import classes_in
from featlab.inputs.checks import between, instance
from featlab.types import Dataset

RIDGE = 1e-2  # of the discriminant analysis: a pixel's variance that it takes for noise


@dataclass(frozen=True, eq=False)
class Pair:
    """Images of two classes as points: x (n, d) centred, y (n,) -1 or +1,
    and their moments Sigma = E[xx'] (d, d), m = E[yx] (d,).
    """

    x: Tensor
    y: Tensor
    centre: Tensor
    sigma: Tensor
    m: Tensor

    @classmethod
    def of(cls, data: Dataset, classes: tuple[int, int], centre: Tensor | None = None) -> "Pair":
        """The images of classes (minus, plus); test images take the centre of the training images."""
        minus, plus = classes_in(data, classes, 2)
        data = data[(data.labels == minus) | (data.labels == plus)]
        x, y = data.pixels.flatten(1).double(), 2.0 * (data.labels == plus).double() - 1
        centre = x.mean(0) if centre is None else centre
        x = x - centre
        return cls(x, y, centre, x.T @ x / len(x), (y[:, None] * x).mean(0))

    @cached_property
    def precision(self) -> Tensor:
        """(Sigma_within + RIDGE)^-1, by which linear discriminant analysis weighs directions: (d, d)"""
        within = self.sigma - torch.outer(self.m, self.m)
        return torch.linalg.inv(within + RIDGE * torch.eye(len(self.m), dtype=within.dtype))


def direction(a: Tensor, pair: Pair, zero: bool = True) -> Tensor:
    """Directions (..., d) in float64, as long as the pair's points; not of length 0 if `zero` is False."""
    shape = tuple(instance(a, Tensor, "a direction must be a tensor (..., d)").shape)
    if shape[-1:] != pair.m.shape:
        raise ValueError(
            f"a direction has {len(pair.m)} numbers, one a pixel, got shape {shape}: flatten images"
        )
    if not zero and not bool(a.any(-1).all()):
        raise ValueError("a direction that is 0 in every pixel leads nowhere: give one with a length above 0")
    return a.double()


def deviation(a: Tensor, pair: Pair) -> Tensor:
    """||a||_Sigma, the standard deviation of a'x: (..., d) -> (...)"""
    a = direction(a, pair)
    return ((a @ pair.sigma) * a).sum(-1).clamp_min(1e-24).sqrt()


def pair_usefulness(a: Tensor, pair: Pair, eps: float = 0.0) -> Tensor:
    """The robust usefulness of f(x) = a'x / ||a||_Sigma in the l2 ball, in closed form: directions (..., d)
    -> (...).

    gamma = E[min over ||delta||_2 <= eps of y f(x + delta)] = rho - eps ||a||_2 / ||a||_Sigma,  rho = E[y
                                                                                                 f(x)] at eps
                                                                                                 = 0
    """
    a, eps = direction(a, pair), between(eps, "eps")
    return (a @ pair.m - eps * a.norm(dim=-1)) / deviation(a, pair)


def breaking_radius(a: Tensor, pair: Pair) -> Tensor:
    """The l2 radius at which gamma falls to 0: E[y a'x] / ||a||_2, how far the class moves an image along a.

    (..., d) -> (...)
    """
    a = direction(a, pair, zero=False)
    return (a @ pair.m) / a.norm(dim=-1)


def singular(pair: Pair) -> Tensor:
    """The singular vectors of the images, by falling standard deviation,
    each with the sign that makes it useful: (d, d), one per row.
    """
    vectors = torch.linalg.eigh(pair.sigma).eigenvectors.T.flip(0)
    return vectors * torch.where(vectors @ pair.m < 0, -1.0, 1.0)[:, None]


def ensemble(features: Tensor, pair: Pair, eps: float) -> Tensor:
    """The sum of all features (k, d) that are not robustly useful within l2 eps, in pixels of [0, 1], each
    with its sign, (d,): sum_i sign(E[y a_i'x]) a_i over gamma_i <= 0.
    """
    return features[pair_usefulness(features, pair, eps) <= 0].sum(0)


def useless(features: Tensor, pair: Pair) -> Tensor:
    """A direction (d,) along which images hardly vary and that says nothing about y:
    from the last tenth of the features (k, d), without their m.
    """
    quiet = features[deviation(features, pair) > 1e-3]
    tail = quiet[-len(quiet) // 10 :]
    a, m = tail.sum(0), tail.T @ (tail @ pair.m)
    return a - m * (a @ m) / (m @ m).clamp_min(1e-24)


def containment(robust: Tensor, useless: Tensor, pair: Pair, alpha: float) -> Tensor:
    """(1 - alpha) a_nonrobust + alpha a_robust, both (d,) of standard deviation 1: a robust,
    useful part inside a non-robust feature, (d,).
    """
    alpha = between(alpha, "alpha", 0, 1)
    return (1 - alpha) * useless / deviation(useless, pair) + alpha * robust / deviation(robust, pair)


def right(a: Tensor, pair: Pair) -> float:
    """The share of points on the right side of a'x = 0, for a direction a (d,)."""
    return ((pair.x @ direction(a, pair)) * pair.y > 0).double().mean().item()


def student_of_det(a: Tensor, pair: Pair, eps: float) -> Tensor:
    """What a linear model learns from D_det made with the feature a alone: its direction, (d,).

    Every x is moved by eps (l2, in pixels of [0, 1]) towards the other class along a, x' = x + eps t a /
    ||a||_2 with t = -y, and labelled t. Then E[t x'] = -m + eps a / ||a||_2, and linear discriminant analysis
    gives (Sigma_within + ridge)^-1 E[t x'].
    """
    a, eps = direction(a, pair, zero=False), between(eps, "eps", 0)
    return pair.precision @ (-pair.m + eps * a / a.norm())
