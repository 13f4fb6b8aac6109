"""Figure 4, the centre of section 4: the plane at one radius, and beside it what every radius costs."""

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from featlab import gaussian as g
from featlab.plots.plane import (
    LINES,
    MINUS,
    PERCENT,
    PLUS,
    TWO,
    arrow,
    arrows,
    ball,
    boundary,
    degrees,
    dress,
    heading,
    kin,
    metrics,
    plane,
    points,
    scatters,
    slide_plane,
)
from featlab.plots.style import INK

FARTHEST = 4.0  # the largest radius drawn


@cache
def _noise(n: int) -> np.ndarray:
    """The same standard normal draws (n, 2) for every position of the sliders,
    so that points move instead of jumping.
    """
    return np.random.default_rng(0).standard_normal((n, 2))


def plane_traces(mu: np.ndarray, cov: np.ndarray, radius: float) -> list[dict]:
    """Points of the two classes, four balls, two boundaries, three directions; see figure4.

    mu (2,), cov (2, 2)  of the classes
    radius               of the adversary, l2, measured like the points
    """
    root = np.linalg.cholesky(cov)
    v = _noise(120) @ root.T
    robust = g.robust_covariance(cov, radius)
    exact = g.exact_robust_covariance(cov, radius, samples=64)
    standard_w, robust_w = g.weights(mu, cov), g.weights(mu, robust)
    classes = [points(v[:60] - mu), points(v[60:] + mu)]
    balls = [ball(shape, -mu) for shape in (np.eye(2), cov, robust, exact)]
    directions = [arrow(mu, 3.4), arrow(standard_w, 3.0), arrow(robust_w, 3.0)]
    return classes + balls + [boundary(standard_w), boundary(robust_w)] + directions


def accuracy_traces(mu: np.ndarray, cov: np.ndarray) -> list[dict]:
    """For mu (2,) and cov (2, 2), over the radius: standard clean and attacked, robust clean and attacked;
    then the same by Monte Carlo.
    """
    return _accuracies(tuple(mu), tuple(cov.ravel()))


@lru_cache(maxsize=4)
def _accuracies(mean: tuple[float, ...], entries: tuple[float, ...]) -> list[dict]:
    mu, cov = np.array(mean), np.reshape(entries, (2, 2))
    lams = np.geomspace(g.multiplier(cov, 0.02), g.multiplier(cov, FARTHEST), 40)
    radii, covs = g.robust_path(cov, np.append(np.inf, lams))
    rules = np.linalg.solve(covs, mu[None, :, None])[..., 0]
    standard = np.broadcast_to(rules[0], rules.shape)
    x = mu + _noise(4000) @ np.linalg.cholesky(cov).T
    few = np.searchsorted(radii, np.linspace(0, FARTHEST, 9)[:-1])
    curves, dots = [], []
    for w, r in [(w, r) for w in (standard, rules) for r in (0 * radii, radii)]:
        curves.append({"x": radii, "y": g.robust_accuracy(w, mu, cov, r)})
        right = x @ w[few].T > r[few] * np.linalg.norm(w[few], axis=1)
        dots.append({"x": radii[few], "y": right.mean(0)})
    return curves + dots


def figure4_traces(mu: ArrayLike, cov: ArrayLike, radius: float) -> list[dict]:
    """Everything that moves in figure4, in the order of its traces: of mu (2,), cov (2, 2) and a radius that
    is measured like the points.
    """
    mu, cov = np.asarray(mu, dtype=float), np.asarray(cov, dtype=float)
    here = {"x": [radius, radius], "y": [0, 1]}
    return plane_traces(mu, cov, radius) + accuracy_traces(mu, cov) + [here]


