"""Figure 4 and Theorem 3 with sliders. What moves comes from plots_gaussian; here it is only passed on to the browser."""

import ipywidgets as w
import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from featlab import gaussian as g
from featlab import plots_gaussian as plots
from featlab import plots_theorems as theorems
from featlab.alt import RUN
from featlab.widgets import Live, guarded


def wide() -> dict:
    """Room for a knob: readable from the last row, three in a line, or below each other on a narrow page."""
    return {"style": {"description_width": "initial"}, "layout": w.Layout(flex="1 1 260px", min_width="260px", max_width="400px")}


def length(value: float, most: float, name: str, least: float = 0.0, step: float = 0.05) -> w.FloatSlider:
    """A slider for a length or a ratio."""
    return w.FloatSlider(value, min=least, max=most, step=step, description=name, readout_format=".2f" if step < 0.1 else ".1f", **wide())


def angle(value: int, name: str) -> w.IntSlider:
    """A slider in whole degrees: a float one sends 60.00000000000003 back for 60 and so undoes what a cell sets next."""
    return w.IntSlider(value, min=-90, max=90, description=name, **wide())


# plotly's widget draws itself before the page has given it room, and measures again only when the window is resized: say so once in place
FIT = RUN.format("setTimeout(() => window.dispatchEvent(new Event('resize')), 50)")


def plain(values: ArrayLike) -> list[float]:
    """A list, rounded to what a screen shows. Given arrays, plotly's widget raises in the kernel on the report that follows every move."""
    return np.round(np.asarray(values, dtype=float), 4).tolist()


class Sliders(Live):
    """Knobs over one FigureWidget: a subclass gives the figure's moving traces and its title for the knobs' values."""

    def __init__(self, knobs: list[w.Widget], figure: go.Figure, twin: go.Figure, says: str):
        for trace in figure.data:
            trace.update(x=plain(trace.x), y=plain(trace.y))
        self.figure, self.message = go.FigureWidget(figure), w.HTML()
        self.figure._config = {**self.figure._config, "responsive": True}
        self.drawn = self.state()[0]
        column = w.VBox([w.HBox(knobs, layout=w.Layout(flex_flow="row wrap")), self.figure], layout=w.Layout(max_width="1100px"))
        super().__init__([column, self.message, w.HTML(FIT)], twin, says)
        for slider in knobs:
            slider.observe(guarded(self.draw, self.message), "value")

    def state(self) -> tuple[list[dict], str]:
        """x and y of every trace, and the title."""
        raise NotImplementedError

    def draw(self) -> None:
        """Show what the knobs say: only traces that changed are sent, all in one message."""
        traces, title = self.state()
        with self.figure.batch_update():
            for trace, old, new in zip(self.figure.data, self.drawn, traces, strict=True):
                if not (np.array_equal(old["x"], new["x"]) and np.array_equal(old["y"], new["y"])):
                    trace.x, trace.y = plain(new["x"]), plain(new["y"])
            self.figure.layout.title.text = title
        self.drawn = traces


class TwoGaussians(Sliders):
    """Figure 4, live: radius, axis ratio and tilt of Sigma*; mu lies along x_1, the trace of Sigma* is fixed."""

    def __init__(self, radius: float = 1.0, ratio: float = 4.0, tilt: int = 35):
        self.mu = np.array([2.0, 0.0])
        self.radius = length(radius, plots.FARTHEST, "radius")
        self.ratio = length(ratio, 8, "axis ratio of Σ*", least=1, step=0.1)
        self.tilt = angle(tilt, "tilt of Σ*, °")
        where = self.mu, g.planar(ratio, tilt)
        super().__init__([self.radius, self.ratio, self.tilt], plots.figure4(*where, radius), plots.figure4_twin(*where), "two Gaussians")

    def state(self) -> tuple[list[dict], str]:
        where = self.mu, g.planar(self.ratio.value, self.tilt.value), self.radius.value
        return plots.figure4_traces(*where), plots.figure4_title(*where)


class GradientAngles(Sliders):
    """Theorem 3, live: direction of mu, axis ratio of Sigma*, radius."""

    def __init__(self, heading: int = 30, ratio: float = 3.0, radius: float = 1.0):
        self.heading = angle(heading, "direction of μ, °")
        self.ratio = length(ratio, 8, "axis ratio of Σ*", least=1, step=0.1)
        self.radius = length(radius, 10, "radius")
        figure, twin = theorems.gradient_angles(heading, ratio, radius), theorems.gradient_angles_twin(ratio, radius)
        super().__init__([self.heading, self.ratio, self.radius], figure, twin, "gradient angles")

    def state(self) -> tuple[list[dict], str]:
        where = self.heading.value, self.ratio.value, self.radius.value
        return theorems.angle_traces(*where), theorems.angles_title(*where)
