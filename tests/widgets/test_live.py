"""The base of all widgets: a moved knob draws, errors are shown and go, the twin stands for the widget."""

import warnings

import ipywidgets as w
import plotly.graph_objects as go
import pytest

from featlab.course.alt import NAMED
from featlab.widgets.live import Live, guard


class Square(Live):
    """The least that a widget is: one knob, and its square in words."""

    says = "a square"

    def __init__(self):
        super().__init__()
        self.number, self.draws = w.IntSlider(3, min=0, max=9, description="number"), 0
        self.assemble([self.number], [self.verdict], go.Figure())

    def draw(self) -> None:
        self.draws += 1
        if self.number.value == 7:
            raise RuntimeError("no <such> square")
        self.verdict.value = str(self.number.value**2)


def test_it_is_drawn_once_when_it_is_made_and_once_a_move():
    square = Square()
    assert square.draws == 1 and square.verdict.value == "9"
    square.number.value = 5
    assert square.draws == 2 and square.verdict.value == "25"


def test_an_error_of_a_move_is_shown_as_text_and_goes_with_the_next():
    square = Square()
    square.number.value = 7
    assert square.message.value == "<b>RuntimeError</b>: no &lt;such&gt; square"
    square.number.value = 6
    assert square.message.value == "" and square.verdict.value == "36"


def test_knobs_stand_over_the_picture_and_the_words_below():
    square = Square()
    _, row, verdict, message, named = square.children
    assert list(row.children) == square.knobs == [square.number]
    assert (verdict, message) == (square.verdict, square.message)
    assert named.value == NAMED and "featlab-live" in square._dom_classes


def test_where_no_kernel_runs_the_twin_and_the_words_are_shown(monkeypatch):
    monkeypatch.setattr("plotly.io.renderers.default", "plotly_mimetype")
    shown = Square()._repr_mimebundle_()
    assert shown["text/plain"] == "a square"
    assert {"application/vnd.plotly.v1+json", "application/vnd.jupyter.widget-view+json"} < set(shown)


def test_a_part_of_the_picture_answers_to_its_knobs_only():
    class Parts(Square):
        def wire(self):
            self.when([self.number], lambda: order.append("first"), lambda: order.append("second"))

    order = []
    parts = Parts()
    parts.number.value = 4
    assert order == ["first", "second"] and parts.draws == 1


def test_a_widget_that_cannot_draw_is_refused():
    class Empty(Live):
        pass

    with pytest.raises(NotImplementedError):
        Empty().assemble([], [], go.Figure())


def test_a_warning_of_a_callback_is_shown_and_goes():
    message, loud = w.HTML(), [True]
    called = guard(lambda: warnings.warn("nearly <zero>", stacklevel=1) if loud else None, message)
    called()
    assert message.value == "<b>Note</b>: nearly &lt;zero&gt;"
    loud.clear()
    called()
    assert message.value == ""
