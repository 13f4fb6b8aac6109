"""Theorem 1: a model is vulnerable where the data's metric Sigma^-1 and the adversary's metric disagree.

The adversary pays for its perturbation: with v = x - y mu it solves

    max_delta  (v + delta)' Sigma^-1 (v + delta) - C ||delta||_2^2

The penalty is the *squared* norm: with the norm itself the maximum would be infinite, since the first term
grows quadratically.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from featlab.gaussian.checks import check_count, check_number, check_points, check_positive, eigenvalues


def optimal_perturbation(v: ArrayLike, cov: ArrayLike, C: float) -> np.ndarray:
    """The adversary's best reply delta* = (C Sigma - I)^-1 v to residuals v = x - y mu; both (n, d).

    C = inf gives 0.
    """
    variances, axes = eigenvalues(cov)
    strength = _strength(variances, C)
    return check_points(v, len(variances)) @ axes / strength @ axes.T


def vulnerability(cov: ArrayLike, C: float) -> float:
    """How much loss the adversary adds (the right-hand side of Theorem 1), in nats.

        L_adv - L = tr[ (I + (C Sigma - I)^-1)^2 ] - d  =  sum_i (C s_i / (C s_i - 1))^2 - 1

    Exact for the quadratic loss v' Sigma^-1 v with penalty C ||delta||^2. For `nll`, which carries the factor
    one half (and the penalty C/2 ||delta||^2), the gap is exactly half of it. L_adv is the loss at the
    perturbed point; the penalty is not part of it. cov (d, d), C a price above 1 / (least eigenvalue); C =
    inf gives 0.
    """
    variances, _ = eigenvalues(cov)
    excess = 1 / _strength(variances, C)  # C s / (C s - 1) = 1 + excess
    return float((excess * (2 + excess)).sum())


def least_vulnerable(trace: float, d: int) -> np.ndarray:
    """Theorem 1's minimiser: among covariances (d, d) with this trace, (trace / d) I is the least vulnerable,
    whatever C > d / trace.

    Each eigenvalue adds a convex function of itself, so by Jensen's inequality equal eigenvalues are best.
    """
    d = check_count(d, "the number of dimensions d", least=1)
    return check_positive(trace, "the trace, a total variance,") / d * np.eye(d)


def _strength(variances: np.ndarray, C: float) -> np.ndarray:
    """C s_i - 1, (d,), all positive."""
    C = check_number(C, "C, a price,")
    if math.isnan(C) or not C * variances[0] > 1:
        raise ValueError(
            f"C = {C:g} does not exceed 1 / (least eigenvalue) = {1 / variances[0]:g}: along that "
            "axis the loss grows faster than the "
            "penalty, so the adversary's gain is unbounded and no optimal perturbation exists; "
            "choose a larger C"
        )
    return C * variances - 1
