"""The live pictures of notebook 02: what a slider shows is what the library computes, with a kernel and without."""

import base64
import itertools
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from featlab import exercises
from featlab import gaussian as g
from featlab import plots_gaussian as live
from featlab import plots_theorems as still
from featlab.widgets_gaussian import GradientAngles, TwoGaussians

MU, COV = np.array([2.0, 0.0]), g.planar(4, 35)
NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "02-two-gaussians.ipynb"


def unpacked(values):
    return np.frombuffer(base64.b64decode(values["bdata"]), "<f4")


def test_figure_4_shows_the_library():
    shown = live.figure4_traces(MU, COV, 1.5)
    _, _, l2, standard, robust, _, _, robust_boundary, mean, _, gradient = shown[:11]
    w = g.robust_direction(MU, COV, 1.5)
    for ball, cov in ((l2, np.eye(2)), (standard, COV), (robust, g.robust_covariance(COV, 1.5))):
        v = np.stack([ball["x"], ball["y"]]) + MU[:, None]
        lengths = np.einsum("in,ij,jn->n", v, np.linalg.inv(cov), v)
        np.testing.assert_allclose(lengths, 1 / np.sqrt(np.linalg.det(cov)))  # a level set of the metric, of the area of the l2 ball
    assert np.array([robust_boundary["x"][1], robust_boundary["y"][1]]) @ w == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(np.array([gradient["x"][1], gradient["y"][1]]) / 3.0, w)
    assert mean["x"][1] > 0 and mean["y"][1] == 0


def test_the_accuracy_curves_are_closed_forms_and_the_dots_agree():
    traces = live.accuracy_traces(MU, COV)
    for who, curve, dots in zip(("standard", "standard", "robust", "robust"), traces[:4], traces[4:], strict=True):
        np.testing.assert_allclose(np.interp(dots["x"], curve["x"], curve["y"]), dots["y"], atol=0.03, err_msg=who)
    for radius, accuracy in list(zip(traces[3]["x"], traces[3]["y"], strict=True))[::10]:
        assert accuracy == pytest.approx(g.robust_accuracy(g.robust_direction(MU, COV, radius), MU, COV, radius), rel=1e-6)


def test_the_sliders_move_the_figure():
    two = TwoGaussians()
    two.radius.value, two.ratio.value, two.tilt.value = 2.5, 6.0, -20
    for shown, expected in zip(two.figure.data, live.figure4_traces(MU, g.planar(6, -20), 2.5), strict=True):
        np.testing.assert_allclose(shown.x, expected["x"], atol=1e-4)
        np.testing.assert_allclose(shown.y, expected["y"], atol=1e-4)
    assert "radius 2.50" in two.figure.layout.title.text and two.message.value == ""

    angles = GradientAngles()
    angles.heading.value, angles.ratio.value, angles.radius.value = -60, 5.0, 3.0
    for shown, expected in zip(angles.figure.data, still.angle_traces(-60, 5, 3), strict=True):
        np.testing.assert_allclose(shown.x, expected["x"], atol=1e-4)
        np.testing.assert_allclose(shown.y, expected["y"], atol=1e-4)


def test_the_whole_range_of_every_slider_draws_without_a_complaint():
    for widget in (TwoGaussians(), GradientAngles()):
        for slider in widget.children[0].children[0].children:
            for value in (slider.min, slider.max):
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    slider.value = value
                assert widget.message.value == ""


def test_a_twin_shows_at_each_step_what_the_live_figure_shows():
    twin = live.figure4_twin(MU, COV)
    for step in twin.layout.sliders[0].steps:
        data, _, moving = step.args
        expected = live.figure4_traces(MU, COV, float(step.label))
        for x, y, k in zip(data["x"], data["y"], moving, strict=True):
            np.testing.assert_allclose(unpacked(x), expected[k]["x"], rtol=1e-5, atol=1e-5)
            np.testing.assert_allclose(unpacked(y), expected[k]["y"], rtol=1e-5, atol=1e-5)
    assert len(still.gradient_angles_twin(3, 1).layout.sliders[0].steps) <= 20


def test_every_angle_stays_below_its_worst_case():
    *_, standard, robust, worst_standard, worst_robust, _, _ = still.angle_traces(25, 3, 1)
    for curve, worst in ((standard, worst_standard), (robust, worst_robust)):
        assert curve["y"].max() <= worst["y"][0] * (1 + 1e-9)
        assert curve["y"].max() == pytest.approx(worst["y"][0], abs=0.3)


def ys(figure):
    return [np.asarray(trace.y, dtype=float) for trace in figure.data]


def test_the_still_pictures_show_what_their_theorems_claim():
    for curve, minimum in zip(*[iter(ys(still.misalignment(3)))] * 2, strict=True):
        assert curve[0] == minimum[0] == curve.min() and (np.diff(curve) > 0).all()
    high, lam, low, misread = ys(still.multiplier_and_bounds(np.diag([4, 1, 0.5])))
    assert (low <= lam).all() and (lam <= high).all() and misread[0] < lam[0] and misread[-1] > lam[-1]
    relaxed, exact, gap, line = ys(still.exact_against_relaxed((1, 2, 5, 10)))
    assert (exact < relaxed).all() and (np.diff(gap) < 0).all() and gap[-1] == pytest.approx(line[-1], rel=0.1)
    world = [1, 0.5], np.diag([1, 0.04])
    for trace, rho in zip(ys(still.coordinate_features(*world)), g.rho(np.eye(2), *world), strict=True):
        assert trace[0] == pytest.approx(rho)


def test_the_training_picture_ends_at_theorem_2():
    narrow = g.planar(4, 30, 2)
    target = g.robust_covariance(narrow, 1)
    figure = still.training_steps(list(itertools.islice(g.adversarial_training(narrow, 1), 20)), target)
    last = figure.layout.sliders[0].steps[-1].args[0]
    np.testing.assert_allclose(unpacked(last["x"][0]), live.ball(target, np.zeros(2))["x"], atol=1e-3)


def test_the_folded_solutions_of_the_notebook_pass_their_checks(capsys):
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    solutions = [block for cell in cells for block in re.findall(r"```python\n(.*?)```", "".join(cell["source"]), re.DOTALL)]
    stubs = ["".join(c["source"]) for c in cells if c["cell_type"] == "code" and "= check(" in "".join(c["source"])]
    assert len(solutions) == len(stubs) == 3
    for solution, stub in zip(solutions, stubs, strict=True):
        name = re.match(r"def (\w+)", solution)[1]
        world = {"np": np, "g": g, "check": exercises.check, "mu": MU, "cov": COV}
        exec(stub, world)
        assert "not written yet" in capsys.readouterr().out
        exec(stub.replace(stub[: stub.index("\n\n\n")], solution.strip(), 1), world)
        assert f"{name}: passed" in capsys.readouterr().out
