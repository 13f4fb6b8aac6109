"""Stronger attacks than the one used to evaluate: momentum and step halving (AutoAttack's APGD),
other losses, restarts.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab import doors
from featlab.attacks import Ball, GradientAttack, check_ball, pixel_gradient
from featlab.evaluation import is_right, predict, top_classes
from featlab.inputs.checks import flag, instance, known, named, whole
from featlab.types import Attack, Dataset, Model


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """The log-probability of y: (n, k), (n,) -> (n,).

    Like the others, small where the attack has succeeded.
    """
    return -F.cross_entropy(logits, y, reduction="none")


def margin(logits: Tensor, y: Tensor) -> Tensor:
    """z_y - max over others of z (Carlini and Wagner 2017), below 0 where the image is misclassified:
    logits (n, k), y (n,) -> (n,)
    """
    own = logits.gather(1, y[:, None])
    return (own - logits.scatter(1, y[:, None], -torch.inf).amax(1, keepdim=True))[:, 0]


def ratio(logits: Tensor, y: Tensor) -> Tensor:
    """The difference of logits ratio, margin / (z_1 - z_3) with the logits sorted: (n, k), (n,) -> (n,).

    The scale of the logits cannot hide the gradient. Three classes at least, or a ValueError.
    """
    if logits.shape[1] < 3:
        raise ValueError(
            "the difference of logits ratio needs three classes, the model has "
            f"{logits.shape[1]}: take loss='margin'"
        )
    top = logits.topk(3, dim=1).values
    return margin(logits, y) / (top[:, 0] - top[:, 2]).clamp_min(1e-12)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": cross_entropy,
    "margin": margin,
    "ratio": ratio,
}


def checkpoints(steps: int) -> list[int]:
    """The steps after which the step's length is reconsidered: denser and denser, as in AutoAttack."""
    shares = [0.0, 0.22]
    while shares[-1] < 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - 0.03, 0.06))
    return sorted({math.ceil(round(p * steps, 6)) for p in shares if 0 < p <= 1})


