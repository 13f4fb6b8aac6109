"""The debate's figures: features of a pair of classes, gains with intervals, bars of stored results."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from featlab.debate.ensembles import (
    Pair,
    breaking_radius,
    containment,
    ensemble,
    pair_usefulness,
    right,
    singular,
    student_of_det,
    useless,
)
from featlab.inputs.markup import written
from featlab.plots.charts import bars, chance_level, lifted
from featlab.plots.rows import Captions, Rows, extent, fit, name_rows, row_traces
from featlab.plots.sliders import slide, step
from featlab.plots.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    OUTSIDE,
    PALETTE,
    RED,
    REFERENCE,
    Measured,
    hatched,
    whiskers,
)

LEAST = 1e-3  # left end of the axis of breaking radii: a feature with none is drawn there


class PairView:
    """The numbers behind the figure of a pair of classes:
    what its sliders change and what they leave alone.
    """

    def __init__(self, train: Pair, test: Pair, push: float):
        self.train, self.test, self.push = train, test, push
        self.vectors = singular(train)
        self.robust, self.useless = train.m, useless(self.vectors, train)

    def point(self, a: Tensor) -> tuple[float, float]:
        """The breaking radius, l2 in pixels of [0, 1], and the usefulness of a direction (d,)."""
        return max(breaking_radius(a, self.train).item(), LEAST), pair_usefulness(a, self.train).item()

    def features(self, alpha: float, eps: float) -> dict[str, Tensor]:
        """The ensemble of what is not robust at eps (l2 in pixels of [0, 1]) and the containment at alpha,
        directions (d,) by name.
        """
        return {
            "ensemble": ensemble(self.vectors, self.train, eps),
            "containment": containment(self.robust, self.useless, self.train, alpha),
        }

    def shares(self, a: Tensor) -> tuple[float, float]:
        """% of real test images right: by the feature itself, a direction (d,), and by the student of the
        D_det made with it.
        """
        return 100 * right(a, self.test), 100 * right(student_of_det(a, self.train, self.push), self.test)


def pair_figure(view: PairView, alpha: float, eps: float) -> go.Figure:
    """Left: singular vectors, ensemble and containment by breaking radius and usefulness. Right: what D_det
    says of the two.

    eps  l2 in pixels of [0, 1], from which on a feature is robust
    """
    figure = make_subplots(1, 2, column_widths=[0.6, 0.4], horizontal_spacing=0.13)
    made = view.features(alpha, eps)
    _draw_directions(figure, view, made, eps)
    _dress_directions(figure)
    _draw_shares(figure, view, made)
    return figure.update_layout(template="featlab", height=430, margin={"t": 50, "b": 60}, barmode="group")


def _draw_directions(figure: go.Figure, view: PairView, made: Mapping[str, Tensor], eps: float) -> None:
    """The left panel: every singular vector a point, the two features that are made of them, and eps."""
    quiet = {"showlegend": False, "row": 1, "col": 1}
    radii, rhos = breaking_radius(view.vectors, view.train), pair_usefulness(view.vectors, view.train)
    shown = radii > LEAST
    figure.add_scatter(
        name="singular vectors",
        x=[float(f"{r:.3g}") for r in radii[shown]],
        y=[round(r, 3) for r in rhos[shown].tolist()],
        mode="markers",
        marker={"color": GREY, "size": 4, "opacity": 0.6},
        **quiet,
    )
    words = {"mode": "markers+text", "textposition": "top right", "cliponaxis": False}
    for (name, a), colour, symbol in zip(made.items(), (BLUE, RED), ("star", "diamond"), strict=True):
        x, y = view.point(a)
        figure.add_scatter(
            name=name,
            x=[x],
            y=[y],
            text=[name],
            marker={"color": colour, "size": 14, "symbol": symbol},
            **words,
            **quiet,
        )
    figure.add_scatter(
        name="eps",
        x=[eps, eps],
        y=[0, 1],
        mode="lines",
        line={"color": INK, "dash": "dash"},
        **quiet,
    )


def _dress_directions(figure: go.Figure) -> None:
    """The axes of the left panel, and above it what lies left and right of eps."""
    panel = {"row": 1, "col": 1}
    figure.update_xaxes(
        type="log",
        range=[-3.1, 0.7],
        tickvals=[0.001, 0.01, 0.1, 1],
        title="breaking radius (l2), where gamma = 0",
        **panel,
    )
    figure.update_yaxes(range=[-0.04, 1], title="usefulness rho", **panel)
    above = {"y": 1.03, "yref": "y domain", "yanchor": "bottom", "font": {"size": 13}, "showarrow": False}
    sides = (("left of the line: useful, not robust", 0, "left"), ("right: robustly useful", 1, "right"))
    for text, x, side in sides:
        figure.add_annotation(text=text, x=x, xref="x domain", xanchor=side, **above)


def _draw_shares(figure: go.Figure, view: PairView, made: Mapping[str, Tensor]) -> None:
    """The right panel: test images that each feature gets right, and that the student of its D_det does."""
    panel = {"row": 1, "col": 2}
    shares = zip(*(view.shares(a) for a in made.values()), strict=True)
    looks = (("the feature itself", ORANGE, ""), ("student of its D_det", GREEN, "/"))
    for (name, colour, shape), values in zip(looks, shares, strict=True):
        figure.add_bar(
            name=name,
            x=list(made),
            y=values,
            text=[f"{value:.0f}" for value in values],
            marker=hatched(colour, shape),
            **OUTSIDE,
            **panel,
        )
    chance_level(figure, 50, **panel)
    title = f"right of {len(view.test.y):,} real test images, %"
    figure.update_yaxes(range=[0, 108], title=title, **panel)


def pair_steps(view: PairView, eps: float, positions: Sequence[float]) -> go.Figure:
    """The figure at eps (l2 in pixels of [0, 1]) under plotly's own slider over alpha; needs no kernel."""
    middle = (len(positions) - 1) // 2
    figure, steps = pair_figure(view, positions[middle], eps), []
    moved = [2, 4, 5]  # the containment's point and the two bars
    for alpha in positions:
        at = pair_figure(view, alpha, eps)
        changes = {key: [list(at.data[i][key]) for i in moved] for key in ("x", "y", "text")}
        steps.append(step(f"{alpha:.1f}", changes, moved, method="restyle"))
    slide(figure, steps, "alpha = ", gap=70, active=middle)
    return figure.update_layout(height=520, margin={"b": 150})


