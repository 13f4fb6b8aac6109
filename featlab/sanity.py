"""Is it robust, or does the attack not work?

The sanity checks of an evaluation, run on some hundred images in seconds.

After Athalye, Carlini and Wagner 2018 ("Obfuscated gradients give a false sense of security", section 3.1)
and Carlini et al. 2019 ("On evaluating adversarial robustness", section 5).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab import doors
from featlab.attacks import PGD, Goal, away, pixel_gradient
from featlab.engine import memory, seeds
from featlab.evaluation import is_right
from featlab.inputs.checks import function, quiet, whole
from featlab.types import Attack, Dataset, Model

SLACK = 0.02  # of the images: so many more may stand without a check failing
LIMIT = 100  # steps that the unbounded attack takes
DRAWS = 10  # random changes an image


@dataclass(frozen=True)
class Check:
    """One thing that holds of every attack that works: whether it does here,
    in a sentence with its numbers.
    """

    sentence: str
    holds: bool

    def __str__(self) -> str:
        return f"{'holds' if self.holds else 'FAILS':6} {self.sentence}"


@dataclass(frozen=True)
class Doubt:
    """What `doubt` found: print it. `holds` says whether every check does; none of them proves robustness."""

    attack: str
    n: int
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def verdict(self) -> str:
        """One sentence on what an accuracy under this attack is worth."""
        failed = sum(not check.holds for check in self.checks)
        if failed:
            return (
                f"{failed} of {len(self.checks)} checks fail: an accuracy under this attack is not "
                "evidence of robustness."
            )
        return (
            "No check fails: nothing here speaks against the attack, though a better one may still find more."
        )

    def __repr__(self) -> str:
        return "\n".join(
            [
                f"{self.attack} on {self.n} images that the model gets right",
                *map(str, self.checks),
                self.verdict,
            ]
        )


@dataclass(frozen=True)
class Case:
    """A model with the images that it gets right, and its standing under attacks."""

    model: Model
    x: Tensor
    y: Tensor

    def losses(self, z: Tensor) -> tuple[float, float]:
        """The median cross-entropy at z (n, c, h, w), and the share of images that still stand."""
        network = doors.network(self.model)
        with torch.no_grad():
            logits = memory.mapped(network, z)
        loss = F.cross_entropy(logits, self.y, reduction="none")
        return loss.median().item(), (logits.argmax(1) == self.y).float().mean().item()

    def under(self, attack: Attack, source: Model | None = None) -> tuple[float, float]:
        """The same after an attack, on the model itself or, to be carried over, on another."""
        with quiet():
            return self.losses(doors.attacked(attack, source or self.model, self.x, self.y))


def gradient(case: Case) -> Check:
    """Whether there is a gradient to follow: finite, and not 0."""
    network = doors.network(case.model)
    found = memory.mapped(lambda x, y: pixel_gradient(Goal(away, network, y), x)[1], case.x, case.y).flatten(
        1
    )
    broken, zero = int((~found.isfinite().all(1)).sum()), int((~found.any(1)).sum())
    sentence = f"gradient: on {broken} of {len(found)} images it is NaN or infinite, on {zero} it is 0"
    return Check(sentence, not broken and zero <= doors.BLIND * len(found))


def more_steps(case: Case, attack: PGD) -> Check:
    """The loss grows with the steps: one, as many as the attack has, four times as many."""
    tried = [replace(attack, steps=steps, step=None) for steps in (1, attack.steps, 4 * attack.steps)]
    losses, stand = zip(*(case.under(one) for one in tried), strict=True)
    sentence = (
        f"steps: with {', '.join(str(one.steps) for one in tried)} the loss is {_listed(losses)}, "
        f"and {_shares(stand)} stand"
    )
    return Check(sentence, _grows(losses) and stand[2] >= stand[1] - 5 * SLACK)


def more_radius(case: Case, attack: PGD) -> Check:
    """The loss grows with the radius: half, one and two times the attack's."""
    size = attack.ball.size(case.x)
    radii = [min(share * attack.ball.eps, size) for share in (0.5, 1.0, 2.0)]
    losses, stand = zip(
        *(case.under(replace(attack, ball=type(attack.ball)(eps), step=None)) for eps in radii), strict=True
    )
    sentence = (
        f"radius: at {', '.join(f'{eps:.3g}' for eps in radii)} the loss is {_listed(losses)}, and "
        f"{_shares(stand)} stand"
    )
    return Check(sentence, _grows(losses) and stand[2] <= stand[1] + SLACK <= stand[0] + 2 * SLACK)