def _where(chosen: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(chosen.view(-1, *[1] * (a.ndim - 1)), a, b)


class Halving:
    """When to halve the step (Croce and Hein 2020, conditions 1 and 2), image by image,
    and the best point so far.
    """

    def __init__(self, z: Tensor, loss: Tensor, gradient: Tensor, step: float):
        self.best = (z, loss, gradient)
        self.step = torch.full_like(loss, step)
        self.fell, self.begun = torch.zeros_like(loss), 0
        self.least, self.halved = loss.clone(), torch.zeros_like(loss, dtype=torch.bool)

    def note(self, z: Tensor, loss: Tensor, gradient: Tensor, previous: Tensor) -> None:
        """Count a step that improved, keep a better point: z, gradient (n, c, h, w), loss, previous (n,)."""
        self.fell += loss < previous
        best_z, least, best_gradient = self.best
        better = loss < least
        self.best = (
            _where(better, z, best_z),
            _where(better, loss, least),
            _where(better, gradient, best_gradient),
        )

    def decide(self, at: int) -> Tensor:
        """At a checkpoint: which images go back to their best point, with half the step, (n,) bool."""
        stuck = self.fell < 0.75 * (at - self.begun)
        # the step as at the last checkpoint, and nothing better found with it
        idle = ~self.halved & (self.best[1] >= self.least)
        self.halved = stuck | idle
        self.step = torch.where(self.halved, self.step / 2, self.step)
        self.least, self.fell, self.begun = self.best[1].clone(), torch.zeros_like(self.fell), at
        return self.halved


def momentum_descent(
    goal: Callable[[Tensor], Tensor], x: Tensor, *, ball: Ball, steps: int, start: Tensor | None = None
) -> Tensor:
    """Minimise a goal over (x + ball) within [0, 1]^d with momentum and step halving (Croce and Hein 2020,
    Algorithm 1): x (n, c, h, w) -> the best point (n, c, h, w).

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
            z, loss, gradient = (
                _where(back, old, new) for old, new in zip(state.best, (z, loss, gradient), strict=True)
            )
    return state.best[0].detach()


@dataclass(frozen=True)
class APGD(GradientAttack):
    """Auto-PGD (Croce and Hein 2020): an untargeted attack with nothing to tune but the number of steps.

    loss          "cross-entropy", "margin" or "ratio" (DLR)
    random_start  begin at a uniform draw from the ball instead of at x
    """

    ball: Ball
    steps: int = 50
    loss: str = "cross-entropy"
    random_start: bool = False

    def __post_init__(self) -> None:
        check_ball(self.ball)
        object.__setattr__(self, "steps", whole(self.steps, "steps"))
        if math.isinf(self.ball.eps):
            raise ValueError(
                "a ball without limit has no first step of 2 eps: give a finite eps, or use PGD with step=..."
            )
        known(self.loss, LOSSES, "loss")
        flag(self.random_start, "random_start")

    def __repr__(self) -> str:
        return (
            f"APGD({self.ball}, steps={self.steps}, "
            f"{self.loss}{', random_start' if self.random_start else ''})"
        )

    @property
    def first_step(self) -> float:
        return 2 * self.ball.eps

    def blind(self, network: Model, z: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """1 for images (n, c, h, w) without a gradient at z, 2 where it is NaN, 0 else."""
        _, gradient = pixel_gradient(lambda z: LOSSES[self.loss](network(z), y), z)
        return doors.blindness(gradient)

    def attack_chunk(self, network: Model, x: Tensor, y: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        # as in AutoAttack: a point that succeeds is kept, whatever its loss
        """x' (n, c, h, w) from `start` (n, c, h, w), and which images no step moved or fooled, (n,)."""
        found, least = (x.clone(), x.new_full((len(x),), math.inf))

        def goal(z: Tensor) -> Tensor:
            logits = network(z)
            loss = LOSSES[self.loss](logits, y).float()
            better = (logits.argmax(1) != y) & (loss < least)
            found[better], least[better] = z[better].detach(), loss[better].detach()
            return loss

        best = momentum_descent(goal, x, ball=self.ball, steps=self.steps, start=start)
        succeeded = least < math.inf
        z = _where(succeeded, found, best)
        return z, ~succeeded & ~((z - start).flatten(1).abs().amax(1) > 1e-6)


@dataclass(frozen=True)
class Worst:
    """Several attacks in turn, each on the images that still stand; one attack with random starts,
    several times, is restarts.
    """

    attacks: Sequence[Attack]

    def __post_init__(self) -> None:
        if not instance(self.attacks, tuple | list, "the attacks must be a tuple of them, (attack,) for one"):
            raise ValueError(f"Worst needs an attack at least, such as PGD(L2(0.5)), got {self.attacks!r}")
        for attack in self.attacks:
            doors.check_attack(attack)

    def __call__(self, model: Model, x: Tensor, y: Tensor) -> Tensor:
        """x' (n, c, h, w) of the first attack that succeeds on an image, else of the last; x pixels, y (n,)
        labels.
        """
        network, x, y = doors.enter(model, x, y)
        return self._in_turn(model, network, x, y)

    def unchecked(self, model: Model, x: Tensor, y: Tensor) -> Tensor:
        """The same of float pixels (n, c, h, w) and labels (n,) that were looked at: its attacks do not look
        again either.
        """
        return self._in_turn(model, doors.network(model), x, y, first=False)

    def _in_turn(
        self, model: Model, network: doors.Logits, x: Tensor, y: Tensor, *, first: bool = True
    ) -> Tensor:
        found = x.clone()
        stands = torch.ones(len(x), dtype=torch.bool, device=found.device)
        for attack in self.attacks:
            at = stands.nonzero()[:, 0]
            if not len(at):
                break
            found[at] = doors.attacked(attack, model, x[at], y[at], first=first)
            stands[at] = top_classes(network, found[at]) == y[at]
        return found


def standing(model: Model, data: Dataset, attacks: Mapping[str, Attack]) -> dict[str, Tensor]:
    """Which images a model gets right, as they are and under each attack: name -> (n,) bool;
    and under "the worst of all".
    """
    data = doors.placed(model, data)
    named(attacks, "attacks")
    right = is_right(model, data)
    left, stands = data[right], {}
    for name, attack in attacks.items():
        stands[name] = right.clone()
        stands[name][right] = (
            predict(model, doors.attacked(attack, model, left.pixels, left.labels)) == left.labels
        )
    return stands | {"the worst of all": torch.stack([*stands.values()]).all(0)}
