"""Figure 3 and the matrix show the rates that they were given."""

import numpy as np
import pytest

from featlab.plots import transfer

POINTS = {"resnet": [(0.5, 0.25), (0.7, 0.35)], "mlp <img>": [(0.2, 0.1)]}
RATES = {"a": {"a": 1.0, "b <img>": 0.256}, "b <img>": {"a": 0.0, "b <img>": 0.9}}


def test_a_large_marker_is_the_mean_of_the_small_ones():
    seeds, mean, alone = transfer.figure3(POINTS).data
    np.testing.assert_allclose([seeds.x, seeds.y], 100 * np.transpose(POINTS["resnet"]))
    assert (mean.x[0], mean.y[0]) == pytest.approx((np.mean(seeds.x), np.mean(seeds.y)))
    assert (alone.x[0], alone.y[0]) == pytest.approx((20, 10))
    assert alone.marker.symbol != mean.marker.symbol == seeds.marker.symbol


def test_every_point_of_figure_3_has_its_name_and_both_axes_say_whose_images_they_count():
    figure = transfer.figure3(POINTS, chance=0.2)
    assert [trace.name for trace in figure.data] == ["seeds of resnet", "resnet", "mlp &lt;img&gt;"]
    assert "mlp &lt;img&gt;" in figure.data[2].text[0]
    assert "real images" in figure.layout.xaxis.title.text
    assert "source's examples" in figure.layout.yaxis.title.text
    assert figure.layout.shapes[0].x0 == figure.layout.annotations[0].x == 20


def test_noise_is_drawn_at_its_means():
    *_, noise = transfer.figure3(POINTS, POINTS).data
    np.testing.assert_allclose([noise.x, noise.y], [[60, 20], [30, 10]])
    assert noise.showlegend and "random changes" in noise.name


def test_a_cell_says_the_rate_of_its_source_on_its_target():
    figure = transfer.transfer_matrix(RATES, chosen=("a", "b <img>"))
    cells, frame = figure.data
    assert [list(row) for row in cells.z] == [[100, 25.6], [0, 90]]
    assert [list(row) for row in cells.text] == [["100", "26"], ["0", "90"]]
    assert list(cells.x) == list(cells.y) == ["a", "b &lt;img&gt;"]
    assert (frame.x, frame.y, frame.name) == (("b &lt;img&gt;",), ("a",), "chosen pair")
    assert transfer.transfer_matrix(RATES).data[1].name is None  # nothing is chosen


def test_each_step_of_the_twin_shows_the_matrix_of_its_radius():
    later = {"a": {"a": 0.1, "b <img>": 0.2}, "b <img>": {"a": 0.3, "b <img>": 0.4}}
    figure = transfer.matrix_twin([("0", RATES), ("1", later)], active=1)
    assert figure.data[0].z[0][0] == 10
    for step, rates in zip(figure.layout.sliders[0].steps, (RATES, later), strict=True):
        z, words = transfer.matrix_cells(rates)
        assert list(step.args) == [{"z": [z], "text": [words]}, (0,)]
