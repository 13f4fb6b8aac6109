"""Plotly's own slider, which needs no kernel: what stands still for a live picture."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from featlab.inputs.markup import written


def step(label: str, *changes: dict | list[int], method: str = "update") -> dict:
    """One position: its label, and what plotly changes there: traces, layout, and which traces if not all."""
    return {"label": written(label), "method": method, "args": list(changes)}


def frame(i: int, traces: int, frames: int) -> dict:
    """The change that shows frame i alone, where each of the frames is so many traces in a row."""
    return {"visible": [j // traces == i for j in range(traces * frames)]}


def slide(
    figure: go.Figure,
    steps: Sequence[dict],
    prefix: str,
    *,
    gap: float,
    active: int = 0,
    **look: Any,
) -> go.Figure:
    """Put a slider under a figure, `gap` pixels below its axes; the prefix stands before the label."""
    where = {"active": active, "currentvalue": {"prefix": written(prefix)}, "pad": {"t": gap}}
    return figure.update_layout(sliders=[{**where, "steps": steps, **look}])
