"""The live pictures of notebook 02: what a slider shows is what the library computes,
with a kernel and without.
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np

from featlab import gaussian as g
from featlab.course import exercises
from featlab.plots import angles
from featlab.plots import gaussian as live
from featlab.widgets.gaussian import GradientAngles, TwoGaussians

MU, COV = np.array([2.0, 0.0]), g.planar(4, 35)
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02-two-gaussians.ipynb"


def test_the_sliders_move_the_figure():
    two = TwoGaussians()
    two.radius.value, two.ratio.value, two.tilt.value = 2.5, 6.0, -20
    for shown, expected in zip(two.figure.data, live.figure4_traces(MU, g.planar(6, -20), 2.5), strict=True):
        np.testing.assert_allclose(shown.x, expected["x"], atol=1e-4)
        np.testing.assert_allclose(shown.y, expected["y"], atol=1e-4)
    assert "radius 2.50" in two.figure.layout.title.text and two.message.value == ""

    gradients = GradientAngles()
    gradients.heading.value, gradients.ratio.value, gradients.radius.value = -60, 5.0, 3.0
    for shown, expected in zip(gradients.figure.data, angles.angle_traces(-60, 5, 3), strict=True):
        np.testing.assert_allclose(shown.x, expected["x"], atol=1e-4)
        np.testing.assert_allclose(shown.y, expected["y"], atol=1e-4)


def test_the_whole_range_of_every_slider_draws_without_a_complaint():
    for widget in (TwoGaussians(), GradientAngles()):
        for slider in widget.knobs:
            for value in (slider.min, slider.max):
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    slider.value = value
                assert widget.message.value == ""


def test_the_folded_solutions_of_the_notebook_pass_their_checks(capsys):
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    solutions = [
        block
        for cell in cells
        for block in re.findall(r"```python\n(.*?)```", "".join(cell["source"]), re.DOTALL)
    ]
    stubs = [
        "".join(c["source"]) for c in cells if c["cell_type"] == "code" and "= check(" in "".join(c["source"])
    ]
    assert len(solutions) == len(stubs) == 3
    for solution, stub in zip(solutions, stubs, strict=True):
        name = re.match(r"def (\w+)", solution)[1]
        world = {"np": np, "g": g, "check": exercises.check, "mu": MU, "cov": COV}
        exec(stub, world)
        assert "not written yet" in capsys.readouterr().out
        exec(stub.replace(stub[: stub.index("\n\n\n")], solution.strip(), 1), world)
        assert f"{name}: passed" in capsys.readouterr().out
