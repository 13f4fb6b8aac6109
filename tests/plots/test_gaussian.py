"""Figure 4 shows what the library computes, with a kernel and without."""

import numpy as np
import pytest

from featlab import gaussian as g
from featlab.course.alt import numbers_in
from featlab.plots import gaussian as live

MU, COV = np.array([2.0, 0.0]), g.planar(4, 35)


def test_figure_4_shows_the_library():
    shown = live.figure4_traces(MU, COV, 1.5)
    _, _, l2, standard, robust, _, _, robust_boundary, mean, _, gradient = shown[:11]
    w = g.robust_direction(MU, COV, 1.5)
    for ball, cov in ((l2, np.eye(2)), (standard, COV), (robust, g.robust_covariance(COV, 1.5))):
        v = np.stack([ball["x"], ball["y"]]) + MU[:, None]
        lengths = np.einsum("in,ij,jn->n", v, np.linalg.inv(cov), v)
        # a level set of the metric, of the area of the l2 ball
        np.testing.assert_allclose(lengths, 1 / np.sqrt(np.linalg.det(cov)))
    assert np.array([robust_boundary["x"][1], robust_boundary["y"][1]]) @ w == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(np.array([gradient["x"][1], gradient["y"][1]]) / 3.0, w)
    assert mean["x"][1] > 0 and mean["y"][1] == 0


def test_the_accuracy_curves_are_closed_forms_and_the_dots_agree():
    traces = live.accuracy_traces(MU, COV)
    for who, curve, dots in zip(
        ("standard", "standard", "robust", "robust"), traces[:4], traces[4:], strict=True
    ):
        np.testing.assert_allclose(
            np.interp(dots["x"], curve["x"], curve["y"]), dots["y"], atol=0.03, err_msg=who
        )
    for radius, accuracy in list(zip(traces[3]["x"], traces[3]["y"], strict=True))[::10]:
        assert accuracy == pytest.approx(
            g.robust_accuracy(g.robust_direction(MU, COV, radius), MU, COV, radius), rel=1e-6
        )


def test_the_figure_draws_its_traces_with_a_name_each():
    figure = live.figure4(MU, COV, 1.5)
    for trace, expected in zip(figure.data, live.figure4_traces(MU, COV, 1.5), strict=True):
        np.testing.assert_allclose(trace.x, expected["x"], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(trace.y, expected["y"], rtol=1e-5, atol=1e-5)
        assert trace.name
    assert [trace.xaxis for trace in figure.data] == ["x"] * 11 + ["x2"] * 9


def test_the_title_says_the_closed_forms():
    title = live.figure4_title(MU, COV, 1.5)
    for w in (g.weights(MU, COV), g.robust_direction(MU, COV, 1.5)):
        assert f"{g.clean_accuracy(w, MU, COV):.1%} clean" in title
        assert f"{g.robust_accuracy(w, MU, COV, 1.5):.1%} attacked" in title


def test_a_twin_shows_at_each_step_what_the_live_figure_shows():
    twin = live.figure4_twin(MU, COV)
    for step in twin.layout.sliders[0].steps:
        data, _, moving = step.args
        expected = live.figure4_traces(MU, COV, float(step.label))
        shown = {k: (trace.x, trace.y) for k, trace in enumerate(twin.data)}
        moved = zip(map(numbers_in, data["x"]), map(numbers_in, data["y"]), strict=True)
        shown |= dict(zip(moving, moved, strict=True))
        for k, trace in enumerate(expected):
            np.testing.assert_allclose(shown[k], (trace["x"], trace["y"]), rtol=1e-5, atol=1e-5)
