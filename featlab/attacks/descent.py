"""The one loop that follows gradients with respect to pixels (section 2): a ball, a goal, `descend`.

A goal is a loss for each image. All radii and steps are in pixels of [0, 1].
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import torch
from torch import Tensor

from featlab.balls import Ball, check_inside, per_image
from featlab.engine import graphs
from featlab.inputs.checks import called, instance, real, whole

_N = TypeVar("_N")  # a network


def pixel_gradient(goal: Callable[[Tensor], Tensor], z: Tensor) -> tuple[Tensor, Tensor]:
    """The goal's values (n,) at z and its gradient (n, c, h, w): each image's own,
    since the sum is differentiated.
    """
    instance(z, Tensor, "the pixels whose gradient is wanted must be a tensor (n, c, h, w)")
    if not z.is_floating_point():
        raise TypeError(f"only float pixels have a gradient, these are {z.dtype}: take Dataset.pixels")
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        found = called("a goal", "images", goal, z)
        loss = instance(found, Tensor, "a goal must give a tensor, one number per image")
        if loss.shape != (len(z),):
            raise ValueError(
                f"a goal must give one number per image, shape ({len(z)},); it gave {tuple(loss.shape)}"
            )
        if not loss.requires_grad:
            raise ValueError(
                "the goal gives no gradient with respect to the pixels: does the model detach, "
                "round, or run under no_grad?"
            )
        (gradient,) = torch.autograd.grad(loss.sum(), z, allow_unused=True)
    if gradient is None:
        raise ValueError("the goal does not depend on the pixels, so there is no gradient to follow")
    return loss.detach(), gradient


@dataclass(frozen=True)
class Goal(Generic[_N]):
    """loss(network, z, target), one number per image: a goal whose steps a GPU may record, for nothing else
    changes between them.

    loss  a function of a module, known by its name
    """

    loss: Callable[[_N, Tensor, Tensor], Tensor]
    network: _N
    target: Tensor

    def __call__(self, z: Tensor) -> Tensor:
        return self.loss(self.network, z, self.target)


def advance(
    goal: Callable[[Tensor], Tensor], ball: Ball, z: Tensor, x: Tensor, length: float
) -> tuple[Tensor, Tensor]:
    """One step of `descend`: z, x (n, c, h, w), length in pixels -> the next z, and the loss at this one
    (n,).
    """
    loss, gradient = pixel_gradient(goal, z)
    return _moved(z, x, gradient, ball, length), loss


def advancing(
    goal: Callable[[Tensor], Tensor], ball: Ball, x: Tensor
) -> Callable[[Tensor, float], tuple[Tensor, Tensor]]:
    """(z, length) -> `advance`, from a recording where there can be one."""
    if not isinstance(goal, Goal):
        return lambda z, length: advance(goal, ball, z, x, length)

    def step(z: Tensor, x: Tensor, target: Tensor, length: float) -> tuple[Tensor, Tensor]:
        return advance(replace(goal, target=target), ball, z, x, length)

    run = graphs.stepper(goal.network, (goal.loss.__name__, repr(ball)), step, x.device.type)
    return lambda z, length: run(z, x, goal.target, length)


def check_steps(steps: int, step: float) -> None:
    """Refuse a number or a length of steps that leads nowhere."""
    whole(steps, "steps")
    if not 0 < real(step, "step") < math.inf:
        raise ValueError(f"step must be above 0 and finite (pixels in [0, 1]), got {step}")


def check_ball(ball: Ball) -> None:
    """Refuse what is no ball, and a cube beyond the box."""
    if not isinstance(ball, Ball):
        raise TypeError(f"a ball is L2(eps) or Linf(eps), eps in pixels of [0, 1]; got {ball!r}")
    check_inside(ball.eps, ball.size(), ball)


def check_reach(ball: Ball, step: float, x: Tensor) -> None:
    """Refuse a ball or a step beyond the size of the box [0, 1]^d that the images x (n, c, h, w) lie in, with
    a ValueError; a default step may be 2.5 times as long.
    """
    check_ball(ball)
    check_inside(ball.eps, ball.size(x), ball)
    check_inside(step, 2.5 * ball.size(x), f"step={step:g}")


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
    """Minimise a goal over (x + ball) within [0, 1]^d by projected steps of fixed length; the only gradient
    loop on inputs here.

        z <- clamp( x + project( z - step * steepest(grad goal(z)) - x ) )

    goal   (n, c, h, w) pixels -> (n,) loss an image
    x      (n, c, h, w) pixels, the centre of the ball
    decay  let the step's length fall linearly to 0 instead of staying constant
    start  where z begins; x itself if not given
    best   return the iterate of least loss, image by image, instead of the last

    A length beyond the box, a start of another shape, and a goal that is NaN are refused with a ValueError,
    what is no tensor with a TypeError.
    """
    check_steps(steps, step)
    instance(x, Tensor, "the images to begin from must be a tensor (n, c, h, w)")
    if start is not None and getattr(start, "shape", None) != x.shape:
        got = tuple(start.shape) if isinstance(start, Tensor) else repr(start)
        raise ValueError(f"start must have the images' shape {tuple(x.shape)}, got {got}: or leave it out")
    check_reach(ball, step, x)
    z = follow(goal, x, ball=ball, steps=steps, step=step, decay=decay, start=start, best=best)
    lost = int((~z.flatten(1).isfinite().all(1)).sum())
    if lost:
        raise ValueError(
            f"the goal or its gradient is NaN or infinite on {lost} of {len(z)} images: look for "
            "sqrt, log or a division at 0 in it"
        )
    return z


def follow(
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
    """The loop of `descend`, of what was looked at: nothing in it waits for a GPU.

    Arguments and result as there: x (n, c, h, w) -> z (n, c, h, w).
    """
    z = x if start is None else start
    least, kept = torch.full((len(x),), math.inf, device=x.device), z
    move = advancing(goal, ball, x)
    for i in range(int(steps)):
        moved, loss = move(z, step * (1 - i / steps if decay else 1))
        if best:
            least, kept = _keep_better(loss, z, least, kept)
        z = moved
    if best and steps:
        with torch.no_grad():
            _, z = _keep_better(goal(z), z, least, kept)
    return z.detach()


def _moved(z: Tensor, x: Tensor, gradient: Tensor, ball: Ball, step: float) -> Tensor:
    return (x + ball.project(z - step * ball.steepest(gradient) - x)).clamp(0, 1)


def descend_outwards(goal: Callable[[Tensor], Tensor], x: Tensor, balls: Sequence[Ball]) -> Iterator[Tensor]:
    """The least values (n,) of a goal found at x itself and then in each of several growing balls, by one
    gradient step per ball.

    Each step is as long as the ball's radius, wastes nothing on pixels that would leave the box, and begins
    where the last one ended, so the way turns with the gradient: a cheap bound, from above, on the infimum
    over every ball at once. Since the balls contain each other, no value is above the one before it.
    """
    for ball in balls:
        check_ball(ball)
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
    return torch.where(better, loss, least), torch.where(per_image(better, z), z, kept)
