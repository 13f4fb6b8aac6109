"""One self-contained HTML page of a measured experiment: table, figure, sample images."""

import html
from pathlib import Path

import plotly.graph_objects as go

from featlab import claims, files, parallel, plots
from featlab.presets import CONSTRUCTED, MEANING
from featlab.reproduce import Lab, columns

STYLE = """
body {font: 16px/1.5 Inter, Helvetica, Arial, sans-serif; color: #222; max-width: 960px; margin: 2em auto; padding: 0 1em}
table {border-collapse: collapse; width: 100%}
td, th {padding: .35em .6em; border-bottom: 1px solid #ddd; text-align: right; vertical-align: top}
td:first-child, th:first-child, td:nth-child(2), th:nth-child(2) {text-align: left}
small {color: #555; white-space: nowrap} p small {white-space: normal}
"""


def percent(entry: dict) -> str:
    """'85.3 (83.7 to 86.8)', on two lines"""
    return f"{100 * entry['value']:.1f}<br><small>({100 * entry['low']:.1f} to {100 * entry['high']:.1f})</small>"


def table(report: dict) -> str:
    """The rows as an HTML table, the paper's numbers beside."""
    rows = report["rows"]
    radii = list(next(iter(rows.values()))["attacked"])
    head = ["trained on", "", "clean, %", *(f"under l2 {r}, %" for r in radii), "paper: clean / attacked, %"]
    lines = ["<tr>" + "".join(f"<th>{word}</th>" for word in head) + "</tr>"]
    for name, row in rows.items():
        paper = " / ".join("–" if v is None else f"{100 * v:.0f}" for v in claims.PAPER.get(name, (None, None)))
        cells = [name, MEANING[name], percent(row["clean"]), *(percent(row["attacked"][r]) for r in radii), paper]
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "<table>" + "\n".join(lines) + "</table>"


def figure(report: dict) -> go.Figure:
    """The rows as bars, like Figure 2b."""
    groups = {}
    for name, row in report["rows"].items():
        groups[name.replace(" control", "<br>control")] = columns(row)
    chart = plots.bars(groups, title="Normal training on each set (robust: adversarial training on D), tested on real images", chance=0.1)
    return chart.update_layout(width=960, height=440)


def pictures(lab: Lab, count: int = 10) -> go.Figure:
    """The first images of D and of each constructed set, with the labels that the training sees."""
    first = list(range(count))  # a slice would keep each whole dataset in memory, indices copy
    sets = {name: lab.dataset(name)[first] for name in ("D", *CONSTRUCTED)}
    captions = {name: [part.classes[y] for y in part.labels] for name, part in sets.items()}
    return plots.samples({name: part.images for name, part in sets.items()}, captions)


def stages(report: dict) -> str:
    """What each piece took, as an HTML table."""
    head = "<tr><th>piece</th><th></th><th>seconds</th><th>10<sup>15</sup> operations</th><th>share of the peak</th></tr>"
    lines = [
        f"<tr><td>{name}</td><td></td><td>{s['seconds']:.1f}</td><td>{s['pflop']:.3g}</td><td>{100 * s['share']:.0f} %</td></tr>"
        for name, s in report["stages"].items()
    ]
    return f"<table>{head}{''.join(lines)}</table>"


def write(path: Path, report: dict, lab: Lab) -> None:
    """Write the page, whole or not at all; of several processes the first does, but all must call."""
    made = report["provenance"]
    n = report["rows"]["D"]["clean"]["n"]
    where = ", ".join(f"{key} {value}" for key, value in made.items())
    verdicts = "".join(
        f"<li>({c['section']}) {html.escape(c['claim'])} <b>{'Agrees' if c['agrees'] else 'Does not agree'} here.</b></li>"
        for c in report["claims"]
    )
    chart = figure(report).to_html(full_html=False, include_plotlyjs=True)
    body = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>featlab: the evidence of sections 3.1 and 3.2</title>
<style>{STYLE}</style>
<h1>The evidence of sections 3.1 and 3.2</h1>
<p>Measured on {html.escape(report["preset"]["data"])}, seed {report["seed"]}, {n:,} test images, 95 % Wilson intervals; radii are l2 in
pixels of [0, 1]. <small>{html.escape(where)}</small></p>
{table(report)}
<p><small>The paper's numbers: {claims.PAPER_SETTING}.
Other images, another network, other radii: compare the pattern, not the digits.</small></p>
{chart}
<h2>What the claims say, what was measured</h2><ul>{verdicts}</ul>
<h2>The training sets, with the labels that training sees</h2>
{pictures(lab).to_html(full_html=False, include_plotlyjs=False)}
<h2>What each piece took</h2>
<p><small>The peak is that of a large matrix product, measured in the same run: {report["peak"]:,} x 10<sup>9</sup> operations a
second.</small></p>
{stages(report)}
</html>"""
    if not parallel.rank():
        with files.replacing(path) as temporary:
            temporary.write_text(body)
