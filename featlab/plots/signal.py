"""Visible and invisible signal of each set: equations (4), (7) and (8) as one figure."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from featlab.inputs.markup import escaped, written
from featlab.plots.style import BLUE, GREEN, GREY, ORANGE, REFERENCE

# kind of features -> colour and symbol
MARKS_OF = {
    "visible: a robust linear classifier": (ORANGE, "square"),
    "the network that made the set": (BLUE, "circle"),
    "invisible: an independent standard network": (GREEN, "diamond"),
}
AXIS = (
    "usefulness E[y f] for the labels of the set, mean over the classes"
    "<br>hollow: the control, the same labels before the images were changed"
)
ROW_STEP = 0.24  # between the families of a set, in rows
_Span = tuple[float, float, float]
# set -> kind of features -> "usefulness" and perhaps "control" -> (value, low, high)
Signals = Mapping[str, Mapping[str, Mapping[str, _Span]]]


def _bars(spans: Sequence[_Span]) -> dict:
    """Whiskers along x."""
    return {
        "type": "data",
        "array": [high - value for value, _, high in spans],
        "arrayminus": [value - low for value, low, _ in spans],
        "thickness": 1.3,
        "width": 4,
    }


def signals(found: Signals, *, title: str = "Visible and invisible signal of each set") -> go.Figure:
    """What each set says about its labels: a filled marker for the set, a hollow one for its control, and a
    line from the control to the set, which is what the making of the set added.

    Families have a colour and a symbol of their own; values are means over ten features, and whiskers 95 %
    intervals over images, or from least to greatest over seeds.
    """
    figure, sets = go.Figure(), list(found)
    named = dict.fromkeys(kind for families in found.values() for kind in families)
    kinds = sorted(named, key=lambda kind: [*MARKS_OF, kind].index(kind))
    for i, kind in enumerate(kinds):
        colour, symbol = MARKS_OF.get(kind, (GREY, "x"))
        offset = ROW_STEP * (i - (len(kinds) - 1) / 2)
        rows = {
            sets.index(name) + offset: families[kind] for name, families in found.items() if kind in families
        }
        _add_moves(figure, rows, colour)
        _add_controls(figure, rows, colour, symbol)
        values = [row["usefulness"] for row in rows.values()]
        figure.add_scatter(
            name=written(kind),
            x=[value for value, _, _ in values],
            y=list(rows),
            error_x=_bars(values),
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 11},
        )
    figure.add_vline(0, line=REFERENCE)
    figure.update_xaxes(title=AXIS)
    names = [escaped(name) for name in sets]
    figure.update_yaxes(tickvals=list(range(len(sets))), ticktext=names, range=[len(sets) - 0.4, -0.6])
    legend = {"orientation": "v", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"}
    height, margin = 250 + 70 * len(sets), {"l": 90, "t": 150, "b": 100}
    return figure.update_layout(
        template="featlab",
        title={"text": written(title), "y": 0.97, "yref": "container", "yanchor": "top"},
        height=height,
        margin=margin,
        legend=legend,
    )


def _add_moves(figure: go.Figure, rows: Mapping[float, Mapping[str, _Span]], colour: str) -> None:
    """Lines from each control to its set."""
    x: list[float | None] = []
    y: list[float | None] = []
    for at, row in rows.items():
        if "control" in row:
            x += [row["control"][0], row["usefulness"][0], None]
            y += [at, at, None]
    line = {"color": colour, "width": 2}
    figure.add_scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _add_controls(
    figure: go.Figure, rows: Mapping[float, Mapping[str, _Span]], colour: str, symbol: str
) -> None:
    """Hollow markers: the same labels on the images that the making began with."""
    found = {at: row["control"][0] for at, row in rows.items() if "control" in row}
    figure.add_scatter(
        name="hollow: control",
        x=list(found.values()),
        y=list(found),
        mode="markers",
        marker={"color": colour, "symbol": f"{symbol}-open", "size": 10, "line": {"width": 2}},
        showlegend=False,
    )
