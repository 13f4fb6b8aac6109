"""The full scale's figures show the amounts and accuracies that they were given."""

import numpy as np

from featlab.experiments.entries import Entry
from featlab.plots import scale


def test_each_run_has_a_bar_a_stage_with_its_amount_beside_it():
    runs = {"paper": {"train": 1.0, "attack": 2345.0}, "here <img>": {"train": 0.5, "attack": 3.0}}
    figure = scale.stages(runs, unit="PFLOP", title="cost")
    for trace, amounts in zip(figure.data, runs.values(), strict=True):
        assert list(trace.x) == list(amounts.values()) and list(trace.y) == list(amounts)
        assert list(trace.text) == [f"{amount:.3g}" for amount in amounts.values()]
    first, second = figure.data
    assert first.marker.pattern.shape != second.marker.pattern.shape
    assert second.name == "here &lt;img&gt;" and figure.layout.xaxis.title.text == "PFLOP"


def test_the_strengths_of_an_attack_carry_their_intervals():
    cells = {20: (0.3, 0.2, 0.5), 1000: (0.25, 0.2, 0.4)}
    report = {steps: Entry(*cell) for steps, cell in cells.items()}
    figure = scale.strengths(report, 0.5)
    (trace,) = figure.data
    value, low, high = 100 * np.transpose(list(cells.values()))
    np.testing.assert_allclose(trace.y, value)
    np.testing.assert_allclose(np.subtract(trace.y, trace.error_y.arrayminus), low)
    np.testing.assert_allclose(np.add(trace.y, trace.error_y.array), high)
    assert list(trace.x) == [20, 1000] and "l2 0.5" in figure.layout.yaxis.title.text
