"""Figures of section 3.3: what an architecture learns against what transfers to it,
and who is fooled by whose examples.
"""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from featlab.inputs.markup import escaped, written
from featlab.plots.sliders import slide, step
from featlab.plots.style import GREY, INK, NOTE, PALETTE, RED, REFERENCE, SKY

SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "x", "pentagon"]
Points = Mapping[str, Sequence[tuple[float, float]]]  # name -> (x, y) of each seed, fractions


def figure3(
    points: Points,
    noise: Points | None = None,
    *,
    title: str = "",
    chance: float = 0.1,
) -> go.Figure:
    """The paper's Figure 3: a large marker with its name at each architecture's mean, small ones at its
    seeds, both axes in %.

    noise  the same points with the transfer rate of random changes as long as the attack: grey, near the
           bottom
    """
    figure = go.Figure()
    for (name, seeds), colour, symbol in zip(points.items(), cycle(PALETTE), cycle(SYMBOLS)):
        _add_architecture(figure, escaped(name), seeds, {"color": colour, "symbol": symbol})
    if noise:
        x, y = np.array([_mean(seeds) for seeds in noise.values()]).T
        figure.add_scatter(
            name="random changes as long as the attack",
            x=x,
            y=y,
            mode="markers",
            marker={"color": GREY, "symbol": "line-ew-open", "size": 12, "line": {"width": 2}},
            showlegend=True,
        )
    figure.add_vline(100 * chance, line=REFERENCE)
    figure.add_annotation(
        text="chance",
        x=100 * chance,
        xanchor="left",
        xshift=4,
        y=1,
        yref="paper",
        **NOTE,
    )
    figure.update_layout(template="featlab", title=written(title), height=460, margin={"r": 90})
    figure.update_xaxes(
        title="accuracy on real images when trained on the source's D_det, %", rangemode="tozero"
    )
    return figure.update_yaxes(title="transfer rate of the source's examples, %", range=[-3, 103])


def _mean(seeds: Sequence[tuple[float, float]]) -> np.ndarray:
    """The mean (2,) of points over seeds, in %."""
    return 100 * np.mean(seeds, axis=0)


def _add_architecture(
    figure: go.Figure,
    name: str,
    seeds: Sequence[tuple[float, float]],
    mark: Mapping[str, str],
) -> None:
    """One architecture's seeds, if it has several, and its mean with its name."""
    if len(seeds) > 1:
        x, y = 100 * np.transpose(seeds)
        figure.add_scatter(
            name=f"seeds of {name}",
            x=x,
            y=y,
            mode="markers",
            marker={**mark, "size": 7, "opacity": 0.6},
            hoverinfo="skip",
            showlegend=False,
        )
    x, y = _mean(seeds)
    figure.add_scatter(
        name=name,
        x=[x],
        y=[y],
        mode="markers+text",
        marker={**mark, "size": 14, "line": {"color": INK, "width": 1}},
        text=[f"&nbsp;&nbsp;<b>{name}</b>"],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
    )


SHADES = {
    "zmin": 0,
    "zmax": 100,
    "colorscale": [[0, "#FFFFFF"], [1, SKY]],
    "showscale": False,
}  # light enough to read ink on
Rates = Mapping[str, Mapping[str, float]]  # source -> target -> fraction


def matrix_cells(rates: Rates) -> tuple[list[list[float]], list[list[str]]]:
    """Rates as the rows of a heat map, in %, with the words in its cells."""
    values = [[round(100 * float(rate), 1) for rate in row.values()] for row in rates.values()]
    return values, [[f"{value:.0f}" for value in row] for row in values]


def transfer_matrix(rates: Rates, *, title: str = "", chosen: tuple[str, str] | None = None) -> go.Figure:
    """Who is fooled (columns) by whose adversarial examples (rows): the number in each cell in %,
    a frame around the chosen pair.
    """
    values, words = matrix_cells(rates)
    sources, targets = ([escaped(name) for name in names] for names in (rates, next(iter(rates.values()))))
    figure = go.Figure()
    figure.add_heatmap(
        name="transfer rate, %",
        z=values,
        x=targets,
        y=sources,
        text=words,
        texttemplate="%{text}",
        textfont={"color": INK},
        **SHADES,
    )
    source, target = map(escaped, chosen) if chosen else (None, None)
    figure.add_scatter(
        name="chosen pair" if chosen else None,
        x=[target],
        y=[source],
        mode="markers",
        marker={"symbol": "square-open", "size": 40, "color": RED, "line": {"width": 4}},
        showlegend=False,
        hoverinfo="skip",
    )
    figure.update_layout(
        template="featlab", title={"text": written(title), "font": {"size": 15}}, width=460, height=360
    )
    figure.update_layout(margin={"l": 145, "r": 10, "t": 40, "b": 70})
    small = {"showgrid": False, "tickfont": {"size": 12}, "title_font": {"size": 14}}
    figure.update_xaxes(title="target, which meets them", tickangle=0, **small)
    return figure.update_yaxes(
        title="source of the examples", title_standoff=14, autorange="reversed", **small
    )


def matrix_twin(frames: Sequence[tuple[str, Rates]], *, active: int = 0) -> go.Figure:
    """The matrix under plotly's own slider over the radius; needs no kernel."""
    figure, steps = transfer_matrix(frames[active][1], title="Transfer rate, %"), []
    for label, rates in frames:
        values, words = matrix_cells(rates)
        steps.append(step(label, {"z": [values], "text": [words]}, [0], method="restyle"))
    slide(figure, steps, "eps = ", gap=60, active=active)
    return figure.update_layout(width=640, height=460, margin={"b": 140})
