"""Theorem 3: the loss gradient with respect to x is parallel to Sigma^-1 mu; how far from mu can it point?"""

import numpy as np
from numpy.typing import ArrayLike

from featlab.gaussian.checks import check_direction, check_mean, eigenvalues


def alignment(mu: ArrayLike, cov: ArrayLike) -> float | np.ndarray:
    """Cosine of the angle between mu and the input gradient's direction Sigma^-1 mu, in (0, 1].

    mu is (d,), or (..., d) for many.
    """
    variances, axes = eigenvalues(cov)
    u = check_direction(mu, len(variances)) @ axes
    u = u / np.linalg.norm(u, axis=-1, keepdims=True)
    g = u * (variances[0] / variances)
    return ((u * g).sum(-1) / np.linalg.norm(g, axis=-1))[()]


def worst_alignment(cov: ArrayLike) -> float:
    """The least cosine over all means (Kantorovich): min_mu cos(mu, Sigma^-1 mu) = 2 sqrt(k) / (1 + k), k =
    cond(Sigma).

    1 exactly for a multiple of the identity. Robust training brings k, and with it the angle, down at every
    radius above 0.
    """
    variances, _ = eigenvalues(cov)
    ratio = np.sqrt(variances[0] / variances[-1])
    return float(2 * ratio / (1 + ratio**2))


def worst_mean(cov: ArrayLike) -> np.ndarray:
    """A unit mean (d,) that attains worst_alignment: sd_max along the
    longest axis plus sd_min along the shortest.
    """
    variances, axes = eigenvalues(cov)
    if len(variances) == 1:
        return axes[:, 0]
    mu = np.sqrt(variances[-1]) * axes[:, -1] + np.sqrt(variances[0]) * axes[:, 0]
    return check_mean(mu / np.linalg.norm(mu), len(variances))
