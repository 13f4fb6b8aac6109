"""Theorem 3: where gradients point."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from featlab import gaussian as g
from featlab.plots.plane import (
    LINES,
    ORIGIN,
    TWO,
    arrow,
    arrows,
    ball,
    degrees,
    dress,
    heading,
    kin,
    metrics,
    plane,
    scatters,
    slide_plane,
)


def angle_traces(direction: float, ratio: float, radius: float) -> list[dict]:
    """Everything that moves in gradient_angles: three arrows, two balls; the angles for every direction of
    mu, the worst, the present.

    direction  of mu, a unit vector, in degrees
    ratio      of the axes of the covariance
    radius     of the adversary, l2, measured like the points
    """
    learned = metrics(g.planar(ratio), radius).values()
    mu, every = _unit(direction), np.linspace(-90, 90, 73)
    gradients = [g.weights(mu, metric) for metric in learned]
    tips = [arrow(w, 1.9) for w in (mu, *gradients)]
    balls = [ball(metric, ORIGIN) for metric in learned]
    angles = [{"x": every, "y": degrees(g.alignment(_unit(every), metric))} for metric in learned]
    worst = [{"x": [-90, 90], "y": [degrees(g.worst_alignment(metric))] * 2} for metric in learned]
    present = [{"x": [direction], "y": [degrees(g.alignment(mu, metric))]} for metric in learned]
    return tips + balls + angles + worst + present


def _angle_styles() -> list[dict]:
    """How each of angle_traces looks, in the same order."""
    balls = [kin(key, f"{key} metric", legend=False) for key in TWO]
    angles = [kin(key, f"{key} gradient's angle", legend=False) for key in TWO]
    worst = [kin(key, f"{key} gradient at worst", legend=False, width=1, dash="dot") for key in TWO]
    present = []
    for key, symbol in zip(TWO, ("circle", "square"), strict=True):
        marker = {"size": 12, "symbol": symbol, "color": LINES[key]["color"]}
        dot = {"mode": "markers", "marker": marker}
        present.append(kin(key, f"{key} gradient here", legend=False) | dot)
    return arrows(legend=True) + balls + angles + worst + present


def gradient_angles(direction: float, ratio: float, radius: float) -> go.Figure:
    """Theorem 3 at a radius measured like the points. Left: mu and the two input gradients. Right: their
    angle for every direction of mu, with the worst in closed form.
    """
    fig = make_subplots(1, 2, column_widths=[0.44, 0.56], horizontal_spacing=0.12)
    traces = scatters(angle_traces(direction, ratio, radius), _angle_styles())
    fig.add_traces(traces[:5], rows=1, cols=1)
    fig.add_traces(traces[5:], rows=1, cols=2)
    plane(fig, 2.4)
    fig.update_xaxes(title="direction of μ, degrees", range=[-90, 90], dtick=30, row=1, col=2)
    fig.update_yaxes(title="angle, degrees", range=[0, 90], dtick=15, row=1, col=2)
    return dress(fig, height=530, top=88).update_layout(title_text=angles_title(direction, ratio, radius))


def angles_title(direction: float, ratio: float, radius: float) -> str:
    """The numbers of gradient_angles in words; the radius is measured like the points."""
    words, mu = {}, _unit(direction)
    for name, metric in metrics(g.planar(ratio), radius).items():
        here, worst = degrees(g.alignment(mu, metric)), degrees(g.worst_alignment(metric))
        words[name] = f"gradient {here:.0f}° off the mean here, {worst:.0f}° at worst"
    return heading(radius, words)


def gradient_angles_twin(
    ratio: float,
    radius: float,
    directions: Sequence[float] = tuple(range(-90, 91, 20)),
    active: int = 6,
) -> go.Figure:
    """gradient_angles with the direction of mu on a slider; the radius is measured like the points."""
    moving = [0, 1, 2, 9, 10]
    states = {f"{d:g}°": [angle_traces(d, ratio, radius)[k] for k in moving] for d in directions}
    titles = [angles_title(d, ratio, radius) for d in directions]
    fig = gradient_angles(directions[active], ratio, radius)
    return slide_plane(fig, "direction of μ ", states, moving, titles=titles, active=active)


def _unit(degrees: ArrayLike) -> np.ndarray:
    """Unit vectors (..., 2)."""
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)
