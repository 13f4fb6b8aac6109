"""Theorem 2: what robust training learns.

The mean stays mu*; the covariance is widened, the more along the short axes.

The adversary has an average budget: sqrt(E ||delta||_2^2) <= radius, one multiplier lambda for all samples.
(Eq. (11) gives each sample a ball of its own; `exact` solves that, and both agree as d grows.)
"""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from featlab.gaussian.checks import (
    check_direction,
    check_mean,
    check_number,
    check_positive,
    check_radius,
    eigenvalues,
)
from featlab.gaussian.trust_region import divide, surplus


def budget(cov: ArrayLike, lam: float) -> float:
    """The radius sqrt(E ||delta||_2^2) that a multiplier buys; falls as lam grows.

    E ||delta||_2^2 = tr(Sigma_r^-1) / lam^2 = sum_i (sd_r,i - sd_i)^2
    """
    variances, _ = eigenvalues(cov)
    return float(np.linalg.norm(_widening(np.sqrt(variances), 1 / check_positive(lam, "a multiplier"))))


def multiplier(cov: ArrayLike, radius: float) -> float:
    """The lambda of Theorem 2 that spends exactly this budget: the inverse of `budget`, by one bracketed
    root-find.

    With q = radius / sqrt(d), if all sd were equal to s the answer would be 1/lambda = q (q + s): the least
    and the largest sd bracket it. radius = 0 gives inf, radius = inf gives 0.
    """
    variances, _ = eigenvalues(cov)
    return 1 / t if (t := _shift(np.sqrt(variances), check_radius(radius))) else math.inf


def robust_covariance(cov: ArrayLike, radius: float) -> np.ndarray:
    """The covariance (d, d) that robust training learns, with radius = sqrt(E ||delta||_2^2).

        Sigma_r = 1/2 Sigma + 1/lambda I + sqrt(1/lambda Sigma + 1/4 Sigma^2),     that is   sd_r = (sd +
                                                                                   sqrt(sd^2 + 4/lambda)) / 2

    It is the covariance of the perturbed data. The axes stay, the variances obey (s_r - 1/lambda)^2 = s_r s.
    radius = 0 gives Sigma. radius = inf gives inf on the diagonal and 0 elsewhere: the shape of the identity,
    the adversary's metric.
    """
    variances, axes = eigenvalues(cov)
    widened = robust_variances(variances, check_radius(radius))
    return np.diag(widened) if np.isinf(widened).all() else axes * widened @ axes.T


def robust_direction(mu: ArrayLike, cov: ArrayLike, radius: float) -> np.ndarray:
    """The robustly learned rule, a unit vector (d,) along Sigma_r^-1 mu;
    along mu itself in the limit radius = inf.
    """
    variances, axes = eigenvalues(cov)
    mu = check_direction(check_mean(mu, len(variances)), len(variances))
    widened = robust_variances(variances, check_radius(radius))
    w = mu if np.isinf(widened).all() else axes @ (axes.T @ mu * (widened[0] / widened))
    return w / np.linalg.norm(w)


