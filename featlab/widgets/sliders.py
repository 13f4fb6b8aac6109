"""Sliders over one plotly figure, whose traces are sent to the page only where they changed."""

from collections.abc import Sequence

import ipywidgets as w
import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from featlab.course.alt import RUN
from featlab.widgets.live import Live

# plotly's widget draws itself before the page has given it room, and measures again only when the window is
# resized: say so once in place
FIT = RUN.format("setTimeout(() => window.dispatchEvent(new Event('resize')), 50)")


def plain_figure(values: ArrayLike) -> list[float]:
    """A list, rounded to what a screen shows.

    Given arrays, plotly's widget raises in the kernel on the report that follows every move.
    """
    return np.round(np.asarray(values, dtype=float), 4).tolist()


class Sliders(Live):
    """Knobs over one FigureWidget: a subclass gives the figure's moving traces and its title for the knobs'
    values.
    """

    widest = "1100px"

    def __init__(self, knobs: Sequence[w.Widget], figure: go.Figure, twin: go.Figure):
        super().__init__()
        for trace in figure.data:
            trace.update(x=plain_figure(trace.x), y=plain_figure(trace.y))
        self.figure = go.FigureWidget(figure)
        self.figure._config = {**self.figure._config, "responsive": True}
        self.drawn, _ = self.state()
        column = w.VBox([self.figure], layout={"max_width": self.widest})
        self.assemble(knobs, [column, w.HTML(FIT)], twin)

    def state(self) -> tuple[list[dict], str]:
        """x and y of every trace, in the figure's order, and the title."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what the knobs say: only traces that changed are sent, all in one message."""
        traces, title = self.state()
        with self.figure.batch_update():
            for trace, old, new in zip(self.figure.data, self.drawn, traces, strict=True):
                if not (np.array_equal(old["x"], new["x"]) and np.array_equal(old["y"], new["y"])):
                    trace.x, trace.y = plain_figure(new["x"]), plain_figure(new["y"])
            self.figure.layout.title.text = title
        self.drawn = traces
