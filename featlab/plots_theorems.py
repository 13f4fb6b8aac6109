"""Pictures of section 4, one for each theorem and claim, drawn from featlab.gaussian; its centre, Figure 4, is in plots_gaussian."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from featlab import gaussian as g
from featlab.plots import GREY, INK
from featlab.plots_gaussian import (
    CIRCLE,
    LINES,
    MINUS,
    PLUS,
    ROBUST,
    STANDARD,
    arrow,
    ball,
    boundary,
    degrees,
    dress,
    head,
    plane,
    plane_styles,
    plane_traces,
    slide,
)


def induced_metrics(mu: ArrayLike, cov: ArrayLike, radii: tuple[float, ...] = (0, 1, 10)) -> go.Figure:
    """Figure 4 as the paper prints it: one panel a radius, the learned metric's ball beside the l2 ball."""
    titles = [f"radius {r:g}" for r in radii]
    fig = make_subplots(1, len(radii), subplot_titles=titles, horizontal_spacing=0.06)
    mu, cov = np.asarray(mu, dtype=float), np.asarray(cov, dtype=float)
    shown = [0, 1, 2, 4, 7, 8, 10]  # of plane_traces: points, l2 ball, robust ball, boundary, mean and gradient
    for col, radius in enumerate(radii, start=1):
        traces, styles = plane_traces(mu, cov, radius), plane_styles()
        for k in shown:
            fig.add_trace(go.Scatter(**traces[k], **dict(styles[k], showlegend=col == 1 and k < 7)), row=1, col=col)
        plane(fig, 4.2, col=col)
    fig.update_yaxes(title="", col=2).update_yaxes(title="", col=3)
    return dress(fig, height=390)


def misalignment(C: float, trace: float = 4.0) -> go.Figure:
    """Theorem 1's gap over the axis ratio of a covariance of fixed trace, for three prices C, 1.5 C and 3 C of the perturbation."""
    fig, ratios = go.Figure(), np.linspace(1, 3, 31)
    for price, dash in ((C, "solid"), (1.5 * C, "dash"), (3 * C, "dot")):
        gap = [g.vulnerability(g.planar(r, 0, trace), price) for r in ratios]
        fig.add_trace(
            go.Scatter(x=ratios, y=gap, mode="lines", name=f"C = {price:g}", line={"color": STANDARD, "width": 2.5, "dash": dash})
        )
        fig.add_trace(
            go.Scatter(x=[1], y=gap[:1], mode="markers", marker={"color": ROBUST, "size": 11, "symbol": "diamond"}, showlegend=False)
        )
    fig.update_xaxes(title="axis ratio of Σ* (trace fixed)")
    fig.update_yaxes(title="loss added by the adversary", type="log", tickvals=[0.1, 0.3, 1, 3, 10, 30])
    return dress(fig, height=400)


def multiplier_and_bounds(cov: ArrayLike) -> go.Figure:
    """lambda over the radius between Theorem 2's bounds (eps = radius^2), and the upper bound read with eps = radius."""
    radii = np.geomspace(1e-3, 1e2, 41)
    lam = [g.multiplier(cov, r) for r in radii]
    low, high = np.transpose([g.multiplier_bounds(cov, r) for r in radii])
    misread = g.multiplier_bounds(cov, 1.0)[1] / 2 * (1 + np.sqrt(radii)) / np.sqrt(radii)
    lines = [
        ("upper bound, ε = r²", high, {"color": GREY, "width": 2, "dash": "dash"}),
        ("λ", lam, LINES["robust"]),
        ("lower bound, ε = r²", low, {"color": GREY, "width": 2, "dash": "dot"}),
        ("misread, ε = r", misread, {"color": STANDARD, "width": 2, "dash": "longdashdot"}),
    ]
    fig = go.Figure([go.Scatter(x=radii, y=y, mode="lines", name=name, line=line) for name, y, line in lines])
    fig.update_xaxes(title="radius r = √E‖δ‖²", type="log", dtick=1)
    fig.update_yaxes(title="λ", type="log", exponentformat="power", dtick=2)
    return dress(fig, height=420)


