"""Two Gaussians (section 4): when adversarial vulnerability happens, what robust training learns, where its
gradients point.

numpy and scipy only. In the order of the paper:

    model      eq. (9), (10)  sample, nll, maximum_likelihood, classify; accuracy of a linear rule, clean and
               attacked; rho, gamma
    theorem1   vulnerability from misaligned metrics: optimal_perturbation, vulnerability, least_vulnerable
    theorem2   what robust training learns: multiplier, robust_covariance, robust_path, multiplier_bounds,
               adversarial_training
    exact      eq. (11) as written, a ball for every sample: inner_maximum, exact_robust_covariance
    theorem3   where gradients point: alignment, worst_alignment, worst_mean
    figure14   separable data: accuracy and robustness need not conflict

Units are those of x. A *radius* is one of two things, and each docstring says which: of the ball ||delta||_2
<= radius around every sample, or of the average budget, sqrt(E ||delta||_2^2) <= radius. A variance is an
eigenvalue of Sigma, sd its square root.
"""

from featlab.gaussian.exact import exact_robust_covariance, inner_maximum
from featlab.gaussian.figure14 import logistic_regression, sample_separable
from featlab.gaussian.model import (
    accuracy,
    classify,
    clean_accuracy,
    gamma,
    maximum_likelihood,
    nll,
    planar,
    rho,
    robust_accuracy,
    sample,
    weights,
)
from featlab.gaussian.theorem1 import least_vulnerable, optimal_perturbation, vulnerability
from featlab.gaussian.theorem2 import (
    adversarial_training,
    budget,
    multiplier,
    multiplier_bounds,
    robust_covariance,
    robust_direction,
    robust_path,
)
from featlab.gaussian.theorem3 import alignment, worst_alignment, worst_mean

__all__ = [
    "accuracy",
    "adversarial_training",
    "alignment",
    "budget",
    "classify",
    "clean_accuracy",
    "exact_robust_covariance",
    "gamma",
    "inner_maximum",
    "least_vulnerable",
    "logistic_regression",
    "maximum_likelihood",
    "multiplier",
    "multiplier_bounds",
    "nll",
    "optimal_perturbation",
    "planar",
    "rho",
    "robust_accuracy",
    "robust_covariance",
    "robust_direction",
    "robust_path",
    "sample",
    "sample_separable",
    "vulnerability",
    "weights",
    "worst_alignment",
    "worst_mean",
]
