"""Equations (9) and (10) against their definitions: densities, samples, accuracies, rho and gamma."""

import numpy as np
import pytest
from covariances import THREE, covariances, few, lawful, seeds
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from featlab import gaussian as g


@few
@given(covariances(max_d=20, decades=4), seeds)
def test_nll_is_the_gaussian_log_density(cov, seed):
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal(len(cov))
    x, y = g.sample(7, mu, cov, rng)
    expected = [-multivariate_normal.logpdf(p, label * mu, cov) for p, label in zip(x, y, strict=True)]
    np.testing.assert_allclose(g.nll(x, y, mu, cov), expected, rtol=1e-6)


@few
@given(covariances(max_d=10, decades=3), seeds)
def test_maximum_likelihood_minimises_the_nll(cov, seed):
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal(len(cov))
    x, y = g.sample(50, mu, cov, rng)
    mu_hat, cov_hat = g.maximum_likelihood(x, y)
    best = g.nll(x, y, mu_hat, cov_hat).mean()
    other = cov_hat * 1.05
    assert g.nll(x, y, mu_hat, other).mean() > best
    assert g.nll(x, y, mu_hat + 0.1 * np.sqrt(np.diag(cov)), cov_hat).mean() > best
    assert g.nll(x, y, mu_hat, cov_hat + 0.1 * np.diag(np.diag(cov_hat))).mean() > best


def test_maximum_likelihood_recovers_the_parameters_of_a_large_sample():
    mu = np.array([1.0, -2.0, 0.5])
    mu_hat, cov_hat = g.maximum_likelihood(*g.sample(200_000, mu, THREE, 1))
    np.testing.assert_allclose(mu_hat, mu, atol=0.02)
    np.testing.assert_allclose(cov_hat, THREE, atol=0.05)


@few
@given(covariances(max_d=20, decades=4), seeds)
def test_the_classifier_takes_the_likelier_class(cov, seed):
    rng = np.random.default_rng(seed)
    mu = rng.standard_normal(len(cov))
    x, _ = g.sample(50, mu, cov, rng)
    plus, minus = g.nll(x, np.ones(50), mu, cov), g.nll(x, -np.ones(50), mu, cov)
    sure = np.abs(plus - minus) > 1e-6 * (1 + np.abs(plus))
    np.testing.assert_array_equal(g.classify(x, mu, cov)[sure], np.where(plus < minus, 1, -1)[sure])


@lawful
@given(covariances(), seeds, st.floats(0, 3))
def test_accuracies_agree_with_monte_carlo(cov, seed, relative_radius):
    rng = np.random.default_rng(seed)
    mu, w = rng.standard_normal((2, len(cov))) * np.sqrt(np.diag(cov))
    radius = relative_radius * abs(w @ mu) / np.linalg.norm(w)
    x, y = g.sample(4000, mu, cov, rng)
    p = g.robust_accuracy(w, mu, cov, radius)
    assert abs(g.accuracy(w, x, y, radius) - p) < 5 * np.sqrt(p * (1 - p) / 4000) + 2e-3
    assert g.robust_accuracy(w, mu, cov, 0) == g.clean_accuracy(w, mu, cov) >= p
    assert g.robust_accuracy(w, mu, cov, np.inf) == 0
    assert g.robust_accuracy(3 * w, mu, cov, radius) == pytest.approx(p, abs=1e-9)


def test_the_attack_behind_robust_accuracy_is_the_worst_in_the_ball():
    rng = np.random.default_rng(0)
    w, radius = np.array([1.0, -2.0]), 0.7
    x, y = g.sample(300, [1, 0], np.eye(2), rng)
    angles = np.linspace(0, 2 * np.pi, 721)
    ring = radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    survives = ((y[:, None] * ((x[:, None] + ring) @ w)) > 0).all(1)
    assert g.accuracy(w, x, y, radius) == survives.mean()


def test_many_rules_at_once_are_one_by_one():
    rules, mu = np.array([[1.0, 0, 2], [0, -1, 1]]), np.array([0.5, 1, 1])
    np.testing.assert_allclose(
        g.robust_accuracy(rules, mu, THREE, 0.3), [g.robust_accuracy(w, mu, THREE, 0.3) for w in rules]
    )
    np.testing.assert_allclose(g.gamma(rules, mu, THREE, 0.3), [g.gamma(w, mu, THREE, 0.3) for w in rules])
    np.testing.assert_allclose(g.alignment(rules, THREE), [g.alignment(w, THREE) for w in rules])


@lawful
@given(covariances(), seeds, st.floats(0, 2))
def test_rho_and_gamma_are_expectations_of_a_standardised_feature(cov, seed, eps):
    rng = np.random.default_rng(seed)
    mu, a = rng.standard_normal((2, len(cov)))
    x, y = g.sample(4000, mu, cov, rng)
    useful = a if a @ mu > 0 else -a
    scale = np.sqrt(a @ cov @ a + (a @ mu) ** 2)
    attacked = x - eps * y[:, None] * useful / np.linalg.norm(a)
    tolerance = 5 / np.sqrt(4000)
    assert abs(g.rho(a, mu, cov) - (y * (x @ useful)).mean() / scale) < tolerance
    assert abs(g.gamma(a, mu, cov, eps) - (y * (attacked @ useful)).mean() / scale) < tolerance
    assert g.gamma(a, mu, cov, eps) == pytest.approx(
        g.rho(a, mu, cov) - eps * np.linalg.norm(a) / scale, abs=1e-9
    )
    assert 0 <= g.rho(a, mu, cov) <= 1 and g.gamma(a, mu, cov, np.inf) == -np.inf


def test_coordinate_features():
    rho, gamma = g.rho(np.eye(2), [1, -3], np.diag([3, 7])), g.gamma(np.eye(2), [1, -3], np.diag([3, 7]), 2)
    np.testing.assert_allclose(rho, [1 / 2, 3 / 4])
    np.testing.assert_allclose(gamma, [-1 / 2, 1 / 4])


def test_many_radii_at_once_are_one_by_one():
    eps, mu = np.array([0, 0.3, np.inf]), [0.5, 1, 1]
    np.testing.assert_allclose(
        g.robust_accuracy([1, 0, 2], mu, THREE, eps),
        [g.robust_accuracy([1, 0, 2], mu, THREE, r) for r in eps],
    )
    np.testing.assert_allclose(
        g.gamma(np.eye(3), mu, THREE, eps[:, None]), [g.gamma(np.eye(3), mu, THREE, r) for r in eps]
    )


@few
@given(st.floats(1, 1e3), st.floats(-180, 180), st.floats(0.1, 10))
def test_a_planar_covariance_has_the_asked_shape(ratio, tilt, trace):
    s, axes = np.linalg.eigh(g.planar(ratio, tilt, trace))
    assert s.sum() == pytest.approx(trace) and np.sqrt(s[1] / s[0]) == pytest.approx(ratio, rel=1e-6)
    along = np.array([np.cos(np.radians(tilt)), np.sin(np.radians(tilt))])
    assert ratio < 1.001 or abs(axes[:, 1] @ along) == pytest.approx(1)