def unbounded(case: Case, attack: PGD) -> Check:
    """Without a limit but the box every image falls, for each can be turned into another."""
    ball = type(attack.ball)(math.inf)
    free = PGD(ball, steps=LIMIT, step=4 * ball.size(case.x) / LIMIT, best=True)
    stand = case.under(free)[1]
    return Check(f"unbounded: without a limit but the box {_shares([stand])} stand", stand <= SLACK)


def random_changes(case: Case, attack: PGD) -> Check:
    """Uniform draws from the ball find nothing that the attack misses."""
    stands = case.x.new_ones(len(case.x))
    network = doors.network(case.model)
    with torch.no_grad(), seeds.drawing(0):
        fooled = doors.attacked(attack, case.model, case.x, case.y)
        missed = memory.mapped(network, fooled).argmax(1) == case.y
        for _ in range(DRAWS):
            z = (case.x + attack.ball.sample(case.x)).clamp(0, 1)
            stands *= (memory.mapped(network, z).argmax(1) == case.y).float()
    beaten = ((stands == 0) & missed).float().mean().item()
    return Check(
        f"random: {DRAWS} draws from the ball fool {_shares([beaten])} that the attack does not",
        beaten <= SLACK,
    )


def carried_over(case: Case, attack: PGD, surrogate: Model) -> Check:
    """Adversarial examples of another model are no better than the model's own."""
    own, carried = case.under(attack)[1], case.under(attack, surrogate)[1]
    return Check(
        f"transfer: {_shares([own])} stand, and {_shares([carried])} under another model's examples",
        carried >= own - SLACK,
    )


def doubt(
    model: Model,
    data: Dataset,
    attack: PGD,
    *,
    surrogate: Model | None = None,
    most: int = 200,
) -> Doubt:
    """Check the attack before believing in the model: six laws that hold of every attack that works.

    gradient   it is finite, and 0 on few images (Athalye et al. 2018)
    steps      more of them give more loss, and few images fall that had stood (Carlini et al. 2019)
    radius     more of it gives more loss
    unbounded  without a limit no image stands (both)
    random     draws from the ball find nothing that the attack misses (Athalye et al. 2018)
    transfer   examples made for a `surrogate`, if one is given, do no better than the model's own (both)

    data  of which the first `most` images that the model gets right are attacked

    Data of which the model gets nothing right is refused with a ValueError.
    """
    doors.check_untargeted(attack)
    if not isinstance(attack, PGD) or not (attack.steps and 0 < attack.ball.eps < math.inf):
        raise TypeError(
            "doubt varies the steps and the radius of a PGD that has both, for example "
            f"PGD(L2(0.5)); got {attack!r}"
        )
    most = whole(most, "most", least=1)
    if surrogate is not None:
        function(surrogate, "surrogate", "images")
    data = doors.placed(model, data)
    right = is_right(model, data)
    if not bool(right.any()):
        raise ValueError(
            "the model gets no image right, so there is nothing to attack: train it longer, or "
            "look at its labels"
        )
    chosen = data[right][:most]
    case = Case(model, doors.exact(chosen.images), chosen.labels)
    with quiet():
        checks = [gradient(case)]
        further = [more_steps, more_radius, unbounded, random_changes]
        further += [partial(carried_over, surrogate=surrogate)] if surrogate is not None else []
        checks += [tried(check, case, attack) for check in further]
    return Doubt(repr(attack), len(chosen), tuple(checks))


def tried(check: Callable[[Case, PGD], Check], case: Case, attack: PGD) -> Check:
    """The check; one that an attack breaks off, for want of a finite gradient, fails."""
    try:
        return check(case, attack)
    except ValueError as error:
        return Check(
            f"{check.__name__ if hasattr(check, '__name__') else 'transfer'}: the attack breaks "
            f"off ({error})",
            False,
        )


def _grows(losses: tuple[float, ...]) -> bool:
    return all(b >= 0.99 * a for a, b in pairwise(losses)) and losses[-1] > losses[0]


def _listed(losses: tuple[float, ...]) -> str:
    return ", ".join(f"{abs(loss):.3g}" for loss in losses)


def _shares(shares: list[float] | tuple[float, ...]) -> str:
    return ", ".join(f"{100 * share:.1f} %" for share in shares)
