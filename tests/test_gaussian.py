"""featlab.gaussian against its definitions: laws, oracles and limits; Monte Carlo and brute force where a closed form is claimed."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import multivariate_normal

from featlab import gaussian as g

THREE = np.diag([4.0, 1.0, 0.5])
lawful = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
few = settings(lawful, max_examples=15)
seeds = st.integers(0, 2**32 - 1)
radii = st.floats(-6, 6).map(lambda p: 10.0**p)


def rotation(d, rng):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


@st.composite
def covariances(draw, max_d=50, decades=6.0, min_d=1):
    """Random axes, eigenvalues spread over up to `decades` powers of ten, any scale."""
    d, rng = draw(st.integers(min_d, max_d)), np.random.default_rng(draw(seeds))
    spread = draw(st.floats(0, decades)) * rng.random(d)
    Q = rotation(d, rng)
    cov = 10.0 ** draw(st.floats(-2, 2)) * (Q * 10**spread) @ Q.T
    return (cov + cov.T) / 2


def eigenvalues(cov):
    return np.linalg.eigvalsh(cov)


# --- the model, eq. (9) and (10) ---


def test_importing_brings_neither_torch_nor_plotly():
    code = "import sys, featlab.gaussian; assert not {'torch', 'plotly', 'ipywidgets'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


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
    np.testing.assert_allclose(g.robust_accuracy(rules, mu, THREE, 0.3), [g.robust_accuracy(w, mu, THREE, 0.3) for w in rules])
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
    assert g.gamma(a, mu, cov, eps) == pytest.approx(g.rho(a, mu, cov) - eps * np.linalg.norm(a) / scale, abs=1e-9)
    assert 0 <= g.rho(a, mu, cov) <= 1 and g.gamma(a, mu, cov, np.inf) == -np.inf


def test_coordinate_features():
    rho, gamma = g.rho(np.eye(2), [1, -3], np.diag([3, 7])), g.gamma(np.eye(2), [1, -3], np.diag([3, 7]), 2)
    np.testing.assert_allclose(rho, [1 / 2, 3 / 4])
    np.testing.assert_allclose(gamma, [-1 / 2, 1 / 4])


def test_many_radii_at_once_are_one_by_one():
    eps, mu = np.array([0, 0.3, np.inf]), [0.5, 1, 1]
    np.testing.assert_allclose(g.robust_accuracy([1, 0, 2], mu, THREE, eps), [g.robust_accuracy([1, 0, 2], mu, THREE, r) for r in eps])
    np.testing.assert_allclose(g.gamma(np.eye(3), mu, THREE, eps[:, None]), [g.gamma(np.eye(3), mu, THREE, r) for r in eps])


@few
@given(st.floats(1, 1e3), st.floats(-180, 180), st.floats(0.1, 10))
def test_a_planar_covariance_has_the_asked_shape(ratio, tilt, trace):
    s, axes = np.linalg.eigh(g.planar(ratio, tilt, trace))
    assert s.sum() == pytest.approx(trace) and np.sqrt(s[1] / s[0]) == pytest.approx(ratio, rel=1e-6)
    along = np.array([np.cos(np.radians(tilt)), np.sin(np.radians(tilt))])
    assert ratio < 1.001 or abs(axes[:, 1] @ along) == pytest.approx(1)


# --- Theorem 1 ---


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


# --- Theorem 2 ---


@lawful
@given(covariances(), radii)
def test_the_multiplier_spends_the_budget_over_twelve_decades(cov, radius):
    lam = g.multiplier(cov, radius)
    assert g.budget(cov, lam) == pytest.approx(radius, rel=1e-9)
    robust = g.robust_covariance(cov, radius)
    widened = np.sqrt(eigenvalues(robust)) - np.sqrt(eigenvalues(cov))
    digits_left = 1e-8 + 1e-9 * np.sqrt(np.linalg.cond(cov) * eigenvalues(cov)[-1]) / radius
    if digits_left < 0.1:
        assert np.linalg.norm(widened) == pytest.approx(radius, rel=digits_left)


@pytest.mark.parametrize("condition", [1, 1e6, 1e15])
@pytest.mark.parametrize("radius", [1e-150, 1e-12, 1e-6, 1e-3, 1, 1e3, 1e6, 1e12, 1e150])
def test_the_multiplier_at_any_scale_and_condition(condition, radius):
    cov = np.diag([1.0, condition, 3.0])
    assert g.budget(cov, g.multiplier(cov, radius)) == pytest.approx(radius, rel=1e-9)


@lawful
@given(covariances(decades=4), st.floats(-2, 2))
def test_robust_covariance_is_the_papers_formula(cov, power):
    radius = 10**power * np.sqrt(eigenvalues(cov)[-1])
    t, one = 1 / g.multiplier(cov, radius), np.eye(len(cov))
    printed = cov / 2 + t * one + sqrtm(t * cov + cov @ cov / 4).real
    robust = g.robust_covariance(cov, radius)
    np.testing.assert_allclose(robust, printed, rtol=1e-6, atol=1e-6 * np.abs(printed).max())
    np.testing.assert_allclose((robust - t * one) @ (robust - t * one), robust @ cov, atol=1e-6 * np.abs(robust).max() ** 2)
    assert radius**2 == pytest.approx(np.trace(np.linalg.inv(robust)) * t**2, rel=1e-6)


def test_theorem_2_oracle():
    radius = g.budget(THREE, 1)
    assert g.multiplier(THREE, radius) == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(np.diag(g.robust_covariance(THREE, radius)), [5.8284, 2.6180, 2.0000], atol=5e-5)


@few
@given(covariances(max_d=10, decades=2), st.floats(-1, 1), seeds)
def test_the_perturbed_data_have_the_robust_covariance_and_the_budget(cov, power, seed):
    """delta = (lambda Sigma_r - I)^-1 v is the attack on the robust model; Sigma_r is what it turns the data into."""
    radius = 10**power * np.sqrt(eigenvalues(cov)[0])
    robust, lam = g.robust_covariance(cov, radius), g.multiplier(cov, radius)
    v = g.sample(40_000, np.zeros(len(cov)), cov, seed)[0]
    delta = g.optimal_perturbation(v, robust, lam)
    assert (delta**2).sum(1).mean() == pytest.approx(radius**2, rel=0.05)
    np.testing.assert_allclose((v + delta).T @ (v + delta) / len(v), robust, atol=0.06 * np.abs(robust).max())


def test_the_limits_of_the_radius():
    tilted = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert g.multiplier(tilted, 0) == np.inf and g.multiplier(tilted, np.inf) == 0
    np.testing.assert_allclose(g.robust_covariance(tilted, 0), tilted, rtol=1e-14)
    np.testing.assert_array_equal(g.robust_covariance(tilted, np.inf), np.diag([np.inf, np.inf]))
    np.testing.assert_array_equal(g.exact_robust_covariance(tilted, np.inf), np.diag([np.inf, np.inf]))
    np.testing.assert_allclose(g.exact_robust_covariance(tilted, 0), tilted, rtol=1e-14)
    np.testing.assert_allclose(g.robust_direction([3, 4], tilted, np.inf), [0.6, 0.8])
    np.testing.assert_allclose(g.robust_direction([3, 4], tilted, 1e9), [0.6, 0.8], atol=1e-8)
    w = g.weights([3, 4], tilted)
    np.testing.assert_allclose(g.robust_direction([3, 4], tilted, 0), w / np.linalg.norm(w))
    assert g.multiplier_bounds(tilted, 0) == (np.inf, np.inf) and g.multiplier_bounds(tilted, np.inf)[0] == 0


@lawful
@given(covariances(decades=4))
def test_the_multiplier_at_small_and_large_budgets(cov):
    s = eigenvalues(cov)
    small, large = 1e-6 * np.sqrt(s[0]), 1e6 * np.sqrt(s[-1])
    assert g.multiplier(cov, small) == pytest.approx(np.sqrt((1 / s).sum()) / small, rel=1e-4)
    assert g.multiplier(cov, large) == pytest.approx(len(s) / large**2, rel=1e-4)


@lawful
@given(covariances(), radii, st.floats(1.01, 10))
def test_the_multiplier_falls_and_stays_between_the_theorems_bounds(cov, radius, more):
    lam = g.multiplier(cov, radius)
    low, high = g.multiplier_bounds(cov, radius)
    assert low * (1 - 1e-9) <= lam <= high * (1 + 1e-9)
    assert g.multiplier(cov, radius * more) < lam


def test_the_bounds_fail_if_eps_is_read_as_the_radius():
    """With eps = radius the upper bound is C (1 + sqrt(eps)) / sqrt(eps): no constant C saves it as the radius shrinks."""
    ratio = [g.multiplier(THREE, eps) * np.sqrt(eps) / (1 + np.sqrt(eps)) for eps in (1e-2, 1e-4, 1e-6)]
    assert ratio[1] > 5 * ratio[0] and ratio[2] > 5 * ratio[1]


@few
@given(covariances(max_d=10))
def test_the_path_is_the_robust_covariance_of_its_radii(cov):
    lams = np.array([np.inf, *10.0 ** np.arange(3, -4, -2)]) / eigenvalues(cov)[-1]
    path_radii, covs = g.robust_path(cov, lams)
    assert path_radii[0] == 0 and (np.diff(path_radii) > 0).all()
    for lam, radius, robust in zip(lams, path_radii, covs, strict=True):
        assert g.budget(cov, lam) == pytest.approx(radius)
        np.testing.assert_allclose(robust, g.robust_covariance(cov, radius), rtol=1e-6, atol=1e-9 * np.abs(robust).max())


def test_adversarial_training_reaches_theorem_2():
    *_, last = itertools.islice(g.adversarial_training(THREE, g.budget(THREE, 1)), 60)
    np.testing.assert_allclose(np.diag(last.cov), [5.8284, 2.6180, 2.0000], atol=5e-5)
    assert last.multiplier == pytest.approx(1, rel=1e-5)


@few
@given(covariances(max_d=20, decades=2), st.floats(-1, 1))
def test_adversarial_training_converges_and_its_loss_never_rises(cov, power):
    radius = 10**power * np.sqrt(eigenvalues(cov)[-1])
    epochs = list(itertools.islice(g.adversarial_training(cov, radius), 150))
    np.testing.assert_allclose(epochs[0].cov, cov, atol=1e-12 * np.abs(cov).max())
    assert (np.diff([e.loss for e in epochs]) <= 0).all()
    robust = g.robust_covariance(cov, radius)
    np.testing.assert_allclose(epochs[-1].cov, robust, atol=1e-3 * np.abs(robust).max())
    assert epochs[-1].multiplier == pytest.approx(g.multiplier(cov, radius), rel=1e-2)


def test_adversarial_training_without_an_adversary_is_standard_training():
    for epoch in itertools.islice(g.adversarial_training(THREE, 0), 3):
        np.testing.assert_allclose(epoch.cov, THREE)


# --- the exact problem, eq. (11) ---


def quadratic(v, cov):
    return np.einsum("ni,ij,nj->n", v, np.linalg.inv(cov), v)


@lawful
@given(covariances(min_d=2, max_d=2, decades=4), seeds, st.floats(-2, 2))
def test_the_inner_maximum_agrees_with_brute_force_in_the_plane(cov, seed, power):
    radius = 10**power * np.sqrt(eigenvalues(cov)[0])
    v = g.sample(20, [0, 0], cov, seed)[0]
    delta = g.inner_maximum(v, cov, radius)
    np.testing.assert_allclose(np.linalg.norm(delta, axis=1), radius, rtol=1e-9)
    angles = np.linspace(0, 2 * np.pi, 20_001)
    ring = radius * np.stack([np.cos(angles), np.sin(angles)], 1)
    A = np.linalg.inv(cov)
    brute = (((v[:, None] + ring) @ A) * (v[:, None] + ring)).sum(2).max(1)
    np.testing.assert_allclose(quadratic(v + delta, cov), brute, rtol=1e-6)
    assert (quadratic(v + delta, cov) >= brute * (1 - 1e-9)).all()


@lawful
@given(covariances(), seeds, st.floats(-2, 2))
def test_the_inner_maximum_meets_the_optimality_conditions(cov, seed, power):
    """A (v + delta) = eta delta with eta >= lambda_max(A) is necessary and sufficient for the maximum over the sphere."""
    s, rng = eigenvalues(cov), np.random.default_rng(seed)
    assume(s[-1] < 1e6 * s[0])
    radius = 10**power * np.sqrt(s[0])
    v = g.sample(10, np.zeros(len(s)), cov, rng)[0]
    delta = g.inner_maximum(v, cov, radius)
    pulled = (v + delta) @ np.linalg.inv(cov)
    eta = (pulled * delta).sum(1) / radius**2
    assert (eta >= (1 - 1e-6) / s[0]).all()
    np.testing.assert_allclose(pulled, eta[:, None] * delta, atol=1e-6 * np.abs(pulled).max())
    np.testing.assert_allclose(delta[3:4], g.inner_maximum(v[3:4], cov, radius), rtol=1e-9, atol=1e-12 * radius)


def test_the_hard_case_of_the_inner_maximum():
    """No part along the shortest axis: what the rest leaves of the radius goes there, with either sign."""
    cov, radius = np.diag([0.5, 1.0, 2.0]), 3.0
    v = np.array([[0, 1, 0], [0, 0, 0], [1e-300, 1, 0], [1e-17, 2, 3], [0, 50, 50]])
    delta = g.inner_maximum(v, cov, radius)
    np.testing.assert_allclose(np.linalg.norm(delta, axis=1), radius)
    np.testing.assert_allclose(delta[:3], [[8**0.5, 1, 0], [3, 0, 0], [8**0.5, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(delta[3], [2, 2, 1], atol=1e-9)
    assert delta[4, 0] == 0
    ring = np.random.default_rng(0).standard_normal((200_000, 3))
    ring *= radius / np.linalg.norm(ring, axis=1, keepdims=True)
    for row, moved in zip(v, v + delta, strict=True):
        assert quadratic(moved[None], cov)[0] >= quadratic(row + ring, cov).max()


def test_the_inner_maximum_of_no_radius_moves_nothing():
    assert not g.inner_maximum([[1, 2, 3]], THREE, 0).any()


@pytest.mark.parametrize("d, exact, relaxed", [(1, 3.596, 4.000), (2, 2.753, 2.914), (10, 1.717, 1.732)])
def test_exact_and_relaxed_oracles(d, exact, relaxed):
    np.testing.assert_allclose(np.diag(g.exact_robust_covariance(np.eye(d), 1)), exact, atol=1e-3)
    np.testing.assert_allclose(np.diag(g.robust_covariance(np.eye(d), 1)), relaxed, atol=5e-4)


def mean_norm(d):
    """E ||v|| for v ~ N(0, I_d)."""
    return np.sqrt(2) * np.exp(gammaln((d + 1) / 2) - gammaln(d / 2))


@pytest.mark.parametrize("d", [1, 2, 5, 20])
@pytest.mark.parametrize("radius", [0.1, 1, 30])
def test_the_isotropic_exact_solution_in_closed_form(d, radius):
    sd = 2.0
    expected = sd**2 + 2 * radius * sd * mean_norm(d) / d + radius**2 / d
    np.testing.assert_allclose(np.diag(g.exact_robust_covariance(sd**2 * np.eye(d), radius)), expected, rtol=1e-3)


@pytest.mark.parametrize("variances, radius", [((1, 9), 1), ((1, 9), 5), ((0.25, 1), 0.3)])
def test_the_exact_covariance_agrees_with_brute_force_in_the_plane(variances, radius):
    """Minimise the loss itself: Gauss-Hermite over the data, a grid of directions over each ball, Nelder-Mead over the parameters."""
    nodes, share = np.polynomial.hermite_e.hermegauss(60)
    v = np.abs(np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2)) * np.sqrt(variances)
    share = np.outer(share, share).ravel() / share.sum() ** 2
    angles = np.linspace(0, np.pi / 2, 181)
    moved = (v[:, None] + radius * np.stack([np.cos(angles), np.sin(angles)], 1)) ** 2

    def loss(theta):
        return share @ (moved @ np.exp(theta)).max(1) - theta.sum()

    brute = np.exp(-minimize(loss, -np.log(np.add(variances, radius**2 / 2)), method="Nelder-Mead").x)
    Q = rotation(2, np.random.default_rng(0))
    exact = Q.T @ g.exact_robust_covariance(Q * np.array(variances) @ Q.T, radius) @ Q
    np.testing.assert_allclose(np.diag(exact), brute, rtol=5e-3)
    np.testing.assert_allclose(exact[0, 1], 0, atol=1e-8)


@few
@given(covariances(max_d=8, decades=3), st.floats(-1, 1), seeds)
def test_the_exact_covariance_is_the_fixed_point_of_attack_and_refit(cov, power, seed):
    radius = 10**power * np.sqrt(eigenvalues(cov)[0])
    exact = g.exact_robust_covariance(cov, radius, samples=2**12)
    v = g.sample(20_000, np.zeros(len(cov)), cov, seed)[0]
    moved = v + g.inner_maximum(v, exact, radius)
    whiten = np.linalg.inv(np.linalg.cholesky(exact))
    np.testing.assert_allclose(whiten @ (moved.T @ moved / len(v)) @ whiten.T, np.eye(len(cov)), atol=0.08)


def test_the_gap_between_exact_and_relaxed_falls_like_one_over_d():
    """With a fixed budget for every coordinate (radius = sqrt(d)), d times the gap settles; at d = 2 the gap is plain to see."""
    gaps = {d: (g.robust_covariance(np.eye(d), d**0.5) - g.exact_robust_covariance(np.eye(d), d**0.5))[0, 0] for d in (2, 5, 10, 20, 40)}
    assert gaps[2] > 0.2
    for d, gap in gaps.items():
        assert d * gap == pytest.approx(0.5, rel=0.1)


# --- Theorem 3 ---


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
    before, after = g.worst_alignment(cov), g.worst_alignment(g.robust_covariance(cov, 10**power * np.sqrt(s[0])))
    assert before < after <= 1


def test_a_round_covariance_points_at_the_mean():
    assert g.worst_alignment(3 * np.eye(4)) == g.worst_alignment([[2.0]]) == 1
    assert g.alignment([1, 2], np.eye(2)) == pytest.approx(1)


# --- Figure 14 ---


def test_figure_14_accuracy_and_robustness_need_not_conflict():
    x, y = g.sample_separable(50_000)
    mu, cov = g.maximum_likelihood(x, y)
    standard, robust = g.weights(mu, cov), g.robust_direction(mu, cov, 1)
    assert g.accuracy(standard, x, y) == 1 and g.accuracy(standard, x, y, 1) == pytest.approx(0.495, abs=0.015)
    assert g.accuracy(robust, x, y) == g.accuracy(robust, x, y, 1) == g.accuracy([1, 0], x, y, 1) == 1


def test_logistic_regression_turns_to_the_largest_l2_margin():
    """x_1 >= 2 and x_2 >= 0.2: the margin is largest along (2, 0.2), and that rule is robust at radius 1 without robust training."""
    x, y = g.sample_separable(20_000)
    w = g.logistic_regression(x, y, 1e-5)
    cosine = w @ [2, 0.2] / np.linalg.norm(w) / np.linalg.norm([2, 0.2])
    assert cosine > 0.98 and g.accuracy(w, x, y, 1) == 1


# --- the door ---

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
