"""Small perturbations: a ball Delta(x), a goal, and the one loop that follows gradients with respect to pixels (section 2).

A ball knows its norm, how to project onto itself and its steepest direction. A goal is a loss an image. `descend` joins them; PGD is
`descend` with the cross-entropy for a goal. All radii and steps are in pixels of [0, 1].
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab import engine
from featlab.types import check_images, check_labels, pixels

TINY = 1e-12


def _per_image(v: Tensor, like: Tensor) -> Tensor:
    return v.view(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class Ball:
    """All perturbations delta with norm at most eps; eps = inf leaves only the box [0, 1]."""

    eps: float

    def __post_init__(self):
        if not self.eps >= 0:
            raise ValueError(f"eps must be at least 0 (pixels in [0, 1]), got {self.eps}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.eps:.12g})"


class L2(Ball):
    """The Euclidean ball: ||delta||_2 <= eps over all pixels of an image."""

    def norm(self, delta: Tensor) -> Tensor:
        """(n, ...) -> (n,)"""
        return delta.flatten(1).norm(dim=1)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the ball, image by image."""
        if math.isinf(self.eps):
            return delta
        return delta * _per_image((self.eps / self.norm(delta).clamp_min(TINY)).clamp_max(1), delta)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The direction of norm 1 along which a linear function with this gradient grows fastest; 0 where the gradient is 0."""
        return gradient / _per_image(self.norm(gradient).clamp_min(TINY), gradient)

    def sample(self, like: Tensor) -> Tensor:
        """Uniform draws from the ball, shaped like `like`."""
        radius = self.eps * torch.rand(len(like), device=like.device) ** (1 / like[0].numel())
        return self.steepest(torch.randn_like(like)) * _per_image(radius, like)


class Linf(Ball):
    """The cube: |delta_i| <= eps for every pixel i."""

    def norm(self, delta: Tensor) -> Tensor:
        """(n, ...) -> (n,)"""
        return delta.flatten(1).abs().amax(1)

    def project(self, delta: Tensor) -> Tensor:
        """The nearest point of the cube."""
        return delta.clamp(-self.eps, self.eps)

    def steepest(self, gradient: Tensor) -> Tensor:
        """The signs: the direction of norm 1 along which a linear function with this gradient grows fastest."""
        return gradient.sign()

    def sample(self, like: Tensor) -> Tensor:
        """Uniform draws from the cube, shaped like `like`."""
        return (2 * torch.rand_like(like) - 1) * self.eps


def pixel_gradient(goal: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    """The goal's values (n,) at z and its gradient (n, c, h, w): each image's own, since the sum is differentiated."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        loss = goal(z)
        if loss.shape != (len(z),):
            raise ValueError(f"a goal must give one number an image, shape ({len(z)},); it gave {tuple(loss.shape)}")
        if not loss.requires_grad:
            raise ValueError("the goal gives no gradient with respect to the pixels: does the model detach, round, or run under no_grad?")
        (gradient,) = torch.autograd.grad(loss.sum(), z, allow_unused=True)
    if gradient is None:
        raise ValueError("the goal does not depend on the pixels, so there is no gradient to follow")
    return loss.detach(), gradient


def check_steps(steps: int, step: float) -> None:
    """Refuse a number or a length of steps that leads nowhere."""
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"steps must be a whole number from 0 up, got {steps}")
    if not step > 0:
        raise ValueError(f"step must be above 0 (pixels in [0, 1]), got {step}")


def descend(
    goal: Callable[[Tensor], Tensor],
    x: Tensor,
    *,
    ball: Ball,
    steps: int,
    step: float,
    decay: bool = False,
    start: Tensor | None = None,
    best: bool = False,
) -> Tensor:
    """Minimise a goal over (x + ball) within [0, 1]^d by projected steps of fixed length; the only gradient loop on inputs here.

        z <- clamp( x + project( z - step * steepest(grad goal(z)) - x ) )

    goal   (n, c, h, w) pixels -> (n,) loss an image
    x      (n, c, h, w) pixels, the centre of the ball
    decay  let the step's length fall linearly to 0 instead of staying constant
    start  where z begins; x itself if not given
    best   return the iterate of least loss, image by image, instead of the last
    """
    check_steps(steps, step)
    z = x if start is None else start
    least, kept = torch.full((len(x),), math.inf, device=x.device), z
    for i in range(steps):
        loss, gradient = pixel_gradient(goal, z)
        if best:
            least, kept = _keep_better(loss, z, least, kept)
        z = _moved(z, x, gradient, ball, step * (1 - i / steps if decay else 1))
    if best and steps:
        with torch.no_grad():
            _, z = _keep_better(goal(z), z, least, kept)
    return z.detach()


