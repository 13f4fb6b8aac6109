"""What is no mean, rule, covariance, radius or price is refused with the reason."""

import numpy as np
import pytest
from covariances import THREE

from featlab import gaussian as g

ONE = np.eye(2)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: g.multiplier([1.0, 2.0], 1), "np.diag"),
        (lambda: g.multiplier([[1, 2, 3], [4, 5, 6]], 1), r"\(d, d\)"),
        (lambda: g.multiplier(np.zeros((0, 0)), 1), r"\(d, d\)"),
        (lambda: g.multiplier([[1, 0.5], [0.4, 1]], 1), "symmetric"),
        (lambda: g.multiplier([[1, 2], [2, 1]], 1), "positive definite"),
        (lambda: g.multiplier([[1, 1], [1, 1]], 1), "positive definite"),
        (lambda: g.multiplier(np.diag([1, 0]), 1), "positive definite"),
        (lambda: g.multiplier([[np.nan, 0], [0, 1]], 1), "nan"),
        (lambda: g.multiplier(ONE, -1), "radius"),
        (lambda: g.multiplier(ONE, np.nan), "radius"),
        (lambda: g.multiplier(ONE, [1, 2]), "robust_path"),
        (lambda: g.planar(0), "axis ratio"),
        (lambda: g.robust_covariance(ONE, -0.1), "radius"),
        (lambda: g.exact_robust_covariance(ONE, -0.1), "radius"),
        (lambda: g.exact_robust_covariance(ONE, 1, samples=1000), "power of 2"),
        (lambda: g.inner_maximum([[1, 1]], ONE, np.inf), "infinite"),
        (lambda: g.inner_maximum([1, 1], ONE, 1), r"\(n, 2\)"),
        (lambda: g.budget(ONE, 0), "above 0"),
        (lambda: g.robust_path(ONE, [1, -1]), "above 0"),
        (lambda: g.vulnerability(THREE, 2), "least eigenvalue"),
        (lambda: g.vulnerability(THREE, -1), "least eigenvalue"),
        (lambda: g.vulnerability(THREE, np.nan), "least eigenvalue"),
        (lambda: g.optimal_perturbation([[1, 1]], ONE, 1), "least eigenvalue"),
        (lambda: g.least_vulnerable(-1, 2), "trace"),
        (lambda: g.least_vulnerable(1, 0), "dimensions"),
        (lambda: g.clean_accuracy([1, 0], [1, 0, 0], ONE), "length"),
        (lambda: g.clean_accuracy([1, 0, 0], [1, 0], ONE), "weight"),
        (lambda: g.clean_accuracy([0, 0], [1, 0], ONE), "all weights 0"),
        (lambda: g.robust_accuracy([1, 0], [1, 0], ONE, -1), "radius"),
        (lambda: g.gamma([1, 0, 0], [1, 0], ONE, 1), "weight"),
        (lambda: g.rho([1, 0], [1, np.inf], ONE), "finite"),
        (lambda: g.sample(3, [1, 2, 3], ONE), "length"),
        (lambda: g.nll([[1, 2]], [0], [1, 1], ONE), "2 \\* y - 1"),
        (lambda: g.maximum_likelihood([[1, 2]], [1]), "at least 3"),
        (lambda: g.alignment([0, 0], ONE), "all weights 0"),
        (lambda: next(g.adversarial_training(ONE, np.inf)), "infinite"),
        (lambda: next(g.adversarial_training(ONE, 1, step=0)), "step"),
    ],
)
def test_bad_input_is_refused_with_its_reason(call, words):
    with pytest.raises(ValueError, match=words):
        call()
