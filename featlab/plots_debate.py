"""The debate's figures: features of a pair of classes, gains with intervals, bars of stored results."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from featlab.debate.ensembles import Pair, breaking_radius, containment, ensemble, right, singular, student_of_det, usefulness, useless
from featlab.plots import BESIDE, BLUE, GREEN, GREY, INK, ORANGE, PALETTE, RED, WIDTH, bars, image_trace, strip

LEAST = 1e-3  # left end of the axis of breaking radii: a feature with none is drawn there


class PairView:
    """The numbers behind the figure of a pair of classes: what its sliders change and what they leave alone."""

    def __init__(self, train: Pair, test: Pair, push: float):
        self.train, self.test, self.push = train, test, push
        self.vectors = singular(train)
        self.robust, self.useless = train.m, useless(self.vectors, train)

    def point(self, a) -> tuple[float, float]:
        """(breaking radius, usefulness) of a direction."""
        return max(breaking_radius(a, self.train).item(), LEAST), usefulness(a, self.train).item()

    def features(self, alpha: float, eps: float) -> dict:
        """The ensemble of what is not robust at eps, and the containment at alpha."""
        return {
            "ensemble": ensemble(self.vectors, self.train, eps),
            "containment": containment(self.robust, self.useless, self.train, alpha),
        }

    def shares(self, a) -> tuple[float, float]:
        """% of real test images right: by the feature itself, and by the student of the D_det made with it."""
        return 100 * right(a, self.test), 100 * right(student_of_det(a, self.train, self.push), self.test)


def pair_figure(view: PairView, alpha: float, eps: float) -> go.Figure:
    """Left: singular vectors, ensemble and containment by breaking radius and usefulness. Right: what D_det says of the two."""
    figure = make_subplots(1, 2, column_widths=[0.6, 0.4], horizontal_spacing=0.13)
    radii, rhos = breaking_radius(view.vectors, view.train), usefulness(view.vectors, view.train)
    shown = radii > LEAST
    marker = {"color": GREY, "size": 4, "opacity": 0.6}
    figure.add_scatter(
        x=[float(f"{r:.3g}") for r in radii[shown]],
        y=[round(r, 3) for r in rhos[shown].tolist()],
        mode="markers",
        marker=marker,
        name="singular vectors",
        showlegend=False,
        row=1,
        col=1,
    )
    made = view.features(alpha, eps)
    for (name, a), colour, symbol in zip(made.items(), (BLUE, RED), ("star", "diamond"), strict=True):
        (x, y), words = view.point(a), {"mode": "markers+text", "text": [name], "textposition": "top right", "cliponaxis": False}
        figure.add_scatter(
            x=[x], y=[y], marker={"color": colour, "size": 14, "symbol": symbol}, name=name, showlegend=False, **words, row=1, col=1
        )
    figure.add_scatter(
        x=[eps, eps], y=[0, 1], mode="lines", line={"color": INK, "dash": "dash"}, name="eps", showlegend=False, row=1, col=1
    )
    shares = [view.shares(a) for a in made.values()]
    for i, (name, colour, shape) in enumerate((("the feature itself", ORANGE, ""), ("student of its D_det", GREEN, "/"))):
        pattern = {"shape": shape, "bgcolor": colour, "fgcolor": "white", "size": 8, "solidity": 0.2}
        values = [pair[i] for pair in shares]
        text = {"text": [f"{v:.0f}" for v in values], "textposition": "outside", "cliponaxis": False}
        figure.add_bar(x=list(made), y=values, name=name, marker={"color": colour, "pattern": pattern}, **text, row=1, col=2)
    figure.add_hline(50, line={"dash": "dot", "color": INK, "width": 1.5}, row=1, col=2)
    return _pair_layout(figure)


def _pair_layout(figure: go.Figure) -> go.Figure:
    words = {"showarrow": False, "yref": "y domain", "y": 1.03, "yanchor": "bottom", "font": {"size": 13}, "xref": "x domain"}
    figure.add_annotation(text="left of the line: useful, not robust", x=0, xanchor="left", **words)
    figure.add_annotation(text="right: robustly useful", x=1, xanchor="right", **words)
    title = "breaking radius (l2), where gamma = 0"
    figure.update_xaxes(type="log", range=[-3.1, 0.7], tickvals=[0.001, 0.01, 0.1, 1], title=title, row=1, col=1)
    figure.update_yaxes(range=[-0.04, 1], title="usefulness rho", row=1, col=1)
    figure.update_yaxes(range=[0, 108], title="real test images right, %", row=1, col=2)
    chance = {"text": "chance", "x": 1, "xref": "x2 domain", "xanchor": "right", "y": 50, "yref": "y2", "yshift": 9}
    figure.add_annotation(showarrow=False, font={"size": 12}, **chance)
    return figure.update_layout(template="featlab", height=430, margin={"t": 50, "b": 60}, barmode="group")


def pair_steps(view: PairView, eps: float, positions: Sequence[float]) -> go.Figure:
    """The figure under plotly's own slider over alpha; needs no kernel."""
    middle = (len(positions) - 1) // 2
    figure, steps = pair_figure(view, positions[middle], eps), []
    for alpha in positions:
        at = pair_figure(view, alpha, eps)
        moved = [2, 4, 5]  # the containment's point and the two bars
        changes = {key: [list(getattr(at.data[i], key)) for i in moved] for key in ("x", "y")}
        changes["text"] = [list(at.data[i].text) for i in moved]
        steps.append({"label": f"{alpha:.1f}", "method": "restyle", "args": [changes, moved]})
    slider = {"active": middle, "currentvalue": {"prefix": "alpha = "}, "pad": {"t": 70}, "steps": steps}
    return figure.update_layout(sliders=[slider], height=520, margin={"b": 150})


