"""Figures of section 2: the feature spectrum, gamma against the radius, and how a mixture hides a feature."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from featlab.plots import BLUE, GREY, INK, ORANGE
from featlab.spectrum import Spectrum

FLOOR, LEFT = -1.0, -0.7  # points that fall further are drawn here, points further left are not
RING = {"type": "circle", "line": {"color": INK, "width": 2.5}}  # around the chosen point, in pixels from it
RING |= {"xsizemode": "pixel", "ysizemode": "pixel", "x0": -8.5, "x1": 8.5, "y0": -8.5, "y1": 8.5}


def drawn(found: Spectrum) -> np.ndarray:
    """Which points are drawn, numbered class by class of unit by unit: the heavier half, so that a slider moves them while one looks."""
    weight = np.abs(found.w).ravel()
    return np.flatnonzero(weight >= np.median(weight))


def heights(found: Spectrum, eps: float) -> list[float]:
    """gamma of the drawn points at a radius, none below FLOOR."""
    return np.maximum(found.at(eps), FLOOR).round(2).ravel()[drawn(found)].tolist()


def heading(name: str, found: Spectrum, eps: float) -> str:
    """What a spectrum's title says at a radius."""
    robust, fragile, neither = (f"{100 * share:.0f} %" for share in found.shares(eps))
    return f"<b>{name} network</b><br>weight: {robust} robustly useful, {fragile} non-robust, {neither} not useful"


def spectrum(spectra: Mapping[str, Spectrum], eps: float) -> go.Figure:
    """Each point a unit as a class uses it: usefulness rho to the right, robust usefulness gamma up; larger means more weight.

    The lighter half of the points is left out.

    Where a point lies tells its kind: on the dashed diagonal nothing is lost, below the solid line it is useful but non-robust, left of
    the dotted one it is not useful as it is used.
    """
    figure = make_subplots(1, len(spectra), shared_yaxes=True, horizontal_spacing=0.04, subplot_titles=[" "] * len(spectra))
    for i, (name, found) in enumerate(spectra.items(), 1):
        size, chosen = np.abs(found.w) / np.abs(found.w).max(), drawn(found)
        marker = {"size": (3 + 9 * np.sqrt(size)).round(1).ravel()[chosen].tolist(), "color": BLUE, "opacity": 0.55, "line": {"width": 0}}
        useful = found.rho.round(2).ravel()[chosen].tolist()
        look = {"mode": "markers", "marker": marker, "name": name, "showlegend": False}
        figure.add_scatter(x=useful, y=heights(found, eps), **look, row=1, col=i)
        for x, y, dash in (([0, 1], [0, 1], "dash"), ([LEFT, 1], [0, 0], "solid"), ([0, 0], [FLOOR, 1], "dot")):
            figure.add_scatter(x=x, y=y, mode="lines", line={"color": INK, "width": 1.2, "dash": dash}, hoverinfo="skip", row=1, col=i)
        figure.add_shape(type="rect", x0=0, x1=1, y0=FLOOR, y1=0, fillcolor=ORANGE, opacity=0.13, line_width=0, layer="below", row=1, col=i)
        figure.layout.annotations[i - 1].text = heading(name, found, eps)
        figure.add_annotation(x=0.98, y=FLOOR + 0.06, xanchor="right", text="useful, non-robust", showarrow=False, row=1, col=i)
        figure.add_annotation(x=0.03, y=0.93, xanchor="left", text="robustly useful", showarrow=False, row=1, col=i)
        figure.update_xaxes(title="usefulness rho", range=[LEFT, 1], row=1, col=i)
    figure.update_yaxes(title="robust usefulness gamma", range=[FLOOR - 0.04, 1], row=1, col=1)
    figure.update_layout(template="featlab", showlegend=False, height=440, margin={"t": 60, "b": 60}, hovermode="closest")
    figure.update_annotations(font_size=12.5)
    return figure


def spectrum_twin(spectra: Mapping[str, Spectrum], radii: Sequence[float], active: int = 0) -> go.Figure:
    """The spectrum under plotly's own slider; needs no kernel."""
    figure = spectrum(spectra, radii[active])
    found = list(spectra.items())
    points = [4 * i for i in range(len(found))]  # each network has a trace of points and three of lines
    steps = []
    for eps in radii:
        words = {f"annotations[{i}].text": heading(name, one, eps) for i, (name, one) in enumerate(found)}
        steps.append({"label": f"{eps:g}", "method": "update", "args": [{"y": [heights(one, eps) for _, one in found]}, words, points]})
    slider = {"active": active, "currentvalue": {"prefix": "eps (l2) = "}, "pad": {"t": 45}, "steps": steps}
    return figure.update_layout(sliders=[slider], height=540, margin={"b": 130})


def falling(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x: str = "eps, l2 in pixels of [0, 1]", title: str = ""
) -> go.Figure:
    """gamma against the radius, name -> (radii, gammas), with the line that separates robust from non-robust."""
    figure = go.Figure()
    for i, (name, (radii, gammas)) in enumerate(lines.items()):
        dash = ["solid", "dash", "dot", "dashdot", "longdash"][i % 5]
        figure.add_scatter(name=name, x=list(radii), y=list(gammas), mode="lines", line={"dash": dash, "width": 2.5})
    figure.add_hline(0, line={"color": INK, "width": 1.2})
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", xshift=6, y=0, yshift=-11, text="below: non-robust", showarrow=False, font_color=GREY
    )
    return figure.update_layout(
        template="featlab", title=title, xaxis_title=x, yaxis_title="robust usefulness gamma", showlegend=True, margin={"t": 95}
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
    moves = [{"label": label, "method": "update", "args": [{"y": [list(y)]}, {"title.text": title}, [last]]} for label, y, title in steps]
    slider = {"active": active, "currentvalue": {"prefix": prefix}, "pad": {"t": 45}, "steps": moves}
    return figure.update_layout(sliders=[slider], height=520, margin={"b": 130})