def strips(rows: Rows, captions: Captions | None = None) -> go.Figure:
    """`plots.samples` with one picture a row, in a third of the room: name -> images (m, c, h, w),
    name -> m words below them.
    """
    pitch = 1.4 if captions else 1.08
    figure = go.Figure(row_traces(rows, pitch))
    name_rows(figure, rows, captions or {}, pitch=pitch, below=1.17)
    height = fit(figure, max(map(extent, rows.values())), pitch * len(rows), largest=100)
    margin = {"l": 170, "r": 20, "t": 10, "b": 10}
    return figure.update_layout(template="featlab", height=height + 20, margin=margin)


def spans(
    groups: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    y: str = "",
    title: str = "",
    chance: float | None = None,
) -> go.Figure:
    """`plots.bars` for whiskers of any length: the numbers stand above them. y names the vertical axis."""
    figure = bars(groups, title=title, chance=chance)
    a_line = 17 / ((figure.layout.height or 420) * 0.62 / 112)  # points on the axis that a line of text takes
    for trace in figure.data:
        lines = np.maximum(0, np.round(trace.error_y.array / a_line - 0.3)).astype(int)
        trace.text = lifted(trace.y, 1 + lines)
    figure.update_layout(legend={"y": 1.1})  # clear of numbers above 100
    figure.update_yaxes(range=[0, 112], tickvals=[0, 20, 40, 60, 80, 100])
    return figure.update_yaxes(title=written(y)) if y else figure


def gains(rows: Mapping[str, Sequence[Measured]], *, title: str = "") -> go.Figure:
    """Differences with 95 % intervals: name -> one a seed, a fraction that has an `interval`,
    each seed with its own symbol.
    """
    figure, seeds = go.Figure(), max(len(r) for r in rows.values())
    for i, colour in zip(range(seeds), cycle(PALETTE)):
        cells = [row[i] for row in rows.values()]
        value, low, high = (100 * np.array([(c, *c.interval) for c in cells])).T
        figure.add_scatter(
            name=f"seed {i}",
            x=value,
            y=[j + 0.18 * (i - (seeds - 1) / 2) for j in range(len(rows))],
            error_x=whiskers(value, low, high, color=colour, thickness=1.5, width=4, symmetric=False),
            mode="markers",
            marker={"symbol": i, "size": 9, "color": colour},
        )
    figure.add_vline(0, line=REFERENCE)
    names = [written(name) for name in rows]
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, autorange="reversed")
    figure.update_xaxes(title="gain of D_R over D, points, with 95 % intervals", rangemode="tozero")
    return figure.update_layout(
        template="featlab",
        title=written(title),
        margin={"l": 190, "t": 90},
        height=150 + 60 * len(rows),
    )
