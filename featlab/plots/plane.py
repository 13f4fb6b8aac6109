"""What the pictures of section 4 share: the plane with balls of metrics, boundaries and arrows, and one look.

Colour is never the only signal: standard is dashed, robust solid, exact dotted, the adversary's l2 ball thin
and grey. What a slider moves is computed by a `*_traces` function, which gives the x and y of every trace in
the order of the figure, and nothing else.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from featlab import gaussian as g
from featlab.plots import sliders
from featlab.plots.style import BLUE, GREEN, GREY, INK, PURPLE, RED

STANDARD, ROBUST, MINUS, PLUS = RED, BLUE, PURPLE, GREEN
LINES: dict[str, dict[str, Any]] = {
    "standard": {"color": STANDARD, "width": 2.5, "dash": "dash"},
    "robust": {"color": ROBUST, "width": 3},
    "exact": {"color": INK, "width": 2, "dash": "dot"},
    "l2": {"color": GREY, "width": 1.5},
}
TWO = ("standard", "robust")  # what most pictures compare
DIRECTIONS = {"l2": "mean μ", "standard": "standard gradient", "robust": "robust gradient"}
PERCENT = {"range": [0, 1.03], "tickformat": ".0%"}  # an axis of accuracies, which are fractions
CIRCLE = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 33)), np.sin(t)])
ORIGIN = np.zeros(2)


# where: x and y of one trace


def ball(cov: np.ndarray, centre: np.ndarray) -> dict:
    """The unit ball of the metric Sigma^-1, for cov (2, 2), around centre (2,), scaled to the area of the l2
    unit ball: what remains is its shape.
    """
    root = np.linalg.cholesky(cov)
    x, y = root @ CIRCLE / np.sqrt(np.linalg.det(root)) + centre[:, None]
    return {"x": x, "y": y}


def points(where: np.ndarray) -> dict:
    """Points (n, 2)."""
    return {"x": where[:, 0], "y": where[:, 1]}


def boundary(w: np.ndarray, length: float = 9.0) -> dict:
    """The line w.x = 0 for w (2,), to `length` on either side of the origin."""
    along = length * np.array([-w[1], w[0]]) / np.linalg.norm(w)
    return {"x": [-along[0], along[0]], "y": [-along[1], along[1]]}


def arrow(w: np.ndarray, length: float) -> dict:
    """From the origin along w (2,), as long as `length`."""
    tip = length * w / np.linalg.norm(w)
    return {"x": [0, tip[0]], "y": [0, tip[1]]}


# how: the look of one trace


def curve(
    x: ArrayLike,
    y: ArrayLike,
    name: str,
    line: Mapping,
    *,
    mode: str = "lines",
    **more: Any,
) -> go.Scatter:
    """A line, or with another mode a line with markers, as a trace."""
    return go.Scatter(x=x, y=y, name=name, line=line, mode=mode, **more)


def kin(
    key: str,
    name: str,
    *,
    legend: bool = True,
    **line: Any,
) -> dict:
    """The look of a line that is like one of LINES, and that the legend switches together with its kin."""
    look = {"mode": "lines", "name": name, "line": LINES[key] | line}
    return {**look, "legendgroup": key, "showlegend": legend}


def arrows(legend: bool) -> list[dict]:
    """The looks of three arrows: the mean and the two input gradients."""
    looks = []
    for key, name in DIRECTIONS.items():
        tip = {"mode": "lines+markers", "marker": head(LINES[key]["color"])}
        looks.append(kin(key, name, legend=legend) | tip)
    return looks


def head(color: str) -> dict:
    """A line's marker: an arrowhead at its second point."""
    shape = {"symbol": ["circle", "arrow"], "size": [1, 15], "angleref": "previous"}
    return {**shape, "color": color, "opacity": 1}


def scatters(traces: Sequence[dict], styles: Sequence[dict]) -> list[go.Scatter]:
    """Traces that are put together from where and how."""
    return [go.Scatter(**trace, **style) for trace, style in zip(traces, styles, strict=True)]


# the whole picture


def plane(fig: go.Figure, half: float, col: int = 1) -> None:
    """Equal scales around the origin, x and y within about +-half."""
    same = {"range": [-half, half], "constrain": "domain", "row": 1, "col": col}
    fig.update_xaxes(title="x₁", **same)
    fig.update_yaxes(title="x₂", scaleanchor="x" if col == 1 else f"x{col}", **same)


def dress(fig: go.Figure, height: int, top: int = 45) -> go.Figure:
    """One look for all: the house template, the legend along the bottom edge,
    and zoom kept while sliders move.
    """
    fig.update_layout(
        template="featlab",
        height=height,
        margin={"l": 65, "r": 25, "t": top, "b": 128},
        uirevision="keep",
    )
    fig.update_layout(title={"yref": "container", "y": 0.965, "yanchor": "top", "font_size": 15})
    for trace in fig.data:  # half the bytes in a saved notebook
        trace.x = np.asarray(trace.x, dtype=np.float32)
        trace.y = np.asarray(trace.y, dtype=np.float32)
    return fig.update_layout(
        legend={"yref": "container", "y": 0.01, "yanchor": "bottom", "x": 0.5, "xanchor": "center"}
    )


def degrees(cosine: ArrayLike) -> np.ndarray:
    """The angle of a cosine, in degrees: of any shape, a scalar included."""
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))[()]


def metrics(cov: ArrayLike, radius: float) -> dict[str, np.ndarray]:
    """The metrics that standard and robust training learn from cov (d, d), as covariances (d, d) by the names
    of their LINES; the radius is measured like the points.
    """
    return {"standard": np.asarray(cov, dtype=float), "robust": g.robust_covariance(cov, radius)}


def heading(radius: float, words: Mapping[str, str]) -> str:
    """A title: the radius, measured like the points; below, what is said of each of LINES, in its colour."""
    said = [
        f'<span style="color:{LINES[name]["color"]}"><b>{name}</b>  {text}</span>'
        for name, text in words.items()
    ]
    return "<br>".join([f"radius {radius:.2f}", *said])


def slide_plane(
    fig: go.Figure,
    what: str,
    states: dict[str, list[dict]],
    moving: list[int],
    *,
    titles: Sequence[str] = (),
    active: int = 0,
) -> go.Figure:
    """Put a slider under a figure: at each label the traces `moving` take the x and y of its state,
    and the figure its title.
    """
    steps = []
    for k, (label, state) in enumerate(states.items()):
        data = {axis: [_packed(trace[axis]) for trace in state] for axis in "xy"}
        title = {"title.text": titles[k]} if titles else {}
        steps.append(sliders.step(label, data, title, moving))
    sliders.slide(
        fig,
        steps,
        what,
        gap=68,
        active=active,
        len=0.94,
        x=0.03,
        currentvalue_font_size=15,
    )
    return fig.update_layout(height=fig.layout.height + 95, margin_b=fig.layout.margin.b + 95)


def _packed(values: ArrayLike) -> dict:
    """Numbers in the form that a notebook stores smallest; plotly.py packs traces by itself,
    but not the steps of a slider.
    """
    data = np.asarray(values, dtype="<f4").tobytes()
    return {"dtype": "f4", "bdata": base64.b64encode(data).decode()}
