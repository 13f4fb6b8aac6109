"""Bars and lines show the numbers that they were given, and say them without colour."""

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from featlab.plots import charts

SPANS = {
    "D": {"clean": (0.9, 0.88, 0.91), "l2": (0.2, 0.1, 0.4)},
    "D_R": {"clean": (0.8, 0.7, 0.85)},
}


def test_bars_carry_numbers_intervals_and_patterns():
    clean, attacked = charts.bars(SPANS).data
    assert list(clean.y) == [90, 80] and list(attacked.x) == ["D"]
    assert np.allclose(clean.error_y.array, [1, 5]) and np.allclose(clean.error_y.arrayminus, [2, 10])
    assert clean.text[1].startswith("<b>80</b>") and "text" in attacked
    assert clean.marker.pattern.shape != attacked.marker.pattern.shape


def test_the_number_of_a_bar_stands_above_its_whisker():
    clean, attacked = charts.bars(SPANS).data
    line = 6.5  # % of the axis that a line of text takes
    for trace in (clean, attacked):
        for text, up in zip(trace.text, trace.error_y.array, strict=True):
            assert up - 1 <= line * text.count("<br>") < up - 1 + line or text.count("<br>") == 0


def test_the_axis_names_the_set_on_which_accuracies_were_measured():
    assert charts.bars(SPANS).layout.yaxis.title.text == "accuracy on the real test set, %"


@pytest.mark.parametrize("panel", [{}, {"row": 1, "col": 2}])
def test_chance_is_a_line_with_its_word(panel):
    figure = make_subplots(1, 2) if panel else go.Figure()
    figure.add_scatter(x=[0], y=[0], **panel)
    charts.chance_level(figure, 10, **panel)
    (line,), (word,) = figure.layout.shapes, figure.layout.annotations
    assert line.y0 == line.y1 == word.y == 10 and word.text == "chance"
    assert line.yref == (word.yref or "y") and line.xref == word.xref


def test_bars_draw_chance_where_it_is_given():
    assert charts.bars(SPANS, chance=0.1).layout.shapes[0].y0 == 10
    assert not charts.bars(SPANS).layout.shapes


def test_each_curve_shows_its_points_with_a_dash_and_a_symbol_of_its_own():
    lines = {str(i): ([0, 1, 2], [i, i + 1, i]) for i in range(5)}
    figure = charts.curves(lines, x="eps", y="gamma")
    for trace, (xs, ys) in zip(figure.data, lines.values(), strict=True):
        assert list(trace.x) == xs and list(trace.y) == ys
    assert len({(trace.line.dash, trace.marker.symbol) for trace in figure.data}) == 5
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("eps", "gamma")


def test_names_titles_and_axes_are_text():
    figure = charts.curves({"<img>": ([0], [1])}, x="<a>", y="<u>", title="<img> <b>bold</b>")
    assert figure.data[0].name == "&lt;img&gt;" and figure.layout.title.text == "&lt;img&gt; <b>bold</b>"
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("&lt;a&gt;", "&lt;u&gt;")
    (bar,) = charts.bars({"<a>": {"<img>": (0.5, 0.4, 0.6)}}).data
    assert bar.name == "&lt;img&gt;" and list(bar.x) == ["&lt;a&gt;"]
