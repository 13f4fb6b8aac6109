"""Figures of the full scale: what a run costs, and the appendix's rows."""

from collections.abc import Mapping
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from featlab.inputs.markup import written
from featlab.plots.charts import curves
from featlab.plots.style import BLUE, INK, ORANGE, OUTSIDE, PATTERNS, Measured, hatched, whiskers

COLOURS = (BLUE, ORANGE)


def stages(runs: Mapping[str, Mapping[str, float]], *, unit: str, title: str = "") -> go.Figure:
    """Lying bars: run -> stage -> amount; one colour and one pattern a run, the amount beside each bar."""
    figure = go.Figure()
    for (name, amounts), colour, shape in zip(runs.items(), cycle(COLOURS), cycle(PATTERNS)):
        figure.add_bar(
            name=written(name),
            x=list(amounts.values()),
            y=[written(stage) for stage in amounts],
            orientation="h",
            marker=hatched(colour, shape),
            text=[f"{amount:.3g}" for amount in amounts.values()],
            outsidetextfont={"color": INK, "size": 13},
            **OUTSIDE,
        )
    figure.update_layout(
        template="featlab",
        title=written(title),
        barmode="group",
        height=110 + 60 * len(amounts),
        margin={"l": 190, "r": 70, "t": 80},
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_xaxes(title=written(unit), rangemode="tozero")


def strengths(accuracies: Mapping[int, Measured], radius: float) -> go.Figure:
    """D.2: accuracy under attacks of more and more steps, each with its 95 % `interval`; the l2 radius is in
    pixels of [0, 1].
    """
    steps = list(accuracies)
    means, lows, highs = 100 * np.array([(one, *one.interval) for one in accuracies.values()]).T
    figure = curves(
        {"D_R's student": (steps, means)}, x="steps of the attack", y=f"accuracy under l2 {radius:g}, %"
    )
    figure.update_traces(error_y=whiskers(means, lows, highs, color=INK, thickness=1.3))
    figure.update_xaxes(type="log", tickvals=steps, ticktext=[f"{s:,}" for s in steps])
    figure.update_yaxes(range=[0, 100])
    return figure.update_layout(
        title="Stronger attacks find a little more, and then nothing", showlegend=False
    )
