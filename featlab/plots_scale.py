"""Figures of the full scale: what a run costs, and the appendix's rows."""

from collections.abc import Mapping

import plotly.graph_objects as go

from featlab.plots import BLUE, INK, ORANGE, PATTERNS, curves

COLOURS = (BLUE, ORANGE)


def stages(runs: Mapping[str, Mapping[str, float]], *, unit: str, title: str = "") -> go.Figure:
    """Lying bars: run -> stage -> amount; one colour and one pattern a run, the amount beside each bar."""
    figure = go.Figure()
    for i, (name, amounts) in enumerate(runs.items()):
        values = list(amounts.values())
        pattern = {"shape": PATTERNS[i], "bgcolor": COLOURS[i], "fgcolor": "white", "size": 8, "solidity": 0.2}
        text = [f"{value:.3g}" for value in values]
        words = {"text": text, "textposition": "outside", "cliponaxis": False, "outsidetextfont": {"color": INK, "size": 13}}
        figure.add_bar(name=name, y=list(amounts), x=values, orientation="h", marker={"color": COLOURS[i], "pattern": pattern}, **words)
    figure.update_layout(
        template="featlab", title=title, barmode="group", height=110 + 60 * len(amounts), margin={"l": 190, "r": 70, "t": 80}
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure.update_xaxes(title=unit, rangemode="tozero")


def strengths(report: Mapping, radius: float) -> go.Figure:
    """D.2: accuracy under attacks of more and more steps, with 95 % intervals."""
    entries = report["strengths"]
    steps = [int(s) for s in entries]
    means, lows, highs = ([100 * e[key] for e in entries.values()] for key in ("value", "low", "high"))
    figure = curves({"D_R's student": (steps, means)}, x="steps of the attack", y=f"accuracy under l2 {radius:g}, %")
    bars = {"type": "data", "array": [h - m for h, m in zip(highs, means, strict=True)], "color": INK, "thickness": 1.3}
    figure.update_traces(error_y={**bars, "arrayminus": [m - low for m, low in zip(means, lows, strict=True)]})
    figure.update_xaxes(type="log", tickvals=steps, ticktext=[f"{s:,}" for s in steps])
    figure.update_yaxes(range=[0, 100])
    return figure.update_layout(title="Stronger attacks find a little more, and then nothing", showlegend=False)
