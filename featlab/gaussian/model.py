"""The model of eq.

(9), its maximum-likelihood fit (10), and what any linear rule achieves in it, clean and attacked.

y uniform on {-1, +1},    x ~ N(y mu, Sigma)                                                           eq. (9)
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from featlab.gaussian.checks import (
    check_count,
    check_direction,
    check_mean,
    check_number,
    check_points,
    check_positive,
    check_radii,
    check_radius,
    check_rng,
    check_signs,
    eigenvalues,
)


def planar(ratio: float, tilt: float = 0.0, trace: float = 4.0) -> np.ndarray:
    """A covariance (2, 2) to draw: sd_long / sd_short = ratio, long axis at tilt degrees,
    total variance = trace whatever the ratio.
    """
    ratio, trace = (
        check_positive(ratio, "an axis ratio"),
        check_positive(trace, "the trace, a total variance,"),
    )
    if not np.isfinite([ratio, trace, check_number(tilt, "tilt, in degrees,")]).all():
        raise ValueError(f"ratio, tilt and trace must be finite to be drawn, got {ratio}, {tilt} and {trace}")
    long, short = np.array([ratio**2, 1]) * trace / (1 + ratio**2)
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    return np.array(
        [
            [long * c * c + short * s * s, (long - short) * c * s],
            [(long - short) * c * s, long * s * s + short * c * c],
        ]
    )


def sample(
    n: int, mu: ArrayLike, cov: ArrayLike, rng: np.random.Generator | int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from eq. (9): points x (n, d) and labels y (n,) in {-1, +1}. rng is a Generator or a seed."""
    variances, axes = eigenvalues(cov)
    mu = check_mean(mu, len(variances))
    n, rng = check_count(n, "the number of points"), check_rng(rng)
    y = rng.choice([-1.0, 1.0], size=n)
    v = rng.standard_normal((n, len(mu))) * np.sqrt(variances) @ axes.T
    return y[:, None] * mu + v, y


def nll(x: ArrayLike, y: ArrayLike, mu: ArrayLike, cov: ArrayLike) -> np.ndarray:
    """Negative log-likelihood of each point, (n,) nats.

    l(x; y mu, Sigma) = 1/2 (x - y mu)' Sigma^-1 (x - y mu) + 1/2 log det(2 pi Sigma)
    """
    variances, axes = eigenvalues(cov)
    mu = check_mean(mu, len(variances))
    x = check_points(x, len(mu))
    y = check_signs(y, len(x))
    u = (x - y[:, None] * mu) @ axes
    return 0.5 * (u**2 / variances).sum(1) + 0.5 * np.log(2 * np.pi * variances).sum()


def maximum_likelihood(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """The minimiser of the mean nll, eq. (10): mu (d,) = mean of y x,
    Sigma (d, d) = second moment of x - y mu. Needs n > d points.
    """
    x = check_points(x)
    y = check_signs(y, len(x))
    if len(x) <= x.shape[1]:
        raise ValueError(
            f"{len(x)} points cannot determine a covariance in {x.shape[1]} dimensions; give at "
            f"least {x.shape[1] + 1}"
        )
    mu = (y[:, None] * x).mean(0)
    v = x - y[:, None] * mu
    return mu, v.T @ v / len(v)


def weights(mu: ArrayLike, cov: ArrayLike) -> np.ndarray:
    """The likelihood test is linear: w = Sigma^-1 mu, (d,).

    It is also the direction of its input gradient.
    """
    variances, axes = eigenvalues(cov)
    return axes @ (axes.T @ check_mean(mu, len(variances)) / variances)


def classify(x: ArrayLike, mu: ArrayLike, cov: ArrayLike) -> np.ndarray:
    """The likelihood test y(x) = sign(x' Sigma^-1 mu), (n,) in {-1, +1}; ties go to +1."""
    w = weights(mu, cov)
    return np.where(check_points(x, len(w)) @ w >= 0, 1.0, -1.0)


def accuracy(w: ArrayLike, x: ArrayLike, y: ArrayLike, radius: float = 0.0) -> float:
    """Share of points that sign(w.x) gets right wherever they move in their ball ||delta||_2 <= radius:
    y w.x > radius ||w||_2.
    """
    x = check_points(x)
    w = check_direction(w, x.shape[1])
    margin = check_signs(y, len(x)) * (x @ w)
    return float((margin > check_radius(radius) * np.linalg.norm(w)).mean())


def clean_accuracy(w: ArrayLike, mu: ArrayLike, cov: ArrayLike) -> float | np.ndarray:
    """Accuracy of the rule sign(w.x) under eq. (9): Phi( w.mu / sqrt(w' Sigma w) ).

    w is (d,), or (..., d) for many rules at once.
    """
    return robust_accuracy(w, mu, cov, 0.0)


def robust_accuracy(w: ArrayLike, mu: ArrayLike, cov: ArrayLike, radius: ArrayLike) -> float | np.ndarray:
    """Accuracy of sign(w.x) when each point may move anywhere in its ball ||delta||_2 <= radius.

        Phi( (w.mu - radius ||w||_2) / sqrt(w' Sigma w) )

    Exact for every linear rule. w is (d,), giving a float, or (..., d), giving one number a rule; radii
    broadcast against the rules. radius = inf gives 0.
    """
    mean, length, spread = _score(w, mu, cov)
    return ndtr((mean - check_radii(radius) * length) / spread)[()]


def rho(a: ArrayLike, mu: ArrayLike, cov: ArrayLike) -> float | np.ndarray:
    """Usefulness, eq.

    (1), of the linear feature f(x) = a.x / s, s^2 = E[(a.x)^2] = a' Sigma a + (a.mu)^2, signed to be useful.

        rho(f) = E[y f(x)] = |a.mu| / s

    a is (d,), or (k, d) for k features; a = np.eye(d) are the coordinates.
    """
    return gamma(a, mu, cov, 0.0)


def gamma(a: ArrayLike, mu: ArrayLike, cov: ArrayLike, radius: ArrayLike) -> float | np.ndarray:
    """Robust usefulness, eq. (2), of the same feature under the ball ||delta||_2 <= radius.

        gamma(f) = E[ inf_delta y f(x + delta) ] = (|a.mu| - radius ||a||_2) / s

    Negative: useful and non-robust. Radii of any shape broadcast against the features (..., d). radius = inf
    gives -inf.
    """
    mean, length, spread = _score(a, mu, cov)
    return ((np.abs(mean) - check_radii(radius) * length) / np.hypot(spread, mean))[()]


def _score(w: ArrayLike, mu: ArrayLike, cov: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the score y w.x: its mean w.mu, its steepness ||w||_2 and its standard deviation sqrt(w' Sigma w),
    each (...).
    """
    variances, axes = eigenvalues(cov)
    mu = check_mean(mu, len(variances))
    w = check_direction(w, len(mu))
    return w @ mu, np.linalg.norm(w, axis=-1), np.linalg.norm(w @ axes * np.sqrt(variances), axis=-1)
