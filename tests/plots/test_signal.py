"""The figure of the signals shows the numbers that it was given, each set's beside its control."""

import pytest

from featlab.plots import signal

KIND, OTHER = list(signal.MARKS_OF)[:2]
FOUND = {
    "D": {KIND: {"usefulness": (0.7, 0.6, 0.8)}},
    "D_det <b>": {
        KIND: {"usefulness": (-0.1, -0.2, 0.0), "control": (-0.2, -0.3, -0.1)},
        OTHER: {"usefulness": (0.2, 0.1, 0.3), "control": (-0.3, -0.4, -0.2)},
    },
}


def by_name(figure):
    return {trace.name: trace for trace in figure.data if trace.showlegend is not False}


def test_each_kind_of_features_has_its_values_with_whiskers_and_a_symbol_of_its_own():
    traces = by_name(signal.signals(FOUND))
    assert list(traces[KIND].x) == [0.7, -0.1] and list(traces[OTHER].x) == [0.2]
    assert list(traces[KIND].error_x.array) == pytest.approx([0.1, 0.1])
    assert traces[KIND].marker.symbol != traces[OTHER].marker.symbol


def test_a_control_is_hollow_and_on_the_line_of_its_set():
    figure = signal.signals(FOUND)
    hollow = [trace for trace in figure.data if trace.name == "hollow: control"]
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert [list(trace.x) for trace in hollow] == [[-0.2], [-0.3]]
    assert all(trace.marker.symbol.endswith("-open") for trace in hollow)
    assert list(lines[0].x) == [-0.2, -0.1, None]
    own = by_name(figure)[OTHER]
    assert hollow[1].y == own.y


def test_sets_are_named_as_text_from_the_top():
    axis = signal.signals(FOUND).layout.yaxis
    assert list(axis.ticktext) == ["D", "D_det &lt;b&gt;"] and axis.range[0] > axis.range[1]
