"""Exact numbers of section 4, and the correlations of Figure 3, by name: computed when the ledger asks."""

import itertools
import math
from collections.abc import Callable

import numpy as np

from featlab import gaussian
from featlab.experiments import reports, trend
from featlab.experiments.entries import Entry

MU, PLANE = np.array([2.0, 0.0]), gaussian.planar(ratio=4, tilt=35)  # the plane of notebook 02
THREE, PRICE = np.diag([4.0, 1.0, 0.5]), 3.0


def _formula_error() -> float:
    """Theorem 1 against the perturbation itself: relative error of the loss added, on 2,000 points."""
    v = np.random.default_rng(0).normal(size=(2000, 3)) @ np.linalg.cholesky(THREE).T
    v *= np.sqrt(np.diag(THREE) / (v**2).mean(0))  # the covariance's diagonal, exactly
    moved = v + gaussian.optimal_perturbation(v, THREE, PRICE)
    inverse = np.diag(1 / np.diag(THREE))
    added = np.einsum("ni,ij,nj->n", moved, inverse, moved) - np.einsum("ni,ij,nj->n", v, inverse, v)
    return abs(added.mean() / gaussian.vulnerability(THREE, PRICE) - 1)


def _literal_error() -> float:
    """The print of Theorem 1 read to the letter (the NLL, penalty C ||delta||^2): relative error."""
    return abs(gaussian.vulnerability(THREE, 2 * PRICE) / 2 / gaussian.vulnerability(THREE, PRICE) - 1)


def _fixed_point_error() -> float:
    """Theorem 2: the covariance of the attacked data minus the one learned."""
    radius = gaussian.budget(THREE, lam=1)
    robust = gaussian.robust_covariance(THREE, radius)
    pushed = np.eye(3) + np.linalg.inv(robust - np.eye(3))  # I + (lambda Sigma_r - I)^-1, lambda = 1
    return float(np.abs(pushed @ THREE @ pushed.T - robust).max())


def _training_error() -> float:
    """How far adversarial training is from Theorem 2 after ten epochs."""
    narrow = gaussian.planar(ratio=4, tilt=30, trace=2)
    *_, last = itertools.islice(gaussian.adversarial_training(narrow, radius=1), 11)
    return float(np.linalg.norm(last.cov - gaussian.robust_covariance(narrow, 1)))


def _share_within_bounds() -> float:
    """Theorem 2: the share of 1,000 radii at which lambda lies between its bounds."""
    radii = 10 ** np.linspace(-6, 6, 1000)
    bounds = [gaussian.multiplier_bounds(THREE, r) for r in radii]
    found = [gaussian.multiplier(THREE, r) for r in radii]
    return float(np.mean([low <= lam <= high for lam, (low, high) in zip(found, bounds, strict=True)]))


def _misread_growth() -> float:
    """How much lambda outgrows the upper bound with eps read as the radius, from radius 1e-3 to 1e-5."""
    ratios = [gaussian.multiplier(THREE, r) * math.sqrt(r) / (1 + math.sqrt(r)) for r in (1e-3, 1e-5)]
    return ratios[1] / ratios[0]


def _relaxation_gap(d: int) -> float:
    """Relative gap between Theorem 2 and a ball for every sample, for a round cloud in d dimensions, radius
    sqrt(d).
    """
    exact = np.diag(gaussian.exact_robust_covariance(np.eye(d), math.sqrt(d))).mean()
    return abs(float(exact) / gaussian.robust_covariance(np.eye(d), math.sqrt(d))[0, 0] - 1)


def _worst_alignment_error() -> float:
    """Theorem 3: the closed form against the least of 100,000 directions in the plane."""
    turn = np.linspace(0, np.pi, 100_000)
    means = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    least = float(np.min(gaussian.alignment(means, PLANE)))
    return abs(least - gaussian.worst_alignment(PLANE))


def _share_better_aligned() -> float:
    """The share of 1,000 random means and covariances whose gradient aligns better after robust training."""
    rng, better = np.random.default_rng(0), 0
    for _ in range(1000):
        d = rng.integers(2, 11)
        cov, mean = np.diag(10 ** rng.uniform(-2, 2, d)), rng.normal(size=d)
        robust = gaussian.robust_covariance(cov, 10 ** rng.uniform(-2, 2))
        better += bool(gaussian.alignment(mean, robust) >= gaussian.alignment(mean, cov) - 1e-12)
    return better / 1000


def _separable(learner: str, radius: float) -> float:
    """Figure 14: accuracy at a radius of maximum likelihood or of logistic regression."""
    points, labels = gaussian.sample_separable(4000)
    if learner == "likelihood":
        w = gaussian.weights(*gaussian.maximum_likelihood(points, labels))
    else:
        w = gaussian.logistic_regression(points, labels, ridge=1e-6)
    return gaussian.accuracy(w, points, labels, radius)


def _under_attack(radius_trained: float) -> float:
    """Accuracy in the plane at radius 1 of the rule trained at a radius; 0 is standard training."""
    w = (
        gaussian.robust_direction(MU, PLANE, radius_trained)
        if radius_trained
        else gaussian.weights(MU, PLANE)
    )
    return float(gaussian.robust_accuracy(w, MU, PLANE, 1))


def _trend(kind: str = "untargeted", without: str = "") -> Entry:
    """Pearson's correlation of Figure 3, with its interval over architectures."""
    found = trend.correlations(reports.measured("figure3"), kind, without=without)["Pearson"]
    return Entry(found.value, found.low, found.high, found.n)


EXACT: dict[str, Callable[[], float]] = {
    "Theorem 1, error of the formula": _formula_error,
    "Theorem 1, error of the print to the letter": _literal_error,
    "vulnerability, stretched": lambda: gaussian.vulnerability(THREE, PRICE),
    "vulnerability, round": lambda: gaussian.vulnerability(np.eye(3) * np.trace(THREE) / 3, PRICE),
    "Theorem 2, error of the fixed point": _fixed_point_error,
    "Theorem 2, error of adversarial training": _training_error,
    "Theorem 2, share within the bounds": _share_within_bounds,
    "Theorem 2, growth past the misread bound": _misread_growth,
    "relaxation gap in 2 dimensions": lambda: _relaxation_gap(2),
    "relaxation gap in 8 dimensions": lambda: _relaxation_gap(8),
    "Theorem 3, error of the worst cosine": _worst_alignment_error,
    "worst cosine, standard": lambda: gaussian.worst_alignment(PLANE),
    "worst cosine, robust": lambda: gaussian.worst_alignment(gaussian.robust_covariance(PLANE, 1)),
    "share of means better aligned": _share_better_aligned,
    "cosine, standard": lambda: float(gaussian.alignment(MU, PLANE)),
    "cosine at radius 3.16": lambda: float(gaussian.alignment(MU, gaussian.robust_covariance(PLANE, 3.16))),
    "Figure 14, likelihood, clean": lambda: _separable("likelihood", 0),
    "Figure 14, likelihood at radius 1": lambda: _separable("likelihood", 1),
    "Figure 14, logistic at radius 1": lambda: _separable("logistic", 1),
    "plane at radius 1, standard": lambda: _under_attack(0),
    "plane at radius 1, robust": lambda: _under_attack(1),
}
TRENDS: dict[str, Callable[[], Entry]] = {
    "untargeted": _trend,
    "untargeted, without the cnn": lambda: _trend(without="cnn"),
    "targeted": lambda: _trend("targeted"),
}
