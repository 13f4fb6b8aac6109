"""The cost explorer shows operations over speed."""

import pytest

from featlab.experiments.presets import PRESETS
from featlab.experiments.scale import FORWARD, variation, work
from featlab.widgets.pictures import trace
from featlab.widgets.scale import SPEEDS, CostExplorer, digits


def minutes(explorer):
    return list(trace(explorer.bars, "minutes").x)


def test_a_moved_knob_shows_the_work_at_its_speed():
    explorer = CostExplorer()
    explorer.epochs.value, explorer.inversion.value, explorer.speed.value = 40, 300, 400
    explorer.network.value = "ResNet-50"
    preset = variation(PRESETS["ten-minutes"], epochs=40, inversion=300)
    expected = [amount * 1000 / 400 / 60 for amount in work(preset, FORWARD["resnet50"]).values()]
    assert minutes(explorer) == pytest.approx(expected)
    assert list(trace(explorer.bars, "minutes").text) == digits(expected) and explorer.message.value == ""


def test_twice_the_speed_takes_half_the_time():
    explorer = CostExplorer(speed=200)
    before = minutes(explorer)
    explorer.speed.value = 400
    assert minutes(explorer) == pytest.approx([amount / 2 for amount in before])


def test_the_verdict_counts_hours_from_two_hours_on():
    explorer = CostExplorer()
    assert "minutes" in explorer.verdict.value and "hours" not in explorer.verdict.value
    explorer.epochs.value, explorer.inversion.value, explorer.speed.value = 150, 1000, 20
    assert "hours" in explorer.verdict.value


def test_the_twin_shows_at_each_speed_what_the_live_figure_shows():
    explorer = CostExplorer()
    [slider] = explorer.twin.layout.sliders
    assert [int(step.label) for step in slider.steps] == list(SPEEDS)
    for step, speed in zip(slider.steps, SPEEDS, strict=True):
        explorer.speed.value = speed
        assert list(step.args[0]["x"][0]) == pytest.approx(minutes(explorer))
        assert list(step.args[0]["text"][0]) == list(trace(explorer.bars, "minutes").text)
