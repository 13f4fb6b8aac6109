"""Figures of section 2: the feature spectrum, gamma against the radius, and how a mixture hides a feature."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from featlab.features.spectrum import Spectrum
from featlab.inputs.markup import Markup, escaped, written
from featlab.plots.sliders import slide, step
from featlab.plots.style import BLUE, DASHES, GREY, INK, ORANGE

FLOOR, LEFT = -1.0, -0.7  # points that fall further are drawn here, points further left are not
BORDERS: tuple[tuple[str, list[float], list[float], str], ...] = (
    ("nothing is lost", [0, 1], [0, 1], "dash"),
    ("gamma = 0", [LEFT, 1], [0, 0], "solid"),
    ("rho = 0", [0, 0], [FLOOR, 1], "dot"),
)
# around the chosen point, in pixels from it
RING: dict[str, Any] = {"type": "circle", "line": {"color": INK, "width": 2.5}}
RING |= {"xsizemode": "pixel", "ysizemode": "pixel", "x0": -8.5, "x1": 8.5, "y0": -8.5, "y1": 8.5}


def drawn_points(found: Spectrum) -> np.ndarray:
    """Which points are drawn, (m,), numbered class by class of unit by unit: the heavier half, so that a
    slider moves them while one looks.
    """
    weight = np.abs(found.w).ravel()
    return np.flatnonzero(weight >= np.median(weight))


def heights(found: Spectrum, eps: float) -> list[float]:
    """gamma of the drawn points at a radius, l2 in pixels of [0, 1], none below FLOOR. ValueError beyond the
    largest radius measured.
    """
    return np.maximum(found.at(eps), FLOOR).round(2).ravel()[drawn_points(found)].tolist()


def spectrum_heading(name: str, found: Spectrum, eps: float) -> Markup:
    """What a spectrum's title says at a radius, l2 in pixels of [0, 1]."""
    robust, fragile, neither = (f"{100 * share:.0f} %" for share in found.shares(eps))
    words = f"weight: {robust} robustly useful, {fragile} non-robust, {neither} not useful"
    return Markup(f"<b>{escaped(name)} network</b><br>{words}")


def feature_spectrum(spectra: Mapping[str, Spectrum], eps: float) -> go.Figure:
    """Each point a unit as a class uses it: usefulness rho to the right, robust usefulness gamma at eps (l2
    in pixels of [0, 1]) up; larger means more weight.

    The lighter half of the points is left out.

    Where a point lies tells its kind: on the dashed diagonal nothing is lost, below the solid line it is
    useful but non-robust, left of the dotted one it is not useful as it is used.
    """
    headings = [spectrum_heading(name, found, eps) for name, found in spectra.items()]
    figure = make_subplots(
        1,
        len(spectra),
        shared_yaxes=True,
        horizontal_spacing=0.04,
        subplot_titles=headings,
    )
    for col, (name, found) in enumerate(spectra.items(), 1):
        _draw_points(figure, escaped(name), found, eps, col=col)
        _draw_borders(figure, col)
    figure.update_xaxes(title="usefulness rho", range=[LEFT, 1])
    figure.update_yaxes(title="robust usefulness gamma", range=[FLOOR - 0.04, 1], col=1)
    figure.update_annotations(font_size=12.5)
    return figure.update_layout(
        template="featlab",
        showlegend=False,
        height=440,
        margin={"t": 60, "b": 60},
        hovermode="closest",
    )


def _draw_points(
    figure: go.Figure,
    name: str,
    found: Spectrum,
    eps: float,
    *,
    col: int,
) -> None:
    """The drawn points of one network, each with an area that grows with its weight."""
    chosen = drawn_points(found)
    weight = np.abs(found.w).ravel()[chosen]
    sizes = (3 + 9 * np.sqrt(weight / weight.max())).round(1)
    figure.add_scatter(
        name=name,
        x=found.rho.round(2).ravel()[chosen].tolist(),
        y=heights(found, eps),
        mode="markers",
        marker={"size": sizes.tolist(), "color": BLUE, "opacity": 0.55, "line": {"width": 0}},
        showlegend=False,
        row=1,
        col=col,
    )


def _draw_borders(figure: go.Figure, col: int) -> None:
    """The lines between the kinds of features, the ground of the non-robust ones, and two kinds' names."""
    panel = {"row": 1, "col": col}
    for name, x, y, dash in BORDERS:
        figure.add_scatter(
            name=name,
            x=x,
            y=y,
            mode="lines",
            line={"color": INK, "width": 1.2, "dash": dash},
            hoverinfo="skip",
            **panel,
        )
    figure.add_shape(
        type="rect",
        x0=0,
        x1=1,
        y0=FLOOR,
        y1=0,
        fillcolor=ORANGE,
        opacity=0.13,
        line_width=0,
        layer="below",
        **panel,
    )
    for text, place in (
        ("useful, non-robust", {"x": 0.98, "y": FLOOR + 0.06, "xanchor": "right"}),
        ("robustly useful", {"x": 0.03, "y": 0.93, "xanchor": "left"}),
    ):
        figure.add_annotation(text=text, showarrow=False, **place, **panel)


def spectrum_twin(spectra: Mapping[str, Spectrum], radii: Sequence[float], active: int = 0) -> go.Figure:
    """The spectrum under plotly's own slider over radii, l2 in pixels of [0, 1]; needs no kernel."""
    figure, steps = feature_spectrum(spectra, radii[active]), []
    points = [(1 + len(BORDERS)) * i for i in range(len(spectra))]  # a network's points, then its borders
    for eps in radii:
        moved = {"y": [heights(found, eps) for found in spectra.values()]}
        headings = [spectrum_heading(name, found, eps) for name, found in spectra.items()]
        words = {f"annotations[{i}].text": text for i, text in enumerate(headings)}
        steps.append(step(f"{eps:g}", moved, words, points))
    slide(figure, steps, "eps (l2) = ", gap=45, active=active)
    return figure.update_layout(height=540, margin={"b": 130})


def falling(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str = "eps, l2 in pixels of [0, 1]",
    title: str = "",
) -> go.Figure:
    """gamma against the radius, name -> (radii, gammas),
    with the line that separates robust from non-robust.
    """
    figure = go.Figure()
    for (name, (radii, gammas)), dash in zip(lines.items(), cycle(DASHES)):
        figure.add_scatter(
            name=written(name),
            x=list(radii),
            y=list(gammas),
            mode="lines",
            line={"dash": dash, "width": 2.5},
        )
    figure.add_hline(0, line={"color": INK, "width": 1.2})
    left = {"x": 0, "xref": "paper", "xanchor": "left", "xshift": 6}
    words = {"text": "below: non-robust", "font_color": GREY, "showarrow": False}
    figure.add_annotation(y=0, yshift=-11, **left, **words)
    return figure.update_layout(
        template="featlab",
        title=written(title),
        xaxis_title=written(x),
        yaxis_title="robust usefulness gamma",
        showlegend=True,
        margin={"t": 95},
    )


def falling_twin(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    steps: Sequence[tuple[str, Sequence[float], str]],
    *,
    prefix: str,
    active: int = 0,
) -> go.Figure:
    """`falling` with plotly's own slider for its last line: (label, gammas, title) a step."""
    figure = falling(lines, title=steps[active][2])
    last = len(figure.data) - 1
    figure.data[last].y = list(steps[active][1])
    moves = [
        step(label, {"y": [list(y)]}, {"title.text": written(title)}, [last]) for label, y, title in steps
    ]
    slide(figure, moves, prefix, gap=45, active=active)
    return figure.update_layout(height=520, margin={"b": 130})
