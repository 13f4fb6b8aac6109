"""The definitions of section 2: useful, robustly useful (equations (1) and (2)), non-robust."""

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from featlab.attacks import Ball, check_ball, descend, pixel_gradient
from featlab.doors import classes_in, dataset
from featlab.engine import memory
from featlab.features.measuring import Feature, as_matrix, class_weights, estimate, rows, signs, values
from featlab.inputs.checks import between, flag, warn, whole
from featlab.intervals import Estimate
from featlab.types import Dataset

FLAT = 0.5  # of the images, on which a feature must have a gradient, or it is said
KINDS = ("robustly useful", "useful, non-robust", "not useful")


def one_against_rest(data: Dataset, c: int) -> Dataset:
    """All images, y = +1 for class c and -1 for the others; measure with balanced=True,
    or rho and gamma are mostly about the others.
    """
    (c,) = classes_in(data, [c])
    return replace(data, labels=torch.where(data.labels == c, 1, -1), classes=())


def pair(data: Dataset, a: int, b: int) -> Dataset:
    """The images of two classes, y = +1 for class a and -1 for class b."""
    a, b = classes_in(data, [a, b], 2)
    part = data[(data.labels == a) | (data.labels == b)]
    return replace(part, labels=torch.where(part.labels == a, 1, -1), classes=())


@dataclass(frozen=True, eq=False)
class Standardised:
    """A feature with mean 0 and variance 1 under D, as section 2 asks;
    mean and std (k,) are kept and can be used on other data.
    """

    feature: Feature
    mean: Tensor
    std: Tensor
    known: dict = field(default_factory=dict, repr=False)  # what its passes weigh

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, k)"""
        f = as_matrix(self.feature, images, self.known)
        f = f if f.is_floating_point() else f.double()
        return (f - self.mean.to(f.dtype)) / self.std.to(f.dtype)


def standardise(feature: Feature, data: Dataset, *, balanced: bool = False) -> Standardised:
    """The feature minus its mean, divided by its standard deviation, both under D;
    `balanced` makes both classes of D equally likely.

    feature  images (n, c, h, w) -> (n,) or (n, k); a constant one is refused with a ValueError.
    """
    f = values(feature, dataset(data).pixels)
    w = class_weights(signs(data), True)[:, None] if flag(balanced, "balanced") else 1 / len(f)
    mean = (w * f).sum(0)
    std = (w * (f - mean).square()).sum(0).sqrt()
    flat = std <= 1e-6 * f.abs().amax(0)
    if bool(flat.any()):
        which = flat.nonzero().flatten().tolist()
        raise ValueError(
            f"feature {which[:10]} is the same for all {len(f)} images, so it cannot be "
            "standardised: leave it out, or take more images"
        )
    return Standardised(feature, mean, std)


def usefulness(feature: Feature, data: Dataset, *, balanced: bool = False) -> Estimate:
    """How much a feature is correlated with the label (section 2, eq. 1).

        rho_D(f) = E [ y f(x) ]

    feature   images -> (n,) or (n, k); it is standardised under `data` first, unless it is Standardised
              already
    data      labels -1 / +1 or 0 / 1
    balanced  let both classes count for a half, in the mean and in the standardisation

    rho lies between -1 and 1; below 0, it is -f that is useful.

    Labels of more than two classes, and a feature that is constant or NaN, are refused with a ValueError.
    """
    y = signs(data)
    f = feature if isinstance(feature, Standardised) else standardise(feature, data, balanced=balanced)
    return estimate(y[:, None] * values(f, data.pixels), class_weights(y, balanced))


def robust_usefulness(
    feature: Feature, data: Dataset, ball: Ball, *, steps: int = 20, balanced: bool = False
) -> Estimate:
    """How much of the correlation is left when every image is perturbed against it (section 2, eq. 2).

        gamma_D(f) = E [ inf over delta in Delta(x) of y f(x + delta) ]

    ball   Delta, L2(eps) or Linf(eps), eps in pixels of [0, 1]; perturbed images stay in [0, 1]
    steps  of the descent that looks for the infimum; other arguments as for `usefulness`

    The descent may miss the infimum, so this is an upper bound on gamma. It is exact where f is linear and
    the infimum lies inside the box; see `closed_form`. bounds.lower_bound closes the bracket from below. A
    feature whose gradient is 0 on every image (it rounds, it compares) is refused with a ValueError: no
    descent would move it, and gamma = rho would say nothing.
    """
    check_ball(ball)
    steps = whole(steps, "steps")
    if not math.isfinite(ball.eps):
        raise ValueError(
            "gamma over a ball without limit is the least value of the feature over all images: "
            "give a finite eps"
        )
    y = signs(data)
    f = feature if isinstance(feature, Standardised) else standardise(feature, data, balanced=balanced)
    parts = memory.in_chunks(lambda x, sign: _least(f, x, sign, ball, steps), data.pixels, y, each=len(f.std))
    terms, moves = (torch.cat(column)[: len(y)] for column in zip(*parts, strict=True))
    if ball.eps and steps:
        check_moves(moves.double().mean(0))
    return estimate(terms.double(), class_weights(y, balanced))


def check_moves(shares: Tensor) -> None:
    """Refuse features (k,) that have a gradient on no image, for no descent could lower them;
    warn of those that have one on few.
    """
    still = (shares == 0).nonzero().flatten().tolist()
    if still:
        raise ValueError(
            f"the gradient of feature {still[0]} is 0 on every image: no descent can lower it, "
            "and calling it robust would be wrong. "
            "Does it round or compare? Give a smooth one"
        )
    flat = (shares < FLAT).nonzero().flatten().tolist()
    if flat:
        warn(
            f"the gradient of {len(flat)} of {len(shares)} features, such as feature {flat[0]}, "
            "is 0 on more than half of the images, "
            "where the descent cannot lower them: gamma is then a loose upper bound"
        )


def _least(f: Standardised, x: Tensor, sign: Tensor, ball: Ball, steps: int) -> tuple[Tensor, Tensor]:
    """The least y f found in the ball around each image (n, k), and where the features have a gradient other
    than 0 (n, k).

    All k features are attacked at once, each with its own perturbation.
    """
    n, k = len(x), len(f.std)
    which = torch.arange(k, device=x.device).repeat(n)[:, None]
    x, sign = x.repeat_interleave(k, 0), sign.repeat_interleave(k)

    def goal(z: Tensor) -> Tensor:
        return sign * rows(f, z, f.known).gather(1, which)[:, 0]

    with torch.no_grad():
        least, moves = goal(x), torch.zeros(n, k, dtype=torch.bool)
    if ball.eps and steps:
        moves = pixel_gradient(goal, x)[1].flatten(1).any(1).view(n, k).cpu()
        z = descend(goal, x, ball=ball, steps=steps, step=2.5 * ball.eps / steps, decay=True, best=True)
        with torch.no_grad():
            least = torch.minimum(least, goal(z))
    return least.view(n, k), moves


def kind(rho: float, gamma: float) -> str:
    """What section 2 calls a feature of this usefulness and robust usefulness: one of KINDS."""
    rho, gamma = between(rho, "rho"), between(gamma, "gamma")
    return KINDS[2] if rho <= 0 else KINDS[0] if gamma > 0 else KINDS[1]