def robust_path(cov: ArrayLike, lams: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """All of Theorem 2 in closed form, without a root-find: radii (m,) and covariances
    (m, d, d) for multipliers (m,) in (0, inf].
    """
    variances, axes = eigenvalues(cov)
    shift = 1 / np.array([check_positive(lam, "a multiplier") for lam in np.ravel(lams)])[:, None]
    wider = _widening(np.sqrt(variances), shift)
    return np.linalg.norm(wider, axis=1), (axes * ((np.sqrt(variances) + wider) ** 2)[:, None, :]) @ axes.T


def multiplier_bounds(cov: ArrayLike, radius: float) -> tuple[float, float]:
    """Theorem 2's two bounds on lambda, with constants: (low, high) with low <= lambda <= high at every
    radius.

        c (1 + eps^1/2) / (eps^1/2 + eps^3/2)  <=  lambda  <=  C (1 + eps^1/2) / eps^1/2,      eps = E
                                               ||delta||_2^2 = radius^2

    They hold if eps is the *squared* budget. Read as the radius itself the upper one fails near 0, where
    lambda grows like 1/radius and the bound only like 1/sqrt(radius). Constants that work: c = min(d,
    sqrt(d)/sd_max) / 2 and C = sqrt(d)/sd_min.
    """
    sd = np.sqrt(eigenvalues(cov)[0])
    d, radius = len(sd), check_radius(radius)
    c, C = min(d, math.sqrt(d) / sd[-1]) / 2, math.sqrt(d) / sd[0]
    if radius == 0:
        return math.inf, math.inf
    if math.isinf(radius):
        return 0.0, C
    return float(c * (1 + radius) / radius / (1 + radius * radius)), float(C * (1 + radius) / radius)


class Epoch(NamedTuple):
    """One round of adversarial training: the model's covariance (d, d), its attacker's multiplier,
    the loss under attack (nats).
    """

    cov: np.ndarray
    multiplier: float
    loss: float


def adversarial_training(cov: ArrayLike, radius: float, *, step: float = 0.5) -> Iterator[Epoch]:
    """Adversarial training in this model (appendix E.3.4), from standard training's Sigma = cov on: yields
    Epochs without end.

        attack:  delta = (lambda Sigma - I)^-1 v, with lambda such that sqrt(E ||delta||^2) = radius
        step:    Sigma <- Sigma + step (E[(v + delta)(v + delta)'] - Sigma)

    The step follows the loss gradient 1/2 (E[(v + delta)(v + delta)'] - Sigma) with respect to the precision,
    in the Gaussian's own (Fisher) metric. It is halved until the loss falls, so the loss never rises; the
    loss is convex in the precision and least at Sigma_r.
    """
    radius = check_radius(radius)
    if math.isinf(radius):
        raise ValueError(
            "adversarial training against an infinite radius has no loss to minimise; give a finite radius"
        )
    if not 0 < check_number(step, "step") <= 1:
        raise ValueError(
            f"step is the share of the way to the perturbed data's covariance, in (0, 1], got {step}"
        )
    variances, axes = eigenvalues(cov)
    data = (axes * variances) @ axes.T
    return _train(data, radius, step)


def _train(data: np.ndarray, radius: float, step: float) -> Iterator[Epoch]:
    model, size = data, step
    moved, lam, loss = _attack(data, model, radius)
    while True:
        yield Epoch(model, lam, loss)
        size = min(step, 2 * size)
        for _ in range(40):
            tried = model + size * (moved - model)
            attacked = _attack(data, tried, radius)
            if attacked[2] < loss:
                break
            size /= 2
        else:  # no step lowers the loss: this is the minimum, to rounding
            yield from itertools.repeat(Epoch(model, lam, loss))
        model, (moved, lam, loss) = tried, attacked


def _attack(data: np.ndarray, model: np.ndarray, radius: float) -> tuple[np.ndarray, float, float]:
    """The best average-budget attack on a model: the attacked data's covariance (d, d), the multiplier,
    the mean loss up to a constant.
    """
    variances, axes = eigenvalues(model)
    if radius == 0:
        gain, lam = np.ones_like(variances), math.inf
    else:
        precision = 1 / variances
        spread = np.sqrt(np.einsum("ji,jk,ki->i", axes, data, axes))
        above = float(surplus((precision * spread)[None], precision, radius)[0])
        lam = above + precision[0]
        gain = 1 + divide(precision, above + (precision[0] - precision))
    widen = axes * gain @ axes.T
    moved = widen @ data @ widen
    return (
        moved,
        lam,
        0.5 * float(np.einsum("ij,ji->", axes / variances @ axes.T, moved) + np.log(variances).sum()),
    )


def robust_variances(variances: np.ndarray, radius: float) -> np.ndarray:
    """Eigenvalues of Sigma_r, (d,), from those of Sigma; the radius is measured like the points."""
    sd = np.sqrt(variances)
    t = _shift(sd, radius)
    return np.full_like(sd, math.inf) if math.isinf(t) else (sd + _widening(sd, t)) ** 2


def _widening(sd: np.ndarray, shift: float | np.ndarray) -> np.ndarray:
    """sd_r - sd = (sqrt(sd^2 + 4 shift) - sd) / 2 with shift = 1/lambda, written so that nothing cancels."""
    return 2 * shift / (np.sqrt(sd**2 + 4 * shift) + sd)


def _shift(sd: np.ndarray, radius: float) -> float:
    """1/lambda for a budget: the root of ||_widening(sd, t)|| = radius,
    sought in log t so that every scale of radius is alike.
    """
    if radius == 0 or math.isinf(radius):
        return radius
    q = radius / math.sqrt(len(sd))
    low, high = math.log(q) + math.log(q + sd.min()), math.log(q) + math.log(q + sd.max())

    def excess(log_t: float) -> float:
        t = math.exp(log_t)
        return log_t + math.log(np.linalg.norm(2 / (np.sqrt(sd**2 + 4 * t) + sd)) / radius)

    if excess(low) >= 0:  # all sd equal, or equal to rounding
        return math.exp(low)
    if excess(high) <= 0:
        return math.exp(high)
    return math.exp(brentq(excess, low, high, xtol=1e-15, rtol=1e-14))
