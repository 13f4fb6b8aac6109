"""Stronger attacks than the one used to evaluate: momentum and step halving (AutoAttack's APGD), other losses, restarts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab import engine
from featlab.attacks import Ball, check_steps, pixel_gradient
from featlab.training import predict
from featlab.types import Attack, Dataset, check_images, check_labels, pixels


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """The log-probability of y: (n, k), (n,) -> (n,). Like the others, small where the attack has succeeded."""
    return -F.cross_entropy(logits, y, reduction="none")


def margin(logits: Tensor, y: Tensor) -> Tensor:
    """z_y - max over others of z (Carlini and Wagner 2017): below 0 where the image is misclassified."""
    own = logits.gather(1, y[:, None])
    return (own - logits.scatter(1, y[:, None], -torch.inf).amax(1, keepdim=True))[:, 0]


def ratio(logits: Tensor, y: Tensor) -> Tensor:
    """The difference of logits ratio, margin / (z_1 - z_3) with the logits sorted: the scale of the logits cannot hide the gradient."""
    top = logits.topk(3, dim=1).values
    return margin(logits, y) / (top[:, 0] - top[:, 2]).clamp_min(1e-12)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"cross-entropy": cross_entropy, "margin": margin, "ratio": ratio}


def checkpoints(steps: int) -> list[int]:
    """The steps after which the step's length is reconsidered: denser and denser, as in AutoAttack."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return sorted({math.ceil(round(p * steps, 6)) for p in shares if 0 < p <= 1})


def _where(chosen: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(chosen.view(-1, *[1] * (a.ndim - 1)), a, b)


class Halving:
    """When to halve the step (Croce and Hein 2020, conditions 1 and 2), image by image, and the best point so far."""

    def __init__(self, z: Tensor, loss: Tensor, gradient: Tensor, step: float):
        self.best = (z, loss, gradient)
        self.step = torch.full_like(loss, step)
        self.fell, self.begun = torch.zeros_like(loss), 0
        self.least, self.halved = loss.clone(), torch.zeros_like(loss, dtype=torch.bool)

    def note(self, z: Tensor, loss: Tensor, gradient: Tensor, previous: Tensor) -> None:
        """Count a step that improved, keep a better point."""
        self.fell += loss < previous
        better = loss < self.best[1]
        self.best = tuple(_where(better, new, old) for new, old in zip((z, loss, gradient), self.best, strict=True))

    def decide(self, at: int) -> Tensor:
        """At a checkpoint: which images go back to their best point, with half the step."""
        stuck = self.fell < 0.75 * (at - self.begun)
        idle = ~self.halved & (self.best[1] >= self.least)  # the step as at the last checkpoint, and nothing better found with it
        self.halved = stuck | idle
        self.step = torch.where(self.halved, self.step / 2, self.step)
        self.least, self.fell, self.begun = self.best[1].clone(), torch.zeros_like(self.fell), at
        return self.halved


def momentum_descent(goal: Callable[[Tensor], Tensor], x: Tensor, *, ball: Ball, steps: int, start: Tensor | None = None) -> Tensor:
    """Minimise a goal over (x + ball) within [0, 1]^d with momentum and step halving (Croce and Hein 2020, Algorithm 1); the best point.

    Same arguments as `featlab.attacks.descend`, but no step to choose: it begins at 2 eps.
    """

    def inside(z: Tensor) -> Tensor:
        return (x + ball.project(z - x)).clamp(0, 1)

    z = before = x if start is None else start
    loss, gradient = pixel_gradient(goal, z)
    state, marks = Halving(z, loss, gradient, 2 * ball.eps), set(checkpoints(steps))
    for k in range(steps):
        pull = 0.75 if k else 1.0
        moved = inside(z - state.step.view(-1, *[1] * (x.ndim - 1)) * ball.steepest(gradient))
        z, before = inside(z + pull * (moved - z) + (1 - pull) * (z - before)), z
        previous = loss
        loss, gradient = pixel_gradient(goal, z)
        state.note(z, loss, gradient, previous)
        if k + 1 in marks:
            back = state.decide(k + 1)
            z, loss, gradient = (_where(back, old, new) for old, new in zip(state.best, (z, loss, gradient), strict=True))
    return state.best[0].detach()


@dataclass(frozen=True)
class APGD:
    """Auto-PGD (Croce and Hein 2020): an untargeted attack with nothing to tune but the number of steps.

    loss          "cross-entropy", "margin" or "ratio" (DLR)
    random_start  begin at a uniform draw from the ball instead of at x
    """

    ball: Ball
    steps: int = 50
    loss: str = "cross-entropy"
    random_start: bool = False

    def __post_init__(self):
        check_steps(self.steps, 1.0)
        if self.loss not in LOSSES:
            raise ValueError(f"unknown loss {self.loss!r}: choose one of {', '.join(LOSSES)}")

    def __repr__(self) -> str:
        return f"APGD({self.ball}, steps={self.steps}, {self.loss}{', random_start' if self.random_start else ''})"

    def __call__(self, model: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """x (n, c, h, w) pixels, y (n,) labels -> x' (n, c, h, w) float pixels in [0, 1]"""
        x = pixels(check_images(x)).to(engine.device_of(model) or x.device)
        y, network = check_labels(y, x, getattr(model, "classes", 0)), engine.frozen(model)
        parts = zip(x.split(size := engine.chunk(x.device.type)), y.split(size), strict=True)
        return torch.cat([self._attack(network, a, b) for a, b in parts])

    def _attack(self, network: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        found, least = x.clone(), x.new_full((len(x),), math.inf)  # as in AutoAttack: a point that succeeds is kept, whatever its loss

        def goal(z: Tensor) -> Tensor:
            logits = network(z)
            loss = LOSSES[self.loss](logits, y)
            better = (logits.argmax(1) != y) & (loss < least)
            found[better], least[better] = z[better].detach(), loss[better].detach()
            return loss

        start = (x + self.ball.sample(x)).clamp(0, 1) if self.random_start else x
        best = momentum_descent(goal, x, ball=self.ball, steps=self.steps, start=start)
        return _where(least < math.inf, found, best)


@dataclass(frozen=True)
class Worst:
    """Several attacks in turn, each on the images that still stand; one attack with random starts, several times, is restarts."""

    attacks: Sequence[Attack]

    def __call__(self, model: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> Tensor:
        """x' of the first attack that succeeds, else of the last."""
        found, network = pixels(x).clone(), engine.frozen(model)
        stands = torch.ones(len(x), dtype=torch.bool, device=found.device)
        for attack in self.attacks:
            at = stands.nonzero()[:, 0]
            if not len(at):
                break
            found[at] = attack(model, x[at], y[at])
            with torch.no_grad():
                stands[at] = network(found[at]).argmax(1) == y[at]
        return found


def standing(model: Callable[[Tensor], Tensor], data: Dataset, attacks: Mapping[str, Attack]) -> dict[str, Tensor]:
    """Which images a model gets right, as they are and under each attack: name -> (n,) bool; and under "the worst of all"."""
    data = data.to(engine.device_of(model) or data.device)
    right = predict(model, data.images) == data.labels
    left, stands = data[right], {}
    for name, attack in attacks.items():
        stands[name] = right.clone()
        stands[name][right] = predict(model, attack(model, left.pixels, left.labels)) == left.labels
    return stands | {"the worst of all": torch.stack([*stands.values()]).all(0)}
