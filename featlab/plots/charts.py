"""Numbers -> plotly figures. Every figure names its axes and carries its message without colour too."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from featlab.inputs.markup import written
from featlab.plots.style import DASHES, INK, NOTE, OUTSIDE, PALETTE, PATTERNS, REFERENCE, hatched, whiskers


def lifted(values: np.ndarray, lines: np.ndarray) -> list[str]:
    """The numbers of bars, values (n,) in %, in bold, each above as many empty lines (n,) as keep it clear of
    the bar's whisker.
    """
    return [f"<b>{value:.0f}</b>" + "<br> " * n for value, n in zip(values, lines, strict=True)]


def chance_level(figure: go.Figure, percent: float, **panel: int) -> None:
    """A dotted line at what guessing gets right, in a panel (row, col) or in a figure that has only one."""
    figure.add_hline(percent, line=REFERENCE, **panel)
    right = {"x": 1, "xref": "x domain", "xanchor": "right"}
    figure.add_annotation(text="chance", y=percent, yshift=9, **right, **NOTE, **panel)


def bars(
    groups: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    title: str = "",
    chance: float | None = None,
) -> go.Figure:
    """Bars in groups with 95 % intervals, like the paper's Figure 2b: group -> bar -> (value, low, high), all
    fractions.

    Each bar carries its number and its own pattern, so that colour is not needed; `chance` draws a line.
    """
    figure = go.Figure()
    names = list(dict.fromkeys(name for bar in groups.values() for name in bar))
    for name, colour, shape in zip(names, cycle(PALETTE), cycle(PATTERNS)):
        got = {written(group): bar[name] for group, bar in groups.items() if name in bar}
        value, low, high = 100 * np.array(list(got.values())).T
        above = np.ceil((high - value - 1) / 6.5).astype(int)  # a line of text is as high as 6.5 %
        figure.add_bar(
            name=written(name),
            x=list(got),
            y=value,
            error_y=whiskers(value, low, high, color=INK, thickness=1.3, width=4),
            marker=hatched(colour, shape),
            text=lifted(value, above),
            textangle=0,
            outsidetextfont={"color": INK, "size": 13},
            **OUTSIDE,
        )
    if chance is not None:
        chance_level(figure, 100 * chance)
    figure.update_yaxes(title="accuracy on the real test set, %", range=[0, 102])
    return figure.update_layout(
        template="featlab",
        title=written(title),
        barmode="group",
        bargap=0.25,
        margin={"t": 95},
    )


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str,
    y: str,
    title: str = "",
) -> go.Figure:
    """Lines by name -> (xs, ys), each with its own dash, named axes."""
    figure = go.Figure()
    for i, (name, (xs, ys)) in enumerate(lines.items()):
        line = {"color": PALETTE[i % len(PALETTE)], "dash": DASHES[i % len(DASHES)], "width": 2.5}
        mode = "lines+markers" if len(xs) < 30 else "lines"
        figure.add_scatter(
            name=written(name),
            x=list(xs),
            y=list(ys),
            mode=mode,
            line=line,
            marker={"symbol": i},
        )
    return figure.update_layout(
        template="featlab",
        title=written(title),
        xaxis_title=written(x),
        yaxis_title=written(y),
        showlegend=True,
    )
