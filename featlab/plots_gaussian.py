"""Pictures of the two Gaussians: numbers in, plotly figures out.

Colour is never the only signal: standard is dashed, robust solid, exact dotted, the adversary's l2 ball thin and grey. What a slider moves
is computed by a `*_traces` function, which gives the x and y of every trace in the order of the figure, and nothing else.
"""

import base64
from functools import cache, lru_cache

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from featlab import gaussian as g
from featlab.plots import BLUE, GREEN, GREY, INK, PURPLE, RED

STANDARD, ROBUST, MINUS, PLUS = RED, BLUE, PURPLE, GREEN
LINES = {
    "standard": {"color": STANDARD, "width": 2.5, "dash": "dash"},
    "robust": {"color": ROBUST, "width": 3},
    "exact": {"color": INK, "width": 2, "dash": "dot"},
    "l2": {"color": GREY, "width": 1.5},
}
CIRCLE = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 33)), np.sin(t)])
FARTHEST = 4.0  # the largest radius drawn


# --- the plane: two classes, balls of two metrics, boundaries, directions ---


@cache
def _noise(n: int) -> np.ndarray:
    """The same standard normal draws (n, 2) for every position of the sliders, so that points move instead of jumping."""
    return np.random.default_rng(0).standard_normal((n, 2))


def ball(cov: np.ndarray, centre: np.ndarray) -> dict:
    """The unit ball of the metric Sigma^-1 around centre, scaled to the area of the l2 unit ball: what remains is its shape."""
    root = np.linalg.cholesky(cov)
    x, y = root @ CIRCLE / np.sqrt(np.linalg.det(root)) + centre[:, None]
    return {"x": x, "y": y}


def boundary(w: np.ndarray, length: float = 9.0) -> dict:
    """The line w.x = 0."""
    along = length * np.array([-w[1], w[0]]) / np.linalg.norm(w)
    return {"x": [-along[0], along[0]], "y": [-along[1], along[1]]}


def arrow(w: np.ndarray, length: float) -> dict:
    """From the origin along w."""
    tip = length * w / np.linalg.norm(w)
    return {"x": [0, tip[0]], "y": [0, tip[1]]}


def plane_traces(mu: np.ndarray, cov: np.ndarray, radius: float) -> list[dict]:
    """Points of the two classes, four balls, two boundaries, three directions; see figure4."""
    root = np.linalg.cholesky(cov)
    v = _noise(120) @ root.T
    robust = g.robust_covariance(cov, radius)
    exact = g.exact_robust_covariance(cov, radius, samples=64)
    standard_w, robust_w = g.weights(mu, cov), g.weights(mu, robust)
    classes = [{"x": points[:, 0], "y": points[:, 1]} for points in (v[:60] - mu, v[60:] + mu)]
    balls = [ball(shape, -mu) for shape in (np.eye(2), cov, robust, exact)]
    arrows = [arrow(mu, 3.4), arrow(standard_w, 3.0), arrow(robust_w, 3.0)]
    return classes + balls + [boundary(standard_w), boundary(robust_w)] + arrows


def accuracy_traces(mu: np.ndarray, cov: np.ndarray) -> list[dict]:
    """Over the radius: standard clean and attacked, robust clean and attacked; then the same by Monte Carlo."""
    return _accuracies(tuple(mu), tuple(cov.ravel()))


@lru_cache(maxsize=4)
def _accuracies(mu: tuple, cov: tuple) -> list[dict]:
    mu, cov = np.array(mu), np.reshape(cov, (2, 2))
    lams = np.geomspace(g.multiplier(cov, 0.02), g.multiplier(cov, FARTHEST), 40)
    radii, covs = g.robust_path(cov, np.append(np.inf, lams))
    rules = np.linalg.solve(covs, mu[None, :, None])[..., 0]
    standard = np.broadcast_to(rules[0], rules.shape)
    curves = [g.robust_accuracy(w, mu, cov, r) for w in (standard, rules) for r in (0 * radii, radii)]
    v = _noise(4000) @ np.linalg.cholesky(cov).T
    few = np.searchsorted(radii, np.linspace(0, FARTHEST, 9)[:-1])
    dots = [((mu + v) @ w[few].T > r[few] * np.linalg.norm(w[few], axis=1)) for w in (standard, rules) for r in (0 * radii, radii)]
    return [{"x": radii, "y": y} for y in curves] + [{"x": radii[few], "y": d.mean(0)} for d in dots]


