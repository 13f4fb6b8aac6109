"""A slider shows the frame that its label names."""

import plotly.graph_objects as go
import pytest

from featlab.plots import sliders


@pytest.mark.parametrize("traces, frames", [(1, 1), (1, 4), (3, 2)])
def test_every_trace_is_in_exactly_one_frame(traces, frames):
    shown = [sliders.frame(i, traces, frames)["visible"] for i in range(frames)]
    assert all(len(visible) == traces * frames and sum(visible) == traces for visible in shown)
    assert all(sum(column) == 1 for column in zip(*shown, strict=True))


def test_a_slider_stands_at_its_active_step_and_passes_its_changes_on():
    steps = [sliders.step(str(i), {"y": [[i]]}, {}, [0], method="restyle") for i in range(3)]
    (slider,) = sliders.slide(go.Figure(), steps, "eps = ", gap=40, active=2, len=0.9).layout.sliders
    assert (slider.active, slider.pad.t, slider.len, slider.currentvalue.prefix) == (2, 40, 0.9, "eps = ")
    assert [(step.label, step.method, *step.args) for step in slider.steps] == [
        (str(i), "restyle", {"y": [[i]]}, {}, (0,)) for i in range(3)
    ]


def test_labels_and_prefix_are_text():
    (slider,) = sliders.slide(go.Figure(), [sliders.step("<img>")], "<a>", gap=0).layout.sliders
    assert slider.steps[0].label == "&lt;img&gt;" and slider.currentvalue.prefix == "&lt;a&gt;"
