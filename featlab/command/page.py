"""One self-contained HTML page of a measured experiment: table, figure, sample images."""

from pathlib import Path

import plotly.graph_objects as go

from featlab import plots
from featlab.engine import files, parallel
from featlab.experiments import claims
from featlab.experiments.entries import Entry
from featlab.experiments.lab import Lab
from featlab.experiments.presets import CONSTRUCTED, MEANING
from featlab.experiments.reports import Report
from featlab.experiments.reproduce import columns
from featlab.inputs.markup import escaped

STYLE = """
body {font: 16px/1.5 Inter, Helvetica, Arial, sans-serif; color: #222;
  max-width: 960px; margin: 2em auto; padding: 0 1em}
table {border-collapse: collapse; width: 100%}
td, th {padding: .35em .6em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top}
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) {text-align: left}
small {color: #555; white-space: nowrap} p small {white-space: normal}
"""


def _percent(accuracy: Entry) -> str:
    """'85.3 (83.7 to 86.8)', on two lines"""
    low, high = accuracy.interval
    return f"{100 * accuracy:.1f}<br><small>({100 * low:.1f} to {100 * high:.1f})</small>"


def _table(report: Report) -> str:
    """The rows as an HTML table, the paper's numbers beside."""
    rows = report["rows"]
    radii = list(next(iter(rows.values()))["attacked"])
    head = [
        "trained on",
        "",
        "clean, %",
        *(f"under l2 {escaped(r)}, %" for r in radii),
        "paper: clean / attacked, %",
    ]
    lines = ["<tr>" + "".join(f"<th>{word}</th>" for word in head) + "</tr>"]
    for name, row in rows.items():
        paper = " / ".join(
            "–" if v is None else f"{100 * v:.0f}" for v in claims.PAPER.get(name, (None, None))
        )
        cells = [
            escaped(name),
            MEANING[name],
            _percent(row["clean"]),
            *(_percent(row["attacked"][r]) for r in radii),
            paper,
        ]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "<table>" + "\n".join(lines) + "</table>"


def figure(report: Report, chance: float = 0.1) -> go.Figure:
    """The rows as bars, like Figure 2b."""
    groups = {}
    for name, row in report["rows"].items():
        groups[name.replace(" control", "<br>control")] = columns(row)
    chart = plots.bars(
        groups,
        title="Normal training on each set (robust: adversarial training on D), tested on real images",
        chance=chance,
    )
    return chart.update_layout(width=max(960, 85 * len(groups)), height=440)


def _pictures(lab: Lab, count: int = 10) -> go.Figure:
    """The first images of D and of each constructed set, with the labels that the training sees."""
    # a slice would keep each whole dataset in memory, indices copy
    first = list(range(min(count, len(lab.data[0]))))
    sets = {name: lab.dataset(name)[first] for name in ("D", *CONSTRUCTED)}
    captions = {name: [plots.names_of(part)[y] for y in part.labels] for name, part in sets.items()}
    return plots.samples({name: part.images for name, part in sets.items()}, captions)


def stage_html(report: Report) -> str:
    """What each piece took, as an HTML table."""
    head = (
        "<tr><th>piece</th><th></th><th>seconds</th><th>10<sup>15</sup> operations</th><th>share of "
        "the peak</th></tr>"
    )
    lines = [
        f"<tr><td>{escaped(name)}</td><td></td><td>{s['seconds']:.1f}</td>"
        f"<td>{s['pflop']:.3g}</td><td>{100 * s['share']:.0f} %</td></tr>"
        for name, s in report["stages"].items()
    ]
    return f"<table>{head}{''.join(lines)}</table>"


def write_html(path: Path, report: Report, lab: Lab) -> None:
    """Write the page, whole or not at all; of several processes the first does, but all must call."""
    made = report["provenance"]
    n = report["rows"]["D"]["clean"].n
    data, seed = escaped(report["preset"]["data"]), escaped(report["seed"])
    where = ", ".join(f"{key} {value}" for key, value in made.items())
    verdicts = "".join(
        f"<li>({escaped(c['section'])}) {escaped(c['claim'])} "
        f"<b>{'Agrees' if c['agrees'] else 'Does not agree'} here.</b></li>"
        for c in report["claims"]
    )
    chart = figure(report, 1 / lab.data[0].num_classes).to_html(full_html=False, include_plotlyjs=True)
    body = f"""<!doctype html><html lang="en"><meta charset="utf-8">
<title>featlab: the evidence of sections 3.1 and 3.2</title>
<style>{STYLE}</style>
<h1>The evidence of sections 3.1 and 3.2</h1>
<p>Measured on {data}, seed {seed}, {n:,} test images, 95 % Wilson intervals; radii are l2 in
pixels of [0, 1]. <small>{escaped(where)}</small></p>
{_table(report)}
<p><small>The paper's numbers: {claims.PAPER_SETTING}.
Other images, another network, other radii: compare the pattern, not the digits.</small></p>
{chart}
<h2>What the claims say, what was measured</h2><ul>{verdicts}</ul>
<h2>The training sets, with the labels that training sees</h2>
{_pictures(lab).to_html(full_html=False, include_plotlyjs=False)}
<h2>What each piece took</h2>
<p><small>The peak is that of a large matrix product, measured in the same run:
{report["peak"]:,} x 10<sup>9</sup> operations a
second.</small></p>
{stage_html(report)}
</html>"""
    if not parallel.rank():
        with files.replacing(path) as temporary:
            temporary.write_text(body, encoding="utf-8")
