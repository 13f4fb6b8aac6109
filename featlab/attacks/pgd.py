"""Attacks by gradient steps within a ball: what they share, and PGD."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab.attacks.descent import (
    Goal,
    check_ball,
    check_reach,
    check_steps,
    follow,
    pixel_gradient,
)
from featlab.balls import TINY, Ball
from featlab.doors import blindness, enter, network, settled, thread_safe
from featlab.engine import memory
from featlab.engine.reach import is_featlabs
from featlab.inputs.checks import flag, real, whole
from featlab.types import Model


def towards(network: Model, z: Tensor, y: Tensor) -> Tensor:
    """L(z, y): least where the network sees class y."""
    return F.cross_entropy(network(z), y, reduction="none")


def away(network: Model, z: Tensor, y: Tensor) -> Tensor:
    """-L(z, y): least where the network is surest that it is not y."""
    return -towards(network, z, y)


class GradientAttack(ABC):
    """An attack by gradient steps within a ball: what PGD and debate.stronger.APGD share.

    Call it: attack(model, x, y) -> x', pixels in [0, 1] within the ball around x. The model is left as it was
    found.
    """

    ball: Ball
    steps: int
    random_start: bool

    def __init_subclass__(cls) -> None:
        """An attack with a `__call__` of its own is called so each time."""
        super().__init_subclass__()
        if "__call__" in vars(cls) and "unchecked" not in vars(cls):
            cls.unchecked = cls.__call__  # type: ignore[method-assign]  # which has its signature

    def __call__(self, model: Model, x: Tensor, y: Tensor) -> Tensor:
        """x (n, c, h, w) pixels, y (n,) labels or targets -> x' (n, c, h, w) float pixels in [0, 1],
        on the model's device.
        """
        network, x, y = enter(model, x, y)
        check_reach(self.ball, self.first_step, x)
        z, still = self._whole(network, x, y)
        if not (self.ball.eps and self.steps):
            return z
        return settled(
            self, z, x, still, lambda i: memory.mapped(lambda i: self.blind(network, z[i], x[i], y[i]), i)
        )

    def unchecked(self, model: Model, x: Tensor, y: Tensor) -> Tensor:
        """The same of float pixels (n, c, h, w) and labels (n,) that were looked at, on the model's device:
        without another look, and without a word on images that it could not work on.
        """
        return self._whole(network(model), x, y)[0]

    def _whole(self, network: Model, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """`attack_chunk` in chunks that fit; what is drawn at random is drawn for all of them before."""
        start = (x + self.ball.sample(x)).clamp(0, 1) if self.random_start else x
        attack, thread_safe = partial(self.attack_chunk, network), self.thread_safe(network, x)
        parts = list(memory.in_chunks(attack, x, y, start, thread_safe=thread_safe))
        z, still = (torch.cat(column)[: len(x)] for column in zip(*parts, strict=True))
        return z, still

    def thread_safe(self, network: Model, x: Tensor) -> bool:
        """Whether several workers may attack images (n, c, h, w) at once; not with what is a reader's."""
        return is_featlabs(type(self)) and is_featlabs(type(self.ball)) and thread_safe(network, x)

    @property
    @abstractmethod
    def first_step(self) -> float:
        """The length of the longest step in the ball's norm, in pixels of [0, 1]."""

    @abstractmethod
    def attack_chunk(self, network: Model, x: Tensor, y: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """x' (n, c, h, w), found from `start` (n, c, h, w), and which images no step moved (n,)."""

    @abstractmethod
    def blind(self, network: Model, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Whether images lack a gradient at z (n,): as `doors.blindness`,
        and 0 where the attack has reached its end.
        """


@dataclass(frozen=True)
class PGD(GradientAttack):
    """Projected gradient descent on the cross-entropy: away from y, or with targeted=True towards y.

    Call it: attack(model, x, y) -> x', pixels (n, c, h, w) in [0, 1] within the ball around x.

    ball          L2(eps) or Linf(eps), eps in pixels of [0, 1]
    steps         gradient steps; 0 gives x (or the random start)
    step          length of a step in the ball's norm; by default 2.5 eps / steps, enough to reach the ball's
                  surface from anywhere
    targeted      y are targets to reach
    random_start  begin at a uniform draw from the ball (seeded by torch.manual_seed) instead of at x
    best          return the iterate of best loss instead of the last

    Numbers that lead nowhere are refused with a ValueError. Called, it refuses images and labels as Dataset
    does, and warns where the gradient is 0 or NaN.
    """

    ball: Ball
    steps: int = 20
    step: float | None = None
    targeted: bool = False
    random_start: bool = False
    best: bool = False

    def __post_init__(self) -> None:
        check_ball(self.ball)
        object.__setattr__(self, "steps", whole(self.steps, "steps"))
        for name in ("targeted", "random_start", "best"):
            flag(getattr(self, name), name)
        if self.step is not None:
            object.__setattr__(self, "step", real(self.step, "step"))
        check_steps(self.steps, 1.0 if self.step is None else self.step)
        if math.isinf(self.ball.eps) and (self.step is None or self.random_start):
            raise ValueError(
                "a ball without limit has no default step and no random start: give step=... and "
                "begin at the image"
            )

    def __repr__(self) -> str:
        flags = "".join(f", {name}" for name in ("targeted", "random_start", "best") if getattr(self, name))
        step = "" if self.step is None else f", step={self.step:.12g}"
        return f"PGD({self.ball}, steps={self.steps}{step}{flags})"

    def goal(self, network: Model, x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """What `descend` minimises for these images: z (n, c, h, w) -> a loss an image."""
        return Goal(towards if self.targeted else away, network, y)

    @property
    def first_step(self) -> float:
        return self.step or 2.5 * self.ball.eps / max(self.steps, 1) or TINY

    def attack_chunk(self, network: Model, x: Tensor, y: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """x' (n, c, h, w) by `descend` from `start` (n, c, h, w), and which images no step moved (n,)."""
        z = follow(
            self.goal(network, x, y),
            x,
            ball=self.ball,
            steps=self.steps,
            step=self.first_step,
            start=start,
            best=self.best,
        )
        return z, (z - start).flatten(1).abs().amax(1) <= 1e-6

    def blind(self, network: Model, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """1 for images (n, c, h, w) without a gradient at z, 2 where it is NaN, 0 else, and where the target
        is reached.
        """
        loss, gradient = pixel_gradient(self.goal(network, x, y), z)
        reached = (loss < math.log(2)) if self.targeted else torch.zeros_like(loss, dtype=torch.bool)
        return blindness(gradient).masked_fill(reached, 0)
