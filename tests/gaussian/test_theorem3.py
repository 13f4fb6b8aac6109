"""Theorem 3: gradients of a robust rule point nearer to the other class."""

import numpy as np
import pytest
from covariances import covariances, eigenvalues, few, lawful, seeds
from hypothesis import assume, given
from hypothesis import strategies as st

from featlab import gaussian as g


@pytest.mark.parametrize(
    "variance, cosines",
    [(9, {0: 0.600, 0.01: 0.638, 1: 0.837, 100: 0.992}), (25, {0: 0.385, 0.01: 0.417, 1: 0.642, 100: 0.973})],
)
def test_theorem_3_oracles(variance, cosines):
    for squared_budget, cosine in cosines.items():
        robust = g.robust_covariance(np.diag([variance, 1]), np.sqrt(squared_budget))
        assert g.worst_alignment(robust) == pytest.approx(cosine, abs=5e-4)


@lawful
@given(covariances(), seeds)
def test_no_mean_is_worse_aligned_than_the_worst(cov, seed):
    worst = g.worst_alignment(cov)
    assert g.alignment(g.worst_mean(cov), cov) == pytest.approx(worst, rel=1e-6)
    means = np.random.default_rng(seed).standard_normal((200, len(cov))) @ cov
    assert (g.alignment(means, cov) >= worst * (1 - 1e-6)).all()
    w = g.weights(means[0], cov)
    cosine = means[0] @ w / np.linalg.norm(means[0]) / np.linalg.norm(w)
    assert g.alignment(means[0], cov) == pytest.approx(cosine, rel=1e-6)


@lawful
@given(covariances(min_d=2), st.floats(-3, 3))
def test_robust_training_improves_the_worst_alignment(cov, power):
    s = eigenvalues(cov)
    assume(s[-1] > 1.01 * s[0])
    before, after = (
        g.worst_alignment(cov),
        g.worst_alignment(g.robust_covariance(cov, 10**power * np.sqrt(s[0]))),
    )
    assert before < after <= 1


@lawful
@given(covariances(min_d=2, decades=4), seeds, st.floats(-3, 3))
def test_robust_training_improves_the_alignment_of_every_mean(cov, seed, power):
    """Stronger than Theorem 3, which promises the worst mean only."""
    robust = g.robust_covariance(cov, 10**power * np.sqrt(eigenvalues(cov)[0]))
    means = np.random.default_rng(seed).standard_normal((50, len(cov)))
    assert (g.alignment(means, robust) >= g.alignment(means, cov) - 1e-9).all()
    assert (g.alignment(means @ cov, robust) >= g.alignment(means @ cov, cov) - 1e-9).all()


@few
@given(st.floats(1.2, 8), st.floats(10, 80), st.floats(0.1, 3))
def test_robust_training_turns_every_tilted_mean_strictly_nearer_in_the_plane(ratio, tilt, radius):
    stretched = g.planar(ratio, tilt)
    assert g.alignment([1, 0], g.robust_covariance(stretched, radius)) > g.alignment([1, 0], stretched)


def test_a_round_covariance_points_at_the_mean():
    assert g.worst_alignment(3 * np.eye(4)) == g.worst_alignment([[2.0]]) == 1
    assert g.alignment([1, 2], np.eye(2)) == pytest.approx(1)
