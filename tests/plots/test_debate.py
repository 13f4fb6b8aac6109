"""The debate's figures show what the features of a pair, and the differences between sets, are."""

import numpy as np
import pytest
import torch

import featlab as fl
from featlab.debate.ensembles import Pair
from featlab.experiments.entries import Entry
from featlab.plots import debate, rows

ALPHA, EPS = 0.3, 0.5
SPANS = {"D": {"clean": (0.9, 0.88, 0.91), "l2": (0.2, 0.1, 0.8)}}


@pytest.fixture(scope="module")
def view():
    """Two classes of random images that differ in brightness; 10 of 40 are the test images."""
    labels = torch.arange(40) % 2
    pixels = torch.rand(40, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    images = (255 * pixels * (0.5 + 0.5 * labels.view(-1, 1, 1, 1))).byte()
    data = fl.Dataset(images, labels, ("dark", "bright"))
    train = Pair.of(data[:30], (0, 1))
    return debate.PairView(train, Pair.of(data[30:], (0, 1), train.centre), 3.0)


def test_the_points_of_a_pair_lie_at_their_breaking_radius_and_usefulness(view):
    figure = debate.pair_figure(view, ALPHA, EPS)
    vectors, *features, line = figure.data[:4]
    assert vectors.name == "singular vectors" and len(vectors.x) <= len(view.vectors)
    assert min(vectors.x) > debate.LEAST
    for trace, (name, a) in zip(features, view.features(ALPHA, EPS).items(), strict=True):
        assert trace.name == trace.text[0] == name and (trace.x[0], trace.y[0]) == view.point(a)
    assert line.x == (EPS, EPS)


def test_the_bars_of_a_pair_say_the_shares_and_their_axis_n_and_the_set(view):
    figure = debate.pair_figure(view, ALPHA, EPS)
    shares = [view.shares(a) for a in view.features(ALPHA, EPS).values()]
    for bar, values in zip(figure.data[4:], zip(*shares, strict=True), strict=True):
        assert bar.y == values and bar.text == tuple(f"{value:.0f}" for value in values)
    assert figure.layout.yaxis2.title.text == "right of 10 real test images, %"


def test_each_step_shows_the_figure_of_its_alpha(view):
    positions = (0, 0.4, 1)
    twin = debate.pair_steps(view, EPS, positions)
    assert twin.layout.sliders[0].active == 1
    for alpha, step in zip(positions, twin.layout.sliders[0].steps, strict=True):
        changes, moved = step.args
        still = debate.pair_figure(view, alpha, EPS)
        assert all(changes[key] == [list(still.data[i][key]) for i in moved] for key in ("x", "y", "text"))
        fixed = set(range(len(still.data))) - set(moved)
        assert all(still.data[i] == twin.data[i] for i in fixed)


def test_strips_are_the_pictures_of_samples_one_a_row():
    images = {"a": torch.rand(3, 1, 4, 4), "<img>": torch.rand(2, 1, 4, 4)}
    figure = debate.strips(images, {"a": ["x", "<b>", "z"]})
    assert [trace.source for trace in figure.data] == [trace.source for trace in rows.row_traces(images, 1)]
    words = [note.text for note in figure.layout.annotations]
    assert words == ["a", "x", "&lt;b&gt;", "z", "&lt;img&gt;"]
    assert figure.layout.height < rows.samples(images).layout.height


def test_spans_are_bars_whose_numbers_stand_above_long_whiskers():
    short, long = debate.spans(SPANS, y="share <img>").data
    assert short.text[0].startswith("<b>90</b>") and long.text[0].startswith("<b>20</b>")
    assert long.text[0].count("<br>") > short.text[0].count("<br>") >= 1
    assert debate.spans(SPANS, y="share <img>").layout.yaxis.title.text == "share &lt;img&gt;"
    assert "test set" in debate.spans(SPANS).layout.yaxis.title.text


def test_gains_show_each_seed_with_its_interval_beside_the_others():
    cells = [Entry(v, v - 0.05, v + 0.02) for v in (0.1, 0.2, 0.3)]
    figure = debate.gains({"a <img>": cells, "b": cells[::-1]})
    for i, trace in enumerate(figure.data):
        pair = [cells[i], cells[::-1][i]]
        np.testing.assert_allclose(trace.x, [100 * cell for cell in pair])
        np.testing.assert_allclose(trace.x + trace.error_x.array, [100 * cell.interval[1] for cell in pair])
        np.testing.assert_allclose(
            trace.x - trace.error_x.arrayminus, [100 * cell.interval[0] for cell in pair]
        )
        assert np.round(trace.y).tolist() == [0, 1] and trace.name == f"seed {i}"
    assert len({trace.marker.symbol for trace in figure.data}) == len({trace.y for trace in figure.data}) == 3
    assert figure.layout.yaxis.ticktext == ("a &lt;img&gt;", "b") and figure.layout.shapes[0].x0 == 0
