"""Pictures of section 4's theorems and claims, drawn from featlab.gaussian; Figure 4 is in plots.gaussian,
Theorem 3 in plots.angles.
"""

from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from featlab import gaussian as g
from featlab.plots.gaussian import plane_styles, plane_traces
from featlab.plots.plane import (
    CIRCLE,
    LINES,
    MINUS,
    ORIGIN,
    PERCENT,
    PLUS,
    ROBUST,
    STANDARD,
    ball,
    boundary,
    curve,
    dress,
    plane,
    points,
    scatters,
    slide_plane,
)
from featlab.plots.style import GREY, INK


def induced_metrics(mu: ArrayLike, cov: ArrayLike, radii: tuple[float, ...] = (0, 1, 10)) -> go.Figure:
    """Figure 4 as the paper prints it: one panel a radius (measured like the points), the learned metric's
    ball beside the l2 ball.
    """
    titles = [f"radius {r:g}" for r in radii]
    fig = make_subplots(1, len(radii), subplot_titles=titles, horizontal_spacing=0.06)
    mu, cov = np.asarray(mu, dtype=float), np.asarray(cov, dtype=float)
    # of plane_traces: points, l2 ball, robust ball, boundary, mean and gradient
    shown = [0, 1, 2, 4, 7, 8, 10]
    for col, radius in enumerate(radii, start=1):
        traces = scatters(plane_traces(mu, cov, radius), plane_styles())
        for k in shown:
            traces[k].showlegend = col == 1 and k < 7
            fig.add_trace(traces[k], row=1, col=col)
        plane(fig, 4.2, col=col)
    fig.update_yaxes(title="", col=2).update_yaxes(title="", col=3)
    return dress(fig, height=390)


def misalignment(C: float, trace: float = 4.0) -> go.Figure:
    """Theorem 1's gap over the axis ratio of a covariance of fixed trace, for three prices C,
    1.5 C and 3 C of the perturbation.
    """
    fig, ratios = go.Figure(), np.linspace(1, 3, 31)
    diamond = {"color": ROBUST, "size": 11, "symbol": "diamond"}
    for price, dash in ((C, "solid"), (1.5 * C, "dash"), (3 * C, "dot")):
        gap = [g.vulnerability(g.planar(r, 0, trace), price) for r in ratios]
        name = f"C = {price:g}"
        line = {"color": STANDARD, "width": 2.5, "dash": dash}
        fig.add_trace(curve(ratios, gap, name, line))
        least = {"name": f"{name}, least", "marker": diamond, "showlegend": False}
        fig.add_scatter(x=[1], y=gap[:1], mode="markers", **least)
    fig.update_xaxes(title="axis ratio of Σ* (trace fixed)")
    fig.update_yaxes(title="loss added by the adversary", type="log", tickvals=[0.1, 0.3, 1, 3, 10, 30])
    return dress(fig, height=400)


def multiplier_and_bounds(cov: ArrayLike) -> go.Figure:
    """lambda over the radius between Theorem 2's bounds (eps = radius^2),
    and the upper bound read with eps = radius.
    """
    radii = np.geomspace(1e-3, 1e2, 41)
    lam = [g.multiplier(cov, r) for r in radii]
    low, high = np.transpose([g.multiplier_bounds(cov, r) for r in radii])
    _, high_at_1 = g.multiplier_bounds(cov, 1.0)
    misread = high_at_1 / 2 * (1 + np.sqrt(radii)) / np.sqrt(radii)
    lines = [
        ("upper bound, ε = r²", high, {"color": GREY, "width": 2, "dash": "dash"}),
        ("λ", lam, LINES["robust"]),
        ("lower bound, ε = r²", low, {"color": GREY, "width": 2, "dash": "dot"}),
        ("misread, ε = r", misread, {"color": STANDARD, "width": 2, "dash": "longdashdot"}),
    ]
    fig = go.Figure([curve(radii, y, name, line) for name, y, line in lines])
    fig.update_xaxes(title="radius r = √E‖δ‖²", type="log", dtick=1)
    fig.update_yaxes(title="λ", type="log", exponentformat="power", dtick=2)
    return dress(fig, height=420)


def exact_against_relaxed(dims: ArrayLike = (1, 2, 3, 5, 10, 20, 50)) -> go.Figure:
    """The variance learned from N(0, I_d) with radius sqrt(d), as eq. (11) and as Theorem 2 have it; right,
    their gap falls like 1/d.
    """
    dims = np.asarray(dims)
    relaxed, exact = [], []
    for d in dims:
        cov, radius = np.eye(d), np.sqrt(d)
        relaxed.append(g.robust_covariance(cov, radius)[0, 0])
        exact.append(np.diag(g.exact_robust_covariance(cov, radius)).mean())
    titles = ["learned variance", "relaxed − exact"]
    fig = make_subplots(1, 2, horizontal_spacing=0.12, subplot_titles=titles)
    square = {"mode": "lines+markers", "marker_symbol": "square"}
    circle = {"mode": "lines+markers", "marker_symbol": "circle"}
    variances = [
        curve(dims, relaxed, "relaxed (Theorem 2)", LINES["robust"], **square),
        curve(dims, exact, "exact (eq. 11)", LINES["exact"], **circle),
    ]
    diamond = {"size": 10, "color": ROBUST, "symbol": "diamond"}
    gap = go.Scatter(
        x=dims,
        y=np.subtract(relaxed, exact),
        name="gap",
        mode="markers",
        marker=diamond,
    )
    law = curve(dims, 1 / (2 * dims), "1 / (2d)", LINES["l2"])
    fig.add_traces(variances, rows=1, cols=1)
    fig.add_traces([gap, law], rows=1, cols=2)
    fig.update_xaxes(title="dimension d", type="log", tickvals=dims)
    fig.update_yaxes(type="log", exponentformat="power", dtick=1, row=1, col=2)
    return dress(fig, height=400)