def exact_against_relaxed(dims: ArrayLike = (1, 2, 3, 5, 10, 20, 50)) -> go.Figure:
    """The variance learned from N(0, I_d) with radius sqrt(d), as eq. (11) and as Theorem 2 have it; right, their gap falls like 1/d."""
    dims = np.asarray(dims)
    relaxed = np.array([g.robust_covariance(np.eye(d), np.sqrt(d))[0, 0] for d in dims])
    exact = np.array([np.diag(g.exact_robust_covariance(np.eye(d), np.sqrt(d))).mean() for d in dims])
    fig = make_subplots(1, 2, horizontal_spacing=0.12, subplot_titles=["learned variance", "relaxed − exact"])
    lines = [
        (1, "relaxed (Theorem 2)", relaxed, {"mode": "lines+markers", "line": LINES["robust"], "marker_symbol": "square"}),
        (1, "exact (eq. 11)", exact, {"mode": "lines+markers", "line": LINES["exact"], "marker_symbol": "circle"}),
        (2, "gap", relaxed - exact, {"mode": "markers", "marker": {"size": 10, "color": ROBUST, "symbol": "diamond"}}),
        (2, "1 / (2d)", 1 / (2 * dims), {"mode": "lines", "line": LINES["l2"]}),
    ]
    for col, name, y, style in lines:
        fig.add_trace(go.Scatter(x=dims, y=y, name=name, **style), row=1, col=col)
    fig.update_xaxes(title="dimension d", type="log", tickvals=dims)
    fig.update_yaxes(type="log", exponentformat="power", dtick=1, row=1, col=2)
    return dress(fig, height=400)


def training_steps(epochs: list, target: np.ndarray) -> go.Figure:
    """Adversarial training in the plane, one slider step an epoch: the metric's ball moves to Theorem 2's, and both sd to theirs."""
    sds = np.sqrt([np.linalg.eigvalsh(e.cov) for e in epochs])
    count, zero = np.arange(len(epochs)), np.zeros(2)
    fig = make_subplots(
        1, 2, column_widths=[0.42, 0.58], horizontal_spacing=0.12, subplot_titles=["metric ball", "standard deviations learned"]
    )
    fig.add_trace(go.Scatter(**ball(target, zero), mode="lines", name="Theorem 2", line=dict(LINES["exact"], width=3)), row=1, col=1)
    fig.add_trace(go.Scatter(**ball(epochs[0].cov, zero), mode="lines", name="epoch", line=LINES["robust"]), row=1, col=1)
    for k, name in enumerate(("short axis", "long axis")):
        style = {"color": (STANDARD, ROBUST)[k], "width": 2}
        fig.add_trace(
            go.Scatter(x=count, y=sds[:, k], mode="lines+markers", name=name, line=style, marker_symbol=("diamond", "square")[k]), 1, 2
        )
    fig.add_trace(
        go.Scatter(x=[0, 0], y=[0, sds.max()], mode="lines", line={"color": INK, "dash": "dot", "width": 1}, showlegend=False), 1, 2
    )
    for sd in np.sqrt(np.linalg.eigvalsh(target)):
        fig.add_hline(sd, line=dict(LINES["exact"], width=1.5), row=1, col=2)
    plane(fig, 2.2)
    fig.update_xaxes(title="epoch", row=1, col=2)
    fig.update_yaxes(rangemode="tozero", row=1, col=2)
    states = {str(k): [ball(e.cov, zero), {"x": [k, k], "y": [0, sds.max()]}] for k, e in enumerate(epochs)}
    return slide(dress(fig, height=480), "epoch ", states, [1, 4])


def separable(x: np.ndarray, y: np.ndarray, rules: dict[str, np.ndarray]) -> go.Figure:
    """Figure 14: the data with each rule's boundary, and each rule's accuracy over the radius."""
    fig = make_subplots(1, 2, column_widths=[0.5, 0.5], horizontal_spacing=0.1, subplot_titles=["separable data", "accuracy under attack"])
    styles, radii = plane_styles(), np.linspace(0, 3, 31)
    for k, label in enumerate((-1, 1)):
        shown = x[y == label][:90]
        fig.add_trace(go.Scatter(x=shown[:, 0], y=shown[:, 1], **styles[k]), row=1, col=1)
    attacked_point = (x * y[:, None]).mean(0)[:, None] + CIRCLE
    fig.add_trace(
        go.Scatter(x=attacked_point[0], y=attacked_point[1], mode="lines", name="ℓ₂ ball of radius 1", line=LINES["l2"]), row=1, col=1
    )
    for (name, w), line in zip(rules.items(), (LINES["standard"], LINES["robust"], LINES["exact"]), strict=True):
        fig.add_trace(go.Scatter(**boundary(w, 30), mode="lines", name=name, legendgroup=name, line=line), row=1, col=1)
        attacked = [g.accuracy(w, x, y, r) for r in radii]
        fig.add_trace(go.Scatter(x=radii, y=attacked, mode="lines", legendgroup=name, showlegend=False, line=line), row=1, col=2)
    fig.update_xaxes(title="x₁", range=[-21, 21], row=1, col=1)
    fig.update_yaxes(title="x₂", range=[-2, 2], row=1, col=1)
    fig.update_xaxes(title="radius", row=1, col=2)
    fig.update_yaxes(range=[0, 1.03], tickformat=".0%", row=1, col=2)
    return dress(fig, height=430)


