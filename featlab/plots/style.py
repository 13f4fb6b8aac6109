"""What all figures share: colours, dashes, patterns, whiskers, the template, and how words stand in them."""

from typing import Any, Protocol

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
from numpy.typing import ArrayLike

from featlab.doors import dataset
from featlab.types import Dataset

# Okabe and Ito's palette, distinct for every kind of colour vision, with three colours darkened so that each
# has contrast 3 with white
BLUE, ORANGE, GREEN, RED = "#0072B2", "#C98500", "#009E73", "#C04A00"
PURPLE, SKY, GREY = "#CC79A7", "#3D9BD1", "#6B6B6B"
PALETTE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY]
PATTERNS = ["", "/", "x", ".", "-"]
DASHES = ["solid", "dash", "dot", "dashdot", "longdash"]
INK = "#222222"
WIDTH = 830  # what JupyterLab leaves for a figure on a page of 1024 pixels
REFERENCE = {"color": INK, "dash": "dot", "width": 1.5}  # the line of chance, or of no gain
OUTSIDE = {"textposition": "outside", "cliponaxis": False}  # a bar's number, at its end
NOTE = {"showarrow": False, "font": {"size": 12}}
HIDDEN = {"visible": False, "fixedrange": True}  # an axis that only says where images lie
# the name of a row
BESIDE = {"xref": "x domain", "x": 0, "xshift": -8, "xanchor": "right", "align": "right", "showarrow": False}
pio.templates["featlab"] = go.layout.Template(
    layout={
        "colorway": PALETTE,
        "font": {"size": 15, "color": INK, "family": "Inter, Helvetica, Arial, sans-serif"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "width": WIDTH,
        "height": 420,
        "margin": {"l": 70, "r": 20, "t": 60, "b": 60},
        "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 17}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "xaxis": {"gridcolor": "#E8E8E8", "zeroline": False, "linecolor": INK, "ticks": "outside"},
        "yaxis": {"gridcolor": "#E8E8E8", "zeroline": False, "linecolor": INK, "ticks": "outside"},
    }
)


class Measured(Protocol):
    """A number that has a 95 % interval: an Accuracy, or an Entry of a stored report."""

    @property
    def interval(self) -> tuple[float, float]:
        """(low, high)"""

    def __float__(self) -> float: ...


def names_of(data: Dataset) -> list[str]:
    """The classes' names, or their numbers if they have none."""
    return [*map(str, dataset(data).classes)] or [str(i) for i in range(data.num_classes)]


def hatched(colour: str | list[str], shape: str | list[str]) -> dict:
    """The marker of bars, of all or of each: a colour and a pattern, so that colour is not needed."""
    pattern = {"shape": shape, "bgcolor": colour, "fgcolor": "white", "size": 8, "solidity": 0.2}
    return {"color": colour, "pattern": pattern}


def whiskers(value: ArrayLike, low: ArrayLike, high: ArrayLike, **look: Any) -> dict:
    """Intervals from low to high (n,) around values (n,), which plotly wants as lengths."""
    value = np.asarray(value)
    return {"type": "data", "array": high - value, "arrayminus": value - low, **look}