def _moved(z: Tensor, x: Tensor, gradient: Tensor, ball: Ball, step: float) -> Tensor:
    return (x + ball.project(z - step * ball.steepest(gradient) - x)).clamp(0, 1)


def sweep(goal: Callable[[Tensor], Tensor], x: Tensor, balls: Sequence[Ball]) -> Iterator[Tensor]:
    """The least values (n,) of a goal found at x itself and then in each of several growing balls, by one gradient step a ball.

    Each step is as long as the ball's radius, wastes nothing on pixels that would leave the box, and begins where the last one ended, so
    the way turns with the gradient: a cheap bound, from above, on the infimum over every ball at once. Since the balls contain each
    other, no value is above the one before it.
    """
    z, (least, gradient) = x, pixel_gradient(goal, x)
    yield least
    for i, ball in enumerate(balls):
        outward = ((z <= 0) & (gradient > 0)) | ((z >= 1) & (gradient < 0))
        z = _moved(z, x, gradient.masked_fill(outward, 0), ball, ball.eps)
        if i == len(balls) - 1:
            with torch.no_grad():
                value = goal(z)
        else:
            value, gradient = pixel_gradient(goal, z)
        least = torch.minimum(least, value)
        yield least


def _keep_better(loss: Tensor, z: Tensor, least: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    better = loss < least
    return torch.where(better, loss, least), torch.where(_per_image(better, z), z, kept)


@dataclass(frozen=True)
class PGD:
    """Projected gradient descent on the cross-entropy: away from y, or with targeted=True towards y.

    Call it: attack(model, x, y) -> x', pixels in [0, 1] within the ball around x. The model is left as it was found.

    ball          L2(eps) or Linf(eps), eps in pixels of [0, 1]
    steps         gradient steps; 0 gives x (or the random start)
    step          length of a step in the ball's norm; by default 2.5 eps / steps, enough to reach the ball's surface from anywhere
    targeted      y are targets to reach
    random_start  begin at a uniform draw from the ball (seeded by torch.manual_seed) instead of at x
    best          return the iterate of best loss instead of the last
    """

    ball: Ball
    steps: int = 20
    step: float | None = None
    targeted: bool = False
    random_start: bool = False
    best: bool = False

    def __post_init__(self):
        if not isinstance(self.ball, Ball):
            raise TypeError(f"the first argument is a ball, L2(eps) or Linf(eps); got {self.ball!r}")
        check_steps(self.steps, 1.0 if self.step is None else self.step)
        if math.isinf(self.ball.eps) and (self.step is None or self.random_start):
            raise ValueError("a ball without limit has no default step and no random start: give step=... and begin at the image")

    def __repr__(self) -> str:
        flags = "".join(f", {name}" for name in ("targeted", "random_start", "best") if getattr(self, name))
        step = "" if self.step is None else f", step={self.step:.12g}"
        return f"PGD({self.ball}, steps={self.steps}{step}{flags})"

    def __call__(self, model: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """x (n, c, h, w) pixels, y (n,) labels or targets -> x' (n, c, h, w) float pixels in [0, 1], on the model's device."""
        x = pixels(check_images(x)).to(engine.device_of(model) or x.device)
        y = check_labels(y, x, getattr(model, "classes", 0))
        network = engine.frozen(model)
        parts = zip(x.split(size := engine.chunk(x.device.type)), y.split(size), strict=True)
        return torch.cat([self._attack(network, a, b) for a, b in parts])

    def goal(self, network: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """What `descend` minimises for these images: z (n, c, h, w) -> a loss an image."""
        sign = 1 if self.targeted else -1
        return lambda z: sign * F.cross_entropy(network(z), y, reduction="none")

    def _attack(self, network: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        start = (x + self.ball.sample(x)).clamp(0, 1) if self.random_start else x
        step = self.step or 2.5 * self.ball.eps / max(self.steps, 1) or TINY
        return descend(self.goal(network, x, y), x, ball=self.ball, steps=self.steps, step=step, start=start, best=self.best)
