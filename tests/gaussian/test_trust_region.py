"""The secular equation: the step that its root gives has the length of the radius, and no other root does."""

import numpy as np
import pytest
from covariances import lawful
from hypothesis import given
from hypothesis import strategies as st

from featlab.gaussian.trust_region import divide, surplus


def problem(d: int, seed: int, decades: float) -> tuple[np.ndarray, np.ndarray]:
    """Pulls (20, d) and curvatures (d,) over so many powers of ten."""
    rng = np.random.default_rng(seed)
    curvature = 10 ** (decades * rng.random(d))
    return np.abs(curvature * rng.standard_normal((20, d))), curvature


problems = st.builds(problem, st.integers(1, 30), st.integers(0, 2**32 - 1), st.floats(0, 4))


def length(pull: np.ndarray, curvature: np.ndarray, found: np.ndarray) -> np.ndarray:
    """||delta|| where eta lies `found` above the largest curvature, (n,)."""
    return np.linalg.norm(pull / (found[:, None] + curvature.max() - curvature), axis=1)


@lawful
@given(problems, st.floats(-3, 3))
def test_the_step_has_the_length_of_the_radius(problem, power):
    pull, curvature = problem
    found = surplus(pull, curvature, 10**power)
    assert (found > 0).all()
    np.testing.assert_allclose(length(pull, curvature, found), 10**power, rtol=1e-9)


@lawful
@given(problems, st.floats(-2, 2), st.floats(1.01, 10))
def test_a_longer_step_has_a_smaller_multiplier(problem, power, more):
    pull, curvature = problem
    assert (surplus(pull, curvature, more * 10**power) < surplus(pull, curvature, 10**power)).all()


@pytest.mark.parametrize("radius", [0.1, 1.0, 30.0])
def test_equal_curvatures_have_the_closed_form(radius):
    pull, curvature = problem(5, 0, 0.0)
    expected = np.linalg.norm(pull, axis=1) / radius
    np.testing.assert_allclose(surplus(pull, curvature, radius), expected, rtol=1e-12)


def test_in_the_hard_case_the_multiplier_is_the_largest_curvature_and_the_step_is_too_short():
    pull, curvature = np.array([[0.0, 1.0, 1.0]]), np.array([3.0, 1.0, 2.0])
    assert surplus(pull, curvature, 10.0) == 0
    assert np.linalg.norm(divide(pull, curvature.max() - curvature[None])) < 10
    assert surplus(pull, curvature, 0.5) > 0  # a small radius is reached without the top axis


def test_an_axis_that_does_not_pull_does_not_move():
    np.testing.assert_array_equal(
        divide(np.array([[0.0, 3.0, 0.0]]), np.array([[0.0, 2.0, 5.0]])), [[0, 1.5, 0]]
    )
