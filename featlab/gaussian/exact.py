"""Eq. (11) as it is written: every sample has its own ball.

Theorem 2 lets the adversary trade budget between samples; this does not.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import ndtri

from featlab.gaussian.checks import check_count, check_points, check_radius, check_rng, eigenvalues
from featlab.gaussian.theorem2 import robust_variances
from featlab.gaussian.trust_region import divide, surplus


def inner_maximum(v: ArrayLike, cov: ArrayLike, radius: float) -> np.ndarray:
    """The strongest perturbation of every residual v = x - y mu, (n, d) -> (n, d), each of length radius.

        max_{||delta||_2 <= radius}  (v + delta)' A (v + delta),     A = Sigma^-1
        delta = (eta I - A)^-1 A v,  eta >= lambda_max(A),  ||delta||_2 = radius

    A convex quadratic over a ball, solved row by row to rounding. In the hard case (v has no part along the
    top axis of A, and the rest does not use up the radius) eta = lambda_max(A) and the remaining length goes
    along that axis; either sign is optimal, + is returned.
    """
    variances, axes = eigenvalues(cov)
    radius = check_radius(radius)
    if math.isinf(radius):
        raise ValueError("an adversary of infinite radius has no best perturbation; give a finite radius")
    return _strongest(check_points(v, len(variances)) @ axes, 1 / variances, radius) @ axes.T


def exact_robust_covariance(
    cov: ArrayLike, radius: float, *, samples: int = 2**13, seed: int = 0
) -> np.ndarray:
    """The covariance (d, d) that solves the robust problem (11), with radius the ball of every sample; the
    mean is mu* as before.

        min_Sigma E max_{||delta||_2 <= radius} l(v + delta; 0, Sigma),     v ~ N(0, Sigma*)

    Its solution is the fixed point Sigma = E[(v + delta)(v + delta)'], and it shares the axes of Sigma* (flip
    the sign of v along one). The loss is convex in the logarithms of the precisions, so those are found by
    L-BFGS, with the expectation over scrambled Sobol points: `samples` of them, a power of 2. Relative error
    of the variances at the default: about 1e-3 or less.

    radius = 0 gives Sigma*; radius = inf gives inf on the diagonal, the shape of the identity. Theorem 2's
    answer is `robust_covariance`.
    """
    variances, axes = eigenvalues(cov)
    radius = check_radius(radius)
    if radius == 0 or math.isinf(radius):
        return _rebuild(robust_variances(variances, radius), axes)
    u = _standard_normal(samples, len(variances), seed) * np.sqrt(variances)

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        precision = np.exp(theta)
        delta = _strongest(u, precision, radius)
        # E v^2 is known; only the rest needs the sample
        moved = variances + (delta * (2 * u + delta)).mean(0)
        return 0.5 * (precision @ moved - theta.sum()), 0.5 * (precision * moved - 1)

    start = -np.log(robust_variances(variances, radius))
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-7, "maxls": 50}
    )
    if not np.abs(found.jac).max() < 1e-3:
        raise RuntimeError(
            f"no fixed point found to three digits (off by {np.abs(found.jac).max():.1g}); try more samples"
        )
    return _rebuild(np.exp(-found.x), axes)


def _strongest(u: np.ndarray, precision: np.ndarray, radius: float) -> np.ndarray:
    """inner_maximum in the axes of A, where A = diag(precision): u (n, d) -> delta (n, d)."""
    if radius == 0:
        return np.zeros_like(u)
    pull = precision * u
    eta_above_top = surplus(np.abs(pull), precision, radius)
    delta = divide(pull, eta_above_top[:, None] + (precision.max() - precision))
    left = radius**2 - (delta**2).sum(1)
    top = int(precision.argmax())
    hard = left > 1e-9 * radius**2
    delta[hard, top] += np.sqrt(left[hard])
    return delta * (radius / np.linalg.norm(delta, axis=1, keepdims=True))


def _standard_normal(n: int, d: int, seed: int) -> np.ndarray:
    """n quasi-random standard normal points, (n, d)."""
    from scipy.stats import qmc  # half a second to import, and nothing else here needs it

    check_rng(seed)
    n = check_count(n, "samples")
    if n < 2 or n & (n - 1):
        raise ValueError(f"samples must be a power of 2, which is where Sobol points are even, got {n}")
    return ndtri(qmc.Sobol(d, seed=seed).random(n))


def _rebuild(variances: np.ndarray, axes: np.ndarray) -> np.ndarray:
    if np.isinf(variances).all():
        return np.diag(variances)
    return axes * variances @ axes.T
