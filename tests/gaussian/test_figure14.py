"""Figure 14: on separable data accuracy and robustness need not conflict."""

import numpy as np
import pytest

from featlab import gaussian as g


def test_figure_14_accuracy_and_robustness_need_not_conflict():
    x, y = g.sample_separable(50_000)
    mu, cov = g.maximum_likelihood(x, y)
    standard, robust = g.weights(mu, cov), g.robust_direction(mu, cov, 1)
    assert g.accuracy(standard, x, y) == 1 and g.accuracy(standard, x, y, 1) == pytest.approx(
        0.495, abs=0.015
    )
    assert g.accuracy(robust, x, y) == g.accuracy(robust, x, y, 1) == g.accuracy([1, 0], x, y, 1) == 1


def test_logistic_regression_turns_to_the_largest_l2_margin():
    """x_1 >= 2 and x_2 >= 0.2: the margin is largest along (2, 0.2),
    and that rule is robust at radius 1 without robust training.
    """
    x, y = g.sample_separable(20_000)
    w = g.logistic_regression(x, y, 1e-5)
    cosine = w @ [2, 0.2] / np.linalg.norm(w) / np.linalg.norm([2, 0.2])
    assert cosine > 0.98 and g.accuracy(w, x, y, 1) == 1


@pytest.mark.parametrize("ridge", [1e-3, 0.1, 10.0])
def test_the_weights_have_the_least_loss_with_its_ridge(ridge):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((200, 3)), rng.choice([-1.0, 1.0], 200)
    w = g.logistic_regression(x, y, ridge)

    def loss(v):
        return np.log1p(np.exp(-y * (x @ v))).mean() + ridge / 2 * v @ v

    for step in 1e-2 * np.vstack([np.eye(3), -np.eye(3)]):
        assert loss(w + step) > loss(w)
