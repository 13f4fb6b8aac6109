"""Figures of section 3.3: what an architecture learns against what transfers to it, and who is fooled by whose examples."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from featlab.plots import GREY, INK, PALETTE, RED, SKY

SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "star", "x", "pentagon"]
Points = Mapping[str, Sequence[tuple[float, float]]]  # name -> (x, y) of each seed, fractions


def figure3(points: Points, noise: Points | None = None, *, title: str = "", chance: float = 0.1) -> go.Figure:
    """The paper's Figure 3: a large marker with its name at each architecture's mean, small ones at its seeds, both axes in %.

    noise  the same points with the transfer rate of random changes as long as the attack: grey, near the bottom
    """
    figure = go.Figure()
    for i, (name, seeds) in enumerate(points.items()):
        x, y = ([100 * value for value in axis] for axis in zip(*seeds, strict=True))
        mark = {"color": PALETTE[i % len(PALETTE)], "symbol": SYMBOLS[i % len(SYMBOLS)]}
        if len(seeds) > 1:
            figure.add_scatter(x=x, y=y, mode="markers", marker={**mark, "size": 7, "opacity": 0.6}, hoverinfo="skip", showlegend=False)
        mean = [[sum(axis) / len(axis)] for axis in (x, y)]
        big = {**mark, "size": 14, "line": {"color": INK, "width": 1}}
        words = {"text": [f"&nbsp;&nbsp;<b>{name}</b>"], "textposition": "middle right", "cliponaxis": False}
        figure.add_scatter(name=name, x=mean[0], y=mean[1], mode="markers+text", marker=big, showlegend=False, **words)
    if noise:
        x, y = ([100 * sum(p[axis] for p in seeds) / len(seeds) for seeds in noise.values()] for axis in (0, 1))
        grey = {"color": GREY, "symbol": "line-ew-open", "size": 12, "line": {"width": 2}}
        figure.add_scatter(name="random changes as long as the attack", x=x, y=y, mode="markers", marker=grey, showlegend=True)
    figure.add_vline(100 * chance, line={"dash": "dot", "color": INK, "width": 1.5})
    figure.add_annotation(x=100 * chance, y=1, yref="paper", text="chance", showarrow=False, xanchor="left", xshift=4, font={"size": 12})
    figure.update_layout(template="featlab", title=title, height=460, margin={"r": 90})
    figure.update_xaxes(title="accuracy on real images when trained on the source's D_det, %", rangemode="tozero")
    return figure.update_yaxes(title="transfer rate of the source's examples, %", range=[-3, 103])


SHADES = {"zmin": 0, "zmax": 100, "colorscale": [[0, "#FFFFFF"], [1, SKY]], "showscale": False}  # light enough to read ink on
Rates = Mapping[str, Mapping[str, float]]  # source -> target -> fraction


def cells(rates: Rates) -> tuple[list[list[float]], list[list[str]]]:
    """Rates as the rows of a heat map, in %, with the words in its cells."""
    values = [[round(100 * float(rate), 1) for rate in row.values()] for row in rates.values()]
    return values, [[f"{value:.0f}" for value in row] for row in values]


def matrix(rates: Rates, *, title: str = "", chosen: tuple[str, str] | None = None) -> go.Figure:
    """Who is fooled (columns) by whose adversarial examples (rows): the number in each cell in %, a frame around the chosen pair."""
    values, words = cells(rates)
    targets = list(next(iter(rates.values())))
    figure = go.Figure(
        go.Heatmap(z=values, x=targets, y=list(rates), text=words, texttemplate="%{text}", textfont={"color": INK}, **SHADES)
    )
    frame = {"symbol": "square-open", "size": 40, "color": RED, "line": {"width": 4}}
    source, target = chosen or (None, None)
    figure.add_scatter(x=[target], y=[source], mode="markers", marker=frame, showlegend=False, hoverinfo="skip")
    figure.update_layout(template="featlab", title={"text": title, "font": {"size": 15}}, width=460, height=360)
    figure.update_layout(margin={"l": 145, "r": 10, "t": 40, "b": 70})
    small = {"showgrid": False, "tickfont": {"size": 12}, "title_font": {"size": 14}}
    figure.update_xaxes(title="target, which meets them", tickangle=0, **small)
    return figure.update_yaxes(title="source of the examples", title_standoff=14, autorange="reversed", **small)


def matrix_twin(frames: Sequence[tuple[str, Rates]], *, active: int = 0) -> go.Figure:
    """The matrix under plotly's own slider over the radius; needs no kernel."""
    figure, steps = matrix(frames[active][1], title="Transfer rate, %"), []
    for label, rates in frames:
        values, words = cells(rates)
        steps.append({"label": label, "method": "restyle", "args": [{"z": [values], "text": [words]}, [0]]})
    slider = {"active": active, "currentvalue": {"prefix": "eps = "}, "pad": {"t": 60}, "steps": steps}
    return figure.update_layout(sliders=[slider], width=640, height=460, margin={"b": 140})
