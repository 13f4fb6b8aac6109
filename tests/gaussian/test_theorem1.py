"""Theorem 1: vulnerability in closed form against the attack that it is claimed for."""

import numpy as np
import pytest
from covariances import THREE, covariances, eigenvalues, few, lawful, seeds
from hypothesis import given
from hypothesis import strategies as st

from featlab import gaussian as g


def test_vulnerability_oracle():
    assert g.vulnerability(THREE, 3) == pytest.approx(9.440, abs=5e-4)
    assert g.vulnerability(THREE, np.inf) == 0
    np.testing.assert_array_equal(g.optimal_perturbation([[1, 2, 3]], THREE, np.inf), [[0, 0, 0]])


@lawful
@given(covariances(decades=3), st.floats(1.05, 100))
def test_vulnerability_is_the_trace_of_theorem_1(cov, excess):
    C, one = excess / eigenvalues(cov)[0], np.eye(len(cov))
    inside = one + np.linalg.inv(C * cov - one)
    assert g.vulnerability(cov, C) == pytest.approx(np.trace(inside @ inside) - len(cov), rel=1e-6, abs=1e-9)


@few
@given(covariances(max_d=6, decades=1.5), seeds, st.floats(4, 50))
def test_the_nll_rises_by_half_the_vulnerability(cov, seed, excess):
    C, mu = excess / eigenvalues(cov)[0], np.ones(len(cov))
    x, y = g.sample(40_000, mu, cov, seed)
    delta = g.optimal_perturbation(x - y[:, None] * mu, cov, C)
    rise = g.nll(x + delta, y, mu, cov) - g.nll(x, y, mu, cov)
    assert rise.mean() == pytest.approx(g.vulnerability(cov, C) / 2, abs=5 * rise.std() / np.sqrt(len(x)))


def test_theorem_1_read_to_the_letter_is_half_of_the_vulnerability_at_twice_the_price():
    """The NLL with its half and penalty C ||delta||^2: neither 9.440 nor 4.720 for the same data."""
    C, mu = 3.0, np.zeros(3)
    v, y = g.sample(20_000, mu, THREE, 2)
    best = g.optimal_perturbation(v, THREE, 2 * C)

    def objective(delta):
        return g.nll(v + delta, y, mu, THREE) - C * (delta**2).sum(1)

    for shift in 0.1 * np.vstack([np.eye(3), -np.eye(3)]):
        assert (objective(best + shift) < objective(best)).all()
    rise = g.nll(v + best, y, mu, THREE) - g.nll(v, y, mu, THREE)
    assert g.vulnerability(THREE, 2 * C) / 2 == pytest.approx(0.8894, abs=5e-5)
    assert rise.mean() == pytest.approx(0.8894, abs=5 * rise.std() / np.sqrt(len(v)))


@few
@given(covariances(max_d=20, decades=3), seeds, st.floats(1.1, 20))
def test_the_optimal_perturbation_beats_every_other(cov, seed, excess):
    C, rng = excess / eigenvalues(cov)[0], np.random.default_rng(seed)
    v = g.sample(20, np.zeros(len(cov)), cov, rng)[0]

    def objective(delta):
        moved = v + delta
        return np.einsum("ni,ij,nj->n", moved, np.linalg.inv(cov), moved) - C * (delta**2).sum(1)

    best = g.optimal_perturbation(v, cov, C)
    for scale in (1e-2, 0.3, 1):
        other = best + scale * rng.standard_normal(v.shape) * np.abs(best).mean()
        assert (objective(other) <= objective(best) + 1e-7 * np.abs(objective(best))).all()
    assert (objective(best) >= objective(0 * v)).all()


@lawful
@given(covariances(decades=1, min_d=2), st.floats(1.01, 10))
def test_a_multiple_of_the_identity_is_least_vulnerable(cov, excess):
    C, trace = excess / eigenvalues(cov)[0], np.trace(cov)
    least = g.least_vulnerable(trace, len(cov))
    assert np.trace(least) == pytest.approx(trace)
    assert g.vulnerability(least, C) <= g.vulnerability(cov, C) * (1 + 1e-9)