def figure4(mu: ArrayLike, cov: ArrayLike, radius: float) -> go.Figure:
    """Figure 4 at one radius, measured like the points, and beside it what every radius costs.

    Left: the l2 unit ball and the unit balls of the metrics Sigma^-1 that standard, robust and exactly robust
    training learn, all of one area; boundaries; the directions of mu and of the input gradients. Right:
    accuracy over the radius, with Monte Carlo dots.
    """
    fig = make_subplots(1, 2, column_widths=[0.53, 0.47], horizontal_spacing=0.15)
    traces = scatters(figure4_traces(mu, cov, radius), plane_styles() + _accuracy_styles())
    left = len(plane_styles())
    fig.add_traces(traces[:left], rows=1, cols=1)
    fig.add_traces(traces[left:], rows=1, cols=2)
    plane(fig, 4.6)
    fig.update_xaxes(title="radius", range=[0, FARTHEST], row=1, col=2)
    fig.update_yaxes(title="accuracy", title_standoff=5, **PERCENT, row=1, col=2)
    return dress(fig, height=560, top=88).update_layout(title_text=figure4_title(mu, cov, radius))


def figure4_title(mu: ArrayLike, cov: ArrayLike, radius: float) -> str:
    """The numbers of figure4 in words; the radius is measured like the points."""
    words = {}
    for name, metric in metrics(cov, radius).items():
        w = g.weights(mu, metric)
        clean, attacked = g.clean_accuracy(w, mu, cov), g.robust_accuracy(w, mu, cov, radius)
        angle = degrees(g.alignment(mu, metric))
        words[name] = f"{clean:.1%} clean, {attacked:.1%} attacked, gradient {angle:.0f}° off the mean"
    return heading(radius, words)


def plane_styles() -> list[dict]:
    """How each of plane_traces looks, in the same order."""
    minus = {"symbol": "circle-open", "size": 6, "color": MINUS, "opacity": 0.55}
    plus = {"symbol": "cross-thin-open", "size": 7, "color": PLUS, "opacity": 0.65}
    classes = [
        {"mode": "markers", "name": "y = −1", "marker": minus},
        {"mode": "markers", "name": "y = +1", "marker": plus},
    ]
    balls = [
        kin("l2", "ℓ₂ ball, mean μ"),
        kin("standard", "standard Σ*"),
        kin("robust", "robust Σᵣ (Theorem 2)"),
        kin("exact", "robust, exact (eq. 11)"),
    ]
    boundaries = [kin(key, f"{key} boundary", legend=False, width=2) for key in TWO]
    return classes + balls + boundaries + arrows(legend=False)


def _accuracy_styles() -> list[dict]:
    """How each of accuracy_traces looks, and the line at the radius."""
    quiet = {"showlegend": False, "hovertemplate": "radius %{x:.2f}: %{y:.1%}"}
    lines, dots = [], []
    symbols = {"standard": ("circle-open", "circle"), "robust": ("square-open", "square")}
    for who in TWO:
        for what, width, symbol in zip(("clean", "attacked"), (1.5, 3.5), symbols[who], strict=True):
            line = LINES[who] | {"width": width}
            lines.append({"mode": "lines", "name": f"{who}, {what}", "line": line, **quiet})
            marker = {"symbol": symbol, "size": 8, "color": LINES[who]["color"]}
            dots.append({"mode": "markers", "name": "Monte Carlo", "marker": marker, **quiet})
    thin = {"color": INK, "width": 1, "dash": "dot"}
    here = {"mode": "lines", "name": "this radius", "line": thin, "hoverinfo": "skip", **quiet}
    return [*lines, *dots, here]


def figure4_twin(
    mu: ArrayLike,
    cov: ArrayLike,
    radii: Sequence[float] = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4),
    active: int = 4,
) -> go.Figure:
    """figure4 with the radius on a slider; radii are measured like the points."""
    fig = figure4(mu, cov, radii[active])
    moving = [4, 5, 7, 10, len(fig.data) - 1]
    states = {f"{r:g}": [figure4_traces(mu, cov, r)[k] for k in moving] for r in radii}
    titles = [figure4_title(mu, cov, r) for r in radii]
    return slide_plane(fig, "radius ", states, moving, titles=titles, active=active)
