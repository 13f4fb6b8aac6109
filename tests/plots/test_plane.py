"""What the pictures of section 4 share: geometry that is exact, and looks that need no colour."""

import numpy as np
import plotly.graph_objects as go
import pytest

from featlab import gaussian as g
from featlab.course.alt import numbers_in
from featlab.plots import plane

COV, W = g.planar(4, 35), np.array([1.0, -2.0])


def stacked(trace):
    return np.stack([trace["x"], trace["y"]])


def test_a_ball_is_a_level_set_of_its_metric_with_the_area_of_the_l2_ball():
    centre = np.array([1.0, -3.0])
    v = stacked(plane.ball(COV, centre)) - centre[:, None]
    lengths = np.einsum("in,ij,jn->n", v, np.linalg.inv(COV), v)
    np.testing.assert_allclose(lengths, lengths[0])
    assert np.sqrt(np.linalg.det(COV)) * lengths[0] == pytest.approx(1)  # area over pi
    np.testing.assert_allclose(stacked(plane.ball(7 * COV, centre)), v + centre[:, None])


def test_a_boundary_is_where_the_rule_is_0_and_an_arrow_points_along_it():
    np.testing.assert_allclose(W @ stacked(plane.boundary(W)), 0, atol=1e-12)
    tip = stacked(plane.arrow(W, 3.0))[:, 1]
    assert np.linalg.norm(tip) == pytest.approx(3) and W @ tip == pytest.approx(3 * np.linalg.norm(W))


def test_points_are_their_coordinates():
    where = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(stacked(plane.points(where)), where.T)


def test_degrees_are_the_inverse_of_the_cosine_also_past_1_by_rounding():
    np.testing.assert_allclose(
        plane.degrees(np.cos(np.radians([0, 30, 90, 180]))), [0, 30, 90, 180], atol=1e-5
    )
    assert plane.degrees(1 + 1e-9) == 0


def test_the_lines_differ_without_their_colour():
    looks = [(line.get("dash"), line["width"]) for line in plane.LINES.values()]
    assert len(set(looks)) == len(looks)


def test_kin_looks_like_its_line_and_is_switched_with_it():
    look = plane.kin("robust", "its name", legend=False, width=1)
    assert look["line"] == {**plane.LINES["robust"], "width": 1} and plane.LINES["robust"]["width"] == 3
    assert (look["legendgroup"], look["showlegend"], look["name"]) == ("robust", False, "its name")
    assert [arrow["name"] for arrow in plane.arrows(legend=True)] == list(plane.DIRECTIONS.values())


def test_a_heading_says_the_radius_and_each_line_in_its_colour():
    first, standard, robust = plane.heading(1.5, {"standard": "this", "robust": "that"}).split("<br>")
    assert first == "radius 1.50" and plane.STANDARD in standard and "this" in standard
    assert plane.ROBUST in robust and "that" in robust


@pytest.mark.parametrize("col, anchor", [(1, "x"), (2, "x2")])
def test_the_plane_has_equal_scales(col, anchor):
    fig = plane.go.Figure().set_subplots(1, 2)
    plane.plane(fig, 3, col=col)
    axis = fig.get_subplot(1, col)
    assert axis.yaxis.scaleanchor == anchor and axis.xaxis.range == axis.yaxis.range == (-3, 3)


def test_a_slider_moves_the_traces_to_its_states_and_makes_room_for_itself():
    fig = plane.dress(go.Figure([plane.curve([0, 1], [0, 1], "line", plane.LINES["l2"])]), height=300)
    states = {str(k): [{"x": [0, k], "y": [1, k / 3]}] for k in range(3)}
    moved = plane.slide_plane(fig, "k = ", states, [0], titles=["a", "b", "c"], active=1)
    assert moved.layout.height == 395 and moved.layout.sliders[0].active == 1
    for k, step in enumerate(moved.layout.sliders[0].steps):
        data, title, moving = step.args
        np.testing.assert_allclose(numbers_in(data["x"][0]), [0, k])
        np.testing.assert_allclose(numbers_in(data["y"][0]), [1, k / 3], rtol=1e-6)
        assert title == {"title.text": "abc"[k]} and moving == (0,)
