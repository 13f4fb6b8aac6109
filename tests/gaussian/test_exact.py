"""Equation (11) as it is written, a ball for every sample, against brute force and optimality conditions."""

import numpy as np
import pytest
from covariances import THREE, covariances, eigenvalues, few, lawful, rotation, seeds
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import gammaln

from featlab import gaussian as g


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
    """A (v + delta) = eta delta with eta >= lambda_max(A) is necessary
    and sufficient for the maximum over the sphere.
    """
    s, rng = eigenvalues(cov), np.random.default_rng(seed)
    assume(s[-1] < 1e6 * s[0])
    radius = 10**power * np.sqrt(s[0])
    v = g.sample(10, np.zeros(len(s)), cov, rng)[0]
    delta = g.inner_maximum(v, cov, radius)
    pulled = (v + delta) @ np.linalg.inv(cov)
    eta = (pulled * delta).sum(1) / radius**2
    assert (eta >= (1 - 1e-6) / s[0]).all()
    np.testing.assert_allclose(pulled, eta[:, None] * delta, atol=1e-6 * np.abs(pulled).max())
    np.testing.assert_allclose(
        delta[3:4], g.inner_maximum(v[3:4], cov, radius), rtol=1e-9, atol=1e-12 * radius
    )


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
    np.testing.assert_allclose(
        np.diag(g.exact_robust_covariance(sd**2 * np.eye(d), radius)), expected, rtol=1e-3
    )


@pytest.mark.parametrize("variances, radius", [((1, 9), 1), ((1, 9), 5), ((0.25, 1), 0.3)])
def test_the_exact_covariance_agrees_with_brute_force_in_the_plane(variances, radius):
    """Minimise the loss itself: Gauss-Hermite over the data, a grid of directions over each ball,
    Nelder-Mead over the parameters.
    """
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
    """With a fixed budget for every coordinate (radius = sqrt(d)), d times the gap settles;
    at d = 2 the gap is plain to see.
    """
    gaps = {
        d: (g.robust_covariance(np.eye(d), d**0.5) - g.exact_robust_covariance(np.eye(d), d**0.5))[0, 0]
        for d in (2, 5, 10, 20, 40)
    }
    assert gaps[2] > 0.2
    for d, gap in gaps.items():
        assert d * gap == pytest.approx(0.5, rel=0.1)