def training_steps(epochs: list, target: np.ndarray) -> go.Figure:
    """Adversarial training in the plane, one slider step an epoch: the metric's ball moves to Theorem 2's,
    and both sd to theirs.

    epochs  each with the covariance `cov` (2, 2) learned so far
    target  (2, 2), the covariance of Theorem 2
    """
    fig = make_subplots(
        1,
        2,
        column_widths=[0.42, 0.58],
        horizontal_spacing=0.12,
        subplot_titles=["metric ball", "standard deviations learned"],
    )
    balls = [ball(epoch.cov, ORIGIN) for epoch in epochs]
    goal = curve(**ball(target, ORIGIN), name="Theorem 2", line=LINES["exact"] | {"width": 3})
    learned = curve(**balls[0], name="epoch", line=LINES["robust"])
    fig.add_traces([goal, learned], rows=1, cols=1)
    plane(fig, 2.2)
    sds = np.sqrt([np.linalg.eigvalsh(epoch.cov) for epoch in epochs])
    here: list[dict] = [{"x": [k, k], "y": [0, sds.max()]} for k in range(len(epochs))]
    _draw_deviations(fig, sds, np.sqrt(np.linalg.eigvalsh(target)))
    thin = {"color": INK, "dash": "dot", "width": 1}
    now = curve(**here[0], name="this epoch", line=thin, showlegend=False)
    fig.add_trace(now, row=1, col=2)
    states = {str(k): list(state) for k, state in enumerate(zip(balls, here, strict=True))}
    return slide_plane(dress(fig, height=480), "epoch ", states, [1, 4])


def _draw_deviations(fig: go.Figure, sds: np.ndarray, targets: np.ndarray) -> None:
    """The right panel of training_steps: both sd (epochs, 2) over the epochs, and their targets (2,)."""
    panel = {"row": 1, "col": 2}
    axes = [("short axis", STANDARD, "diamond"), ("long axis", ROBUST, "square")]
    for sd, (name, colour, symbol) in zip(sds.T, axes, strict=True):
        line = {"color": colour, "width": 2}
        look = {"mode": "lines+markers", "marker_symbol": symbol}
        fig.add_trace(curve(np.arange(len(sds)), sd, name, line, **look), **panel)
    for target in targets:
        fig.add_hline(target, line=LINES["exact"] | {"width": 1.5}, **panel)
    fig.update_xaxes(title="epoch", **panel)
    fig.update_yaxes(rangemode="tozero", **panel)


def separable(x: np.ndarray, y: np.ndarray, rules: dict[str, np.ndarray]) -> go.Figure:
    """Figure 14: points x (n, 2) of labels y (n,), -1 and 1, with each rule's boundary, and each rule's
    accuracy over the radius.

    rules  name -> w (2,), three of them: standard, robust and exact
    """
    titles = ["separable data", "accuracy under attack"]
    fig = make_subplots(1, 2, horizontal_spacing=0.1, subplot_titles=titles)
    _draw_data(fig, x, y)
    radii = np.linspace(0, 3, 31)
    for (name, w), key in zip(rules.items(), ("standard", "robust", "exact"), strict=True):
        look: dict[str, Any] = {"name": name, "line": LINES[key], "legendgroup": name}
        fig.add_trace(curve(**boundary(w, 30), **look), row=1, col=1)
        attacked = [g.accuracy(w, x, y, r) for r in radii]
        fig.add_trace(curve(radii, attacked, **look, showlegend=False), row=1, col=2)
    fig.update_xaxes(title="radius", row=1, col=2)
    fig.update_yaxes(**PERCENT, row=1, col=2)
    return dress(fig, height=430)


def _draw_data(fig: go.Figure, x: np.ndarray, y: np.ndarray) -> None:
    """The left panel of separable: points x (n, 2) of each label, and the l2 ball around a mean."""
    shown = [points(x[y == label][:90]) for label in (-1, 1)]
    fig.add_traces(scatters(shown, plane_styles()[:2]), rows=1, cols=1)
    across, up = (x * y[:, None]).mean(0)[:, None] + CIRCLE
    fig.add_trace(curve(across, up, "ℓ₂ ball of radius 1", LINES["l2"]), row=1, col=1)
    fig.update_xaxes(title="x₁", range=[-21, 21], row=1, col=1)
    fig.update_yaxes(title="x₂", range=[-2, 2], row=1, col=1)


def coordinate_features(mu: ArrayLike, cov: ArrayLike, farthest: float = 2.0) -> go.Figure:
    """gamma of every coordinate feature over the radius: it starts at rho and falls in a straight line."""
    mu, radii = np.asarray(mu, dtype=float), np.array([0.0, farthest])
    d = len(mu)
    gammas = np.transpose(g.gamma(np.eye(d), mu, cov, radii[:, None]))
    sds = np.sqrt(np.diag(cov))
    colours, dashes = (ROBUST, STANDARD, PLUS, MINUS), ("solid", "dash", "dot", "longdashdot")
    fig = go.Figure()
    for k, colour, dash in zip(range(d), cycle(colours), cycle(dashes)):
        name = f"x{k + 1}: μ = {mu[k]:g}, sd = {sds[k]:.2g}"
        line = {"width": 2.5, "dash": dash, "color": colour}
        fig.add_trace(curve(radii, gammas[k], name, line))
    fig.add_hline(0, line={"color": INK, "width": 1})
    fig.update_xaxes(title="radius ε")
    fig.update_yaxes(title="robust usefulness γ")
    return dress(fig, height=400)