def strips(rows: Mapping[str, Tensor], captions: Mapping[str, Sequence[str]] | None = None) -> go.Figure:
    """`plots.samples` with one picture a row, in a third of the room: name -> images (m, c, h, w), name -> m words below them."""
    captions = captions or {}
    figure, pitch, across = go.Figure(), 1.4 if captions else 1.08, 0.0
    for r, (name, images) in enumerate(rows.items()):
        row = strip(images, zoom=1, gap=2)
        across = max(across, row.shape[-1] / row.shape[-2])
        figure.add_trace(image_trace(row, 0, pitch * r, size=row.shape[-1] / row.shape[-2]))
        figure.add_annotation(text=name, y=pitch * r + 0.5, **BESIDE)
        cell = row.shape[-1] / row.shape[-2] / len(images)
        for i, word in enumerate(captions.get(name, ())):
            figure.add_annotation(x=cell * i + 0.5, y=pitch * r + 1.17, text=word, showarrow=False, font={"size": 12})
    size = min((WIDTH - 190) / across, 100)
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[-0.05, across], domain=[0, min(1, size * across / (WIDTH - 190))], **hidden)
    figure.update_yaxes(range=[pitch * len(rows), -0.05], **hidden)
    height = int(size * pitch * len(rows)) + 20
    return figure.update_layout(template="featlab", height=height, margin={"l": 170, "r": 20, "t": 10, "b": 10})


def spans(groups: Mapping[str, Mapping[str, tuple[float, float, float]]], *, y: str = "", **more) -> go.Figure:
    """`plots.bars` for whiskers of any length: the numbers stand above them. y names the vertical axis."""
    figure = bars(groups, **more)
    a_line = 17 / ((figure.layout.height or 420) * 0.62 / 112)  # points on the axis that a line of text takes
    for trace in figure.data:
        lines = [1 + max(0, round(up / a_line - 0.3)) for up in trace.error_y.array]
        trace.text = [f"<b>{v:.0f}</b>" + "<br> " * n for v, n in zip(trace.y, lines, strict=True)]
    figure.update_layout(legend={"y": 1.1})  # clear of numbers above 100
    figure.update_yaxes(range=[0, 112], tickvals=[0, 20, 40, 60, 80, 100])
    return figure.update_yaxes(title=y) if y else figure


def gains(rows: Mapping[str, Sequence[Mapping[str, float]]], *, title: str = "") -> go.Figure:
    """Differences with 95 % intervals: name -> one {"value", "low", "high"} a seed, each with its own symbol; fractions."""
    figure, seeds = go.Figure(), max(len(r) for r in rows.values())
    for i in range(seeds):
        cells = [row[i] for row in rows.values()]
        value = [100 * c["value"] for c in cells]
        errors = {"type": "data", "symmetric": False, "color": PALETTE[i], "thickness": 1.5, "width": 4}
        errors |= {"array": [100 * (c["high"] - c["value"]) for c in cells], "arrayminus": [100 * (c["value"] - c["low"]) for c in cells]}
        places = [j + 0.18 * (i - (seeds - 1) / 2) for j in range(len(rows))]
        marker = {"symbol": i, "size": 9, "color": PALETTE[i]}
        figure.add_scatter(x=value, y=places, error_x=errors, mode="markers", marker=marker, name=f"seed {i}")
    figure.add_vline(0, line={"dash": "dot", "color": INK, "width": 1.5})
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=list(rows), autorange="reversed")
    figure.update_xaxes(title="gain of D_R over D, points, with 95 % intervals", rangemode="tozero")
    return figure.update_layout(template="featlab", title=title, margin={"l": 190, "t": 90}, height=90 + 60 * len(rows) + 60)
