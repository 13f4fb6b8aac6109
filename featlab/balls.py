"""The balls Delta(x) of section 2: each knows its norm, how to project onto itself, its steepest direction,
and the size of the box.

All radii are in pixels of [0, 1].
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from featlab.inputs.checks import real

TINY = 1e-12


def per_image(v: Tensor, like: Tensor) -> Tensor:
    """One number for each image, v (n,), so that it multiplies `like` (n, ...): (n, 1, ...)."""
    return v.view(-1, *[1] * (like.ndim - 1))


def _scale(gradient: Tensor) -> Tensor:
    """A power of two for each image (n,) that brings its largest entry near 1:
    a float has no place for the square of 1e-30.
    """
    _, exponent = torch.frexp(gradient.flatten(1).abs().amax(1))
    return torch.exp2(-exponent.clamp(-126, 126).to(gradient.dtype))


def check_inside(length: float, size: float, of: "Ball | str") -> None:
    """Refuse a length, finite, beyond the size of the box [0, 1]^d:
    it must have been meant in units of 0..255.
    """
    if size < length < math.inf:
        raise ValueError(
            f"{of} reaches beyond the box: pixels lie in [0, 1], so no two images are further "
            f"apart than {size:.4g}. "
            f"If it was meant for pixels 0..255, divide by 255: {length:g} / 255"
        )


@dataclass(frozen=True)
class Ball(ABC):
    """All perturbations delta with norm at most eps; eps = inf leaves only the box [0, 1].

    Another ball is a class with these four methods; every attack then works in it.
    """

    eps: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "eps", real(self.eps, "eps"))
        if not self.eps >= 0:
            raise ValueError(f"eps must be at least 0 (pixels in [0, 1]), got {self.eps}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.eps:.12g})"

    def size(self, like: Tensor | None = None) -> float:
        """The greatest distance of two images shaped like `like` (n, ...):
        a longer radius was meant for 0..255. Infinite if unknown.
        """
        return math.inf

    @staticmethod
    @abstractmethod
    def norm(delta: Tensor) -> Tensor:
        """The length of each perturbation: (n, ...) -> (n,)"""

    @abstractmethod
    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the ball, image by image: (n, ...) -> (n, ...)"""

    @abstractmethod
    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of norm 1 along which a linear function with this gradient grows fastest:
        (n, ...) -> (n, ...)
        """

    @abstractmethod
    def sample(self, like: Tensor) -> Tensor:
        """Uniform draws from the ball, shaped like `like` (n, ...)"""


class L2(Ball):
    """The Euclidean ball: ||delta||_2 <= eps over all pixels of an image.

    eps in pixels of [0, 1]; one below 0 is refused with a ValueError, a text with a TypeError.
    """

    def size(self, like: Tensor | None = None) -> float:
        """The greatest l2 distance of two images shaped like these (n, ...): the root of the number of
        pixels.
        """
        return math.inf if like is None else math.sqrt(like[0].numel())

    @staticmethod
    def norm(delta: Tensor) -> Tensor:
        """(n, ...) -> (n,)"""
        return delta.flatten(1).norm(dim=1)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the ball, image by image: (n, ...) -> (n, ...)"""
        if math.isinf(self.eps):
            return delta
        return delta * per_image((self.eps / self.norm(delta).clamp_min(TINY)).clamp_max(1), delta)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of norm 1 along which a linear function with this gradient grows fastest, (n, ...) ->
        (n, ...); 0 where the gradient is 0.
        """
        gradient = gradient * per_image(_scale(gradient), gradient)
        return gradient / per_image(self.norm(gradient).clamp_min(TINY), gradient)

    def sample(self, like: Tensor) -> Tensor:
        """Uniform draws from the ball, shaped like `like` (n, ...)."""
        radius = self.eps * torch.rand(len(like), device=like.device) ** (1 / like[0].numel())
        return self.steepest(torch.randn_like(like)) * per_image(radius, like)


class Linf(Ball):
    """The cube: |delta_i| <= eps for every pixel i.

    eps in pixels of [0, 1]; one below 0 is refused with a ValueError, a text with a TypeError, and where it
    is used one above 1 and finite, with a ValueError.
    """

    def size(self, like: Tensor | None = None) -> float:
        """The greatest change of a pixel, 1, whatever the images (n, ...)."""
        return 1.0

    @staticmethod
    def norm(delta: Tensor) -> Tensor:
        """(n, ...) -> (n,)"""
        return delta.flatten(1).abs().amax(1)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the cube, pixel by pixel: (n, ...) -> (n, ...)"""
        return delta.clamp(-self.eps, self.eps)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The signs, of norm 1: along them a linear function with this gradient grows fastest; (n, ...) ->
        (n, ...)
        """
        return gradient.sign()

    def sample(self, like: Tensor) -> Tensor:
        """Uniform draws from the cube, shaped like `like` (n, ...)."""
        return (2 * torch.rand_like(like) - 1) * self.eps