def figure4_traces(mu: ArrayLike, cov: ArrayLike, radius: float) -> list[dict]:
    """Everything that moves in figure4, in the order of its traces."""
    mu, cov = np.asarray(mu, dtype=float), np.asarray(cov, dtype=float)
    here = {"x": [radius, radius], "y": [0, 1]}
    return plane_traces(mu, cov, radius) + accuracy_traces(mu, cov) + [here]


def figure4(mu: ArrayLike, cov: ArrayLike, radius: float) -> go.Figure:
    """Figure 4 at one radius, and beside it what every radius costs.

    Left: the l2 unit ball and the unit balls of the metrics Sigma^-1 that standard, robust and exactly robust training learn, all of one
    area; boundaries; the directions of mu and of the input gradients. Right: accuracy over the radius, with Monte Carlo dots.
    """
    fig = make_subplots(1, 2, column_widths=[0.53, 0.47], horizontal_spacing=0.15)
    styles = plane_styles() + _accuracy_styles()
    for trace, style in zip(figure4_traces(mu, cov, radius), styles, strict=True):
        fig.add_trace(go.Scatter(**trace, **style), row=1, col=1 if len(fig.data) < 11 else 2)
    plane(fig, 4.6)
    fig.update_xaxes(title="radius", range=[0, FARTHEST], row=1, col=2)
    fig.update_yaxes(title="accuracy", title_standoff=5, range=[0, 1.03], tickformat=".0%", row=1, col=2)
    return dress(fig, height=560, top=88).update_layout(title_text=figure4_title(mu, cov, radius))


def figure4_title(mu: ArrayLike, cov: ArrayLike, radius: float) -> str:
    """The numbers of figure4 in words."""
    words = []
    for name, metric in (("standard", cov), ("robust", g.robust_covariance(cov, radius))):
        w = g.weights(mu, metric)
        clean, attacked = g.clean_accuracy(w, mu, cov), g.robust_accuracy(w, mu, cov, radius)
        numbers = f"{clean:.1%} clean, {attacked:.1%} attacked, gradient {degrees(g.alignment(mu, metric)):.0f}° off the mean"
        words.append(f'<span style="color:{LINES[name]["color"]}"><b>{name}</b>  {numbers}</span>')
    return f"radius {radius:.2f}<br>" + "<br>".join(words)


def plane_styles() -> list[dict]:
    """How each of plane_traces looks, in the same order."""
    points = [
        {"mode": "markers", "name": "y = −1", "marker": {"symbol": "circle-open", "size": 6, "color": MINUS, "opacity": 0.55}},
        {"mode": "markers", "name": "y = +1", "marker": {"symbol": "cross-thin-open", "size": 7, "color": PLUS, "opacity": 0.65}},
    ]
    names = {"l2": "ℓ₂ ball, mean μ", "standard": "standard Σ*", "robust": "robust Σᵣ (Theorem 2)", "exact": "robust, exact (eq. 11)"}
    balls = [{"mode": "lines", "name": name, "line": LINES[key], "legendgroup": key} for key, name in names.items()]
    lines = [
        {"mode": "lines", "line": dict(LINES[key], width=2), "legendgroup": key, "showlegend": False} for key in ("standard", "robust")
    ]
    heads = [
        {
            "mode": "lines+markers",
            "line": LINES[key],
            "legendgroup": key,
            "showlegend": False,
            "marker": head(LINES[key]["color"]),
        }
        for key in ("l2", "standard", "robust")
    ]
    return points + balls + lines + heads


