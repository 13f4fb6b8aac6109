"""Sliders send what changed, and only that."""

import numpy as np
import plotly.graph_objects as go

from featlab.widgets import sliders
from featlab.widgets.knobs import length
from featlab.widgets.pictures import trace
from featlab.widgets.sliders import Sliders, plain_figure


class Powers(Sliders):
    """A line that moves and one that stays."""

    says = "powers"

    def __init__(self):
        self.power = length(1.0, 4, "power")
        figure = go.Figure(
            [go.Scatter(name="moves", x=[0, 2], y=[0, 2]), go.Scatter(name="stays", x=[1], y=[1])]
        )
        super().__init__([self.power], figure.update_layout(title_text=""), go.Figure())

    def state(self):
        x = np.array([0.0, 2.0])
        return [{"x": x, "y": x**self.power.value}, {"x": [1], "y": [1]}], f"power {self.power.value:g}"


def test_a_moved_slider_shows_the_state():
    powers = Powers()
    powers.power.value = 3.0
    assert trace(powers.figure, "moves").y == (0, 8) and trace(powers.figure, "stays").y == (1,)
    assert powers.figure.layout.title.text == "power 3" and powers.message.value == ""


def test_a_trace_that_stays_is_not_sent_again(monkeypatch):
    powers, sent = Powers(), []
    monkeypatch.setattr(sliders, "plain_figure", lambda values: sent.append(list(values)) or list(values))
    powers.power.value = 2.0
    assert sent == [[0, 2], [0, 4]]


def test_numbers_are_rounded_to_what_a_screen_shows():
    assert plain_figure(np.array([1 / 3, 2])) == [0.3333, 2.0]
