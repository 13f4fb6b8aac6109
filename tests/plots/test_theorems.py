"""The pictures of section 4's theorems show what the theorems claim."""

import itertools

import numpy as np
import pytest

from featlab import gaussian as g
from featlab.course.alt import numbers_in
from featlab.plots import theorems as still
from featlab.plots.plane import ball

MU, COV = np.array([2.0, 0.0]), g.planar(4, 35)


def ys(figure):
    return [np.asarray(trace.y, dtype=float) for trace in figure.data]


def test_the_still_pictures_show_what_their_theorems_claim():
    for curve, minimum in zip(*[iter(ys(still.misalignment(3)))] * 2, strict=True):
        assert curve[0] == minimum[0] == curve.min() and (np.diff(curve) > 0).all()
    high, lam, low, misread = ys(still.multiplier_and_bounds(np.diag([4, 1, 0.5])))
    assert (low <= lam).all() and (lam <= high).all() and misread[0] < lam[0] and misread[-1] > lam[-1]
    relaxed, exact, gap, line = ys(still.exact_against_relaxed((1, 2, 5, 10)))
    assert (
        (exact < relaxed).all() and (np.diff(gap) < 0).all() and gap[-1] == pytest.approx(line[-1], rel=0.1)
    )
    world = [1, 0.5], np.diag([1, 0.04])
    for trace, rho in zip(ys(still.coordinate_features(*world)), g.rho(np.eye(2), *world), strict=True):
        assert trace[0] == pytest.approx(rho)


def test_the_training_picture_ends_at_theorem_2():
    narrow = g.planar(4, 30, 2)
    target = g.robust_covariance(narrow, 1)
    figure = still.training_steps(list(itertools.islice(g.adversarial_training(narrow, 1), 20)), target)
    last = figure.layout.sliders[0].steps[-1].args[0]
    np.testing.assert_allclose(numbers_in(last["x"][0]), ball(target, np.zeros(2))["x"], atol=1e-3)
    np.testing.assert_allclose(numbers_in(last["x"][1]), [19, 19])
    short, long = ys(figure)[2:4]
    np.testing.assert_allclose([short[-1], long[-1]], np.sqrt(np.linalg.eigvalsh(target)), atol=1e-3)


def test_one_panel_a_radius_shows_the_ball_of_theorem_2():
    radii = (0, 1, 3.16)
    figure = still.induced_metrics(MU, COV, radii)
    balls = [trace for trace in figure.data if trace.name == "robust Σᵣ (Theorem 2)"]
    for radius, trace, axis in zip(radii, balls, ("x", "x2", "x3"), strict=True):
        expected = ball(g.robust_covariance(COV, radius), -MU)
        np.testing.assert_allclose(trace.x, expected["x"], atol=1e-5)
        assert trace.xaxis == axis and trace.showlegend == (axis == "x")


def test_separable_data_and_the_accuracy_of_each_rule_on_it():
    rng = np.random.default_rng(0)
    y = np.where(rng.random(300) < 0.5, -1, 1)
    x = rng.normal(size=(300, 2)) * (6, 0.1) + y[:, None] * (1, 0.7)
    rules = {"standard": np.array([0.1, 2.0]), "robust": np.ones(2), "exact": np.array([0.0, 1.0])}
    minus, plus, _, *lines = still.separable(x, y, rules).data
    np.testing.assert_allclose([minus.x, minus.y], x[y == -1][:90].T, rtol=1e-5)
    np.testing.assert_allclose([plus.x, plus.y], x[y == 1][:90].T, rtol=1e-5)
    for (name, w), boundary, curve in zip(rules.items(), lines[::2], lines[1::2], strict=True):
        assert boundary.name == curve.name == name
        np.testing.assert_allclose(w @ np.stack([boundary.x, boundary.y]), 0, atol=1e-4)
        np.testing.assert_allclose(curve.y, [g.accuracy(w, x, y, r) for r in curve.x], atol=0.01)


def test_every_trace_has_a_name():
    figures = [still.misalignment(3), still.induced_metrics(MU, COV), still.exact_against_relaxed((1, 2))]
    assert all(trace.name for figure in figures for trace in figure.data)
