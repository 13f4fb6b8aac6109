"""Theorem 3's picture shows angles in closed form, none above its worst case."""

import numpy as np
import pytest

from featlab import gaussian as g
from featlab.course.alt import numbers_in
from featlab.plots import angles


def test_every_angle_stays_below_its_worst_case():
    *_, standard, robust, worst_standard, worst_robust, _, _ = angles.angle_traces(25, 3, 1)
    for curve, worst in ((standard, worst_standard), (robust, worst_robust)):
        assert curve["y"].max() <= worst["y"][0] * (1 + 1e-9)
        assert curve["y"].max() == pytest.approx(worst["y"][0], abs=0.3)


@pytest.mark.parametrize("heading, ratio, radius", [(10, 3, 3), (-60, 5, 1)])
def test_the_present_angles_are_those_of_the_closed_form(heading, ratio, radius):
    mean = np.array([np.cos(np.radians(heading)), np.sin(np.radians(heading))])
    metrics = g.planar(ratio), g.robust_covariance(g.planar(ratio), radius)
    for dot, metric in zip(angles.angle_traces(heading, ratio, radius)[9:11], metrics, strict=True):
        w = np.linalg.inv(metric) @ mean
        angle = np.degrees(np.arccos(mean @ w / np.linalg.norm(w)))
        assert dot["x"] == [heading] and dot["y"][0] == pytest.approx(angle)


def test_the_figure_draws_its_traces_with_a_name_each():
    figure = angles.gradient_angles(30, 3, 1)
    for trace, expected in zip(figure.data, angles.angle_traces(30, 3, 1), strict=True):
        np.testing.assert_allclose(trace.x, expected["x"], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(trace.y, expected["y"], rtol=1e-5, atol=1e-5)
        assert trace.name
    assert [trace.xaxis for trace in figure.data] == ["x"] * 5 + ["x2"] * 6


def test_the_title_says_the_angles_that_are_drawn():
    title = angles.angles_title(30, 3, 1)
    *_, worst_standard, worst_robust, standard, robust = angles.angle_traces(30, 3, 1)
    for here, worst in ((standard, worst_standard), (robust, worst_robust)):
        assert f"{here['y'][0]:.0f}° off the mean here, {worst['y'][0]:.0f}° at worst" in title


def test_each_step_of_the_twin_shows_the_angles_of_its_direction():
    twin = angles.gradient_angles_twin(3, 1)
    assert len(twin.layout.sliders[0].steps) <= 20
    for step in twin.layout.sliders[0].steps:
        data, title, moving = step.args
        direction = float(step.label.removesuffix("°"))
        shown = {k: (trace.x, trace.y) for k, trace in enumerate(twin.data)}
        moved = zip(map(numbers_in, data["x"]), map(numbers_in, data["y"]), strict=True)
        shown |= dict(zip(moving, moved, strict=True))
        for k, trace in enumerate(angles.angle_traces(direction, 3, 1)):
            np.testing.assert_allclose(shown[k], (trace["x"], trace["y"]), rtol=1e-5, atol=1e-5)
        assert title == {"title.text": angles.angles_title(direction, 3, 1)}