def coordinate_features(mu: ArrayLike, cov: ArrayLike, farthest: float = 2.0) -> go.Figure:
    """gamma of every coordinate feature over the radius: it starts at rho and falls in a straight line."""
    radii, d = np.array([0.0, farthest]), len(mu)
    curves = g.gamma(np.eye(d), mu, cov, radii[:, None]).T
    fig = go.Figure()
    for k, gamma in enumerate(curves):
        dash, sd = ("solid", "dash", "dot", "longdashdot")[k % 4], np.sqrt(np.asarray(cov)[k, k])
        line = {"width": 2.5, "dash": dash, "color": (ROBUST, STANDARD, PLUS, MINUS)[k % 4]}
        fig.add_trace(go.Scatter(x=radii, y=gamma, mode="lines", name=f"x{k + 1}: μ = {mu[k]:g}, sd = {sd:.2g}", line=line))
    fig.add_hline(0, line={"color": INK, "width": 1})
    fig.update_xaxes(title="radius ε")
    fig.update_yaxes(title="robust usefulness γ")
    return dress(fig, height=400)


# --- Theorem 3: where gradients point ---


def angle_traces(heading: float, ratio: float, radius: float) -> list[dict]:
    """Everything that moves in gradient_angles: three arrows, two balls; the angles for every direction of mu, the worst, the present."""
    cov = g.planar(ratio)
    metrics = (cov, g.robust_covariance(cov, radius))
    here, all_headings = _unit(heading), np.linspace(-90, 90, 73)
    arrows = [arrow(w, 1.9) for w in (here, *(g.weights(here, metric) for metric in metrics))]
    balls = [ball(metric, np.zeros(2)) for metric in metrics]
    curves = [{"x": all_headings, "y": degrees(g.alignment(_unit(all_headings), metric))} for metric in metrics]
    worst = [{"x": [-90, 90], "y": [degrees(g.worst_alignment(metric))] * 2} for metric in metrics]
    present = [{"x": [heading], "y": [degrees(g.alignment(here, metric))]} for metric in metrics]
    return arrows + balls + curves + worst + present


def gradient_angles(heading: float, ratio: float, radius: float) -> go.Figure:
    """Theorem 3. Left: mu and the two input gradients. Right: their angle for every direction of mu, with the worst in closed form."""
    fig = make_subplots(1, 2, column_widths=[0.44, 0.56], horizontal_spacing=0.12)
    for k, (trace, style) in enumerate(zip(angle_traces(heading, ratio, radius), _angle_styles(), strict=True)):
        fig.add_trace(go.Scatter(**trace, **style), row=1, col=1 if k < 5 else 2)
    plane(fig, 2.4)
    fig.update_xaxes(title="direction of μ, degrees", range=[-90, 90], dtick=30, row=1, col=2)
    fig.update_yaxes(title="angle, degrees", range=[0, 90], dtick=15, row=1, col=2)
    return dress(fig, height=530, top=88).update_layout(title_text=angles_title(heading, ratio, radius))


def angles_title(heading: float, ratio: float, radius: float) -> str:
    """The numbers of gradient_angles in words."""
    cov, mu = g.planar(ratio), _unit(heading)
    words = [
        f'<span style="color:{LINES[name]["color"]}"><b>{name}</b>  gradient {degrees(g.alignment(mu, metric)):.0f}° off the mean here, '
        f"{degrees(g.worst_alignment(metric)):.0f}° at worst</span>"
        for name, metric in (("standard", cov), ("robust", g.robust_covariance(cov, radius)))
    ]
    return f"radius {radius:.2f}<br>" + "<br>".join(words)


def _angle_styles() -> list[dict]:
    names = {"l2": "mean μ", "standard": "standard gradient", "robust": "robust gradient"}
    heads = [
        {
            "mode": "lines+markers",
            "name": n,
            "line": LINES[k],
            "legendgroup": k,
            "marker": head(LINES[k]["color"]),
        }
        for k, n in names.items()
    ]
    lines = [{"mode": "lines", "line": LINES[key], "legendgroup": key, "showlegend": False} for key in ("standard", "robust")]
    worst = [dict(style, line=dict(style["line"], width=1, dash="dot")) for style in lines]
    dots = [
        {"mode": "markers", "legendgroup": key, "showlegend": False, "marker": {"size": 12, "symbol": symbol, "color": LINES[key]["color"]}}
        for key, symbol in (("standard", "circle"), ("robust", "square"))
    ]
    return heads + lines + lines + worst + dots


def gradient_angles_twin(ratio: float, radius: float, headings: ArrayLike = tuple(range(-90, 91, 20)), active: int = 6) -> go.Figure:
    """gradient_angles with the direction of mu on a slider."""
    moving = [0, 1, 2, 9, 10]
    states = {f"{h:g}°": [angle_traces(h, ratio, radius)[k] for k in moving] for h in headings}
    titles = [angles_title(h, ratio, radius) for h in headings]
    return slide(gradient_angles(headings[active], ratio, radius), "direction of μ ", states, moving, titles=titles, active=active)


def _unit(degrees: ArrayLike) -> np.ndarray:
    """Unit vectors (..., 2)."""
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=-1)