def _accuracy_styles() -> list[dict]:
    quiet = {"showlegend": False, "hovertemplate": "radius %{x:.2f}: %{y:.1%}"}
    lines = [
        dict(quiet, mode="lines", name=f"{who}, {what}", line=dict(LINES[who], width=width))
        for who in ("standard", "robust")
        for what, width in (("clean", 1.5), ("attacked", 3.5))
    ]
    symbols = ("circle-open", "circle", "square-open", "square")
    dots = [
        dict(
            quiet,
            mode="markers",
            name="Monte Carlo",
            marker={"symbol": s, "size": 8, "color": LINES["standard" if k < 2 else "robust"]["color"]},
        )
        for k, s in enumerate(symbols)
    ]
    return lines + dots + [dict(quiet, mode="lines", line={"color": INK, "width": 1, "dash": "dot"}, hoverinfo="skip")]


# --- twins: the same pictures with a slider of plotly's own, which works without a kernel ---


def figure4_twin(mu: ArrayLike, cov: ArrayLike, radii: ArrayLike = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4), active: int = 4) -> go.Figure:
    """figure4 with the radius on a slider."""
    fig = figure4(mu, cov, radii[active])
    moving = [4, 5, 7, 10, len(fig.data) - 1]
    states = {f"{r:g}": [figure4_traces(mu, cov, r)[k] for k in moving] for r in radii}
    return slide(fig, "radius ", states, moving, titles=[figure4_title(mu, cov, r) for r in radii], active=active)


def slide(
    fig: go.Figure, what: str, states: dict[str, list[dict]], moving: list[int], *, titles: list[str] = (), active: int = 0
) -> go.Figure:
    """Put a slider under a figure: at each label the traces `moving` take the x and y of its state, and the figure its title."""
    steps = []
    for k, (label, state) in enumerate(states.items()):
        data = {axis: [_packed(trace[axis]) for trace in state] for axis in "xy"}
        args = [data, {"title.text": titles[k]} if titles else {}, moving]
        steps.append({"method": "update", "label": label, "args": args})
    slider = {"steps": steps, "active": active, "currentvalue": {"prefix": what, "font_size": 15}, "pad_t": 68, "len": 0.94, "x": 0.03}
    return fig.update_layout(sliders=[slider], height=fig.layout.height + 95, margin_b=fig.layout.margin.b + 95)


# --- shared ---


def _packed(values: ArrayLike) -> dict:
    """Numbers in the form that a notebook stores smallest; plotly.py packs traces by itself, but not the steps of a slider."""
    return {"dtype": "f4", "bdata": base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()}


def degrees(cosine: ArrayLike) -> np.ndarray:
    """The angle of a cosine."""
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))[()]


def head(color: str) -> dict:
    """A line's marker: an arrowhead at its second point."""
    return {"symbol": ["circle", "arrow"], "size": [1, 15], "angleref": "previous", "color": color, "opacity": 1}


def plane(fig: go.Figure, half: float, row: int = 1, col: int = 1) -> None:
    """Equal scales around the origin, x and y within about +-half."""
    axis = fig.get_subplot(row, col)
    fig.update_xaxes(range=[-half, half], constrain="domain", title="x₁", row=row, col=col)
    fig.update_yaxes(
        range=[-half, half], constrain="domain", title="x₂", scaleanchor=axis.xaxis.plotly_name.replace("axis", ""), row=row, col=col
    )


def dress(fig: go.Figure, height: int, top: int = 45) -> go.Figure:
    """One look for all: the house template, the legend along the bottom edge, and zoom kept while sliders move."""
    fig.update_layout(template="featlab", height=height, margin={"l": 65, "r": 25, "t": top, "b": 128}, uirevision="keep")
    fig.update_layout(title={"yref": "container", "y": 0.965, "yanchor": "top", "font_size": 15})
    for trace in fig.data:  # half the bytes in a saved notebook
        trace.update(x=np.asarray(trace.x, dtype=np.float32), y=np.asarray(trace.y, dtype=np.float32))
    return fig.update_layout(legend={"yref": "container", "y": 0.01, "yanchor": "bottom", "x": 0.5, "xanchor": "center"})
