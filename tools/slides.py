"""Fifteen slides for a lecture of 45 minutes: python -m tools.slides [FOLDER]

One html file that needs no network: the flip moves with a slider, bars are drawn from the stored reports.
Arrow keys turn pages, n shows the speaker's notes, and the browser's print gives one page a slide.
"""

import json
import re
import sys
from pathlib import Path

from featlab import plots
from featlab.experiments import reports
from featlab.inputs.markup import escaped
from tools import flip
from tools.notebook import ROOT

TEXT = ROOT / "docs" / "slides.md"
STYLE = (Path(__file__).parent / "slides.css").read_text(encoding="utf-8")
SCRIPT = (Path(__file__).parent / "slides.js").read_text(encoding="utf-8")


def rows() -> dict[str, dict[str, tuple[float, float, float]]]:
    """The stored accuracies on clothes: set -> measure -> (mean, least, greatest) over the seeds."""
    return reports.over_seeds(reports.measured("fashion-mnist-laptop"))


def bars(names: list[str], measure: str = "clean") -> str:
    """Stored accuracies as a picture: a bar each, with a line from the least to the greatest of the seeds."""
    stored, high = rows(), 56
    drawn = ""
    for k, name in enumerate(names):
        mean, least, most = (100 * value for value in stored[name][measure])
        y = 10 + high * k
        drawn += (
            f'<text x="250" y="{y + 25}" text-anchor="end">{escaped(name)}</text>'
            f'<rect x="262" y="{y + 4}" width="{6 * mean:.1f}" height="30" fill="#0072b2"/>'
            f'<path d="M{262 + 6 * least:.1f} {y + 19}H{262 + 6 * most:.1f}" stroke="#000" stroke-width="3"/>'
            f'<text x="{274 + 6 * most:.1f}" y="{y + 25}">{mean:.1f} %</text>'
        )
    height = 20 + high * len(names)
    chance = f'<path d="M322 0V{height}" stroke="#555" stroke-dasharray="6 6"/>'
    words = ", ".join(f"{name} {100 * stored[name][measure][0]:.1f} %" for name in names)
    return (
        f'<svg viewBox="0 0 960 {height}" role="img" aria-label="right on real images: {escaped(words)}">'
        f"{chance}{drawn}</svg><p><small>Right on 2,000 real test images, mean of {seeds()} seeds; the line goes from the "
        "least to the greatest; dashed: chance.</small></p>"
    )


def seeds() -> int:
    return len(reports.measured("fashion-mnist-laptop"))


def live_flip() -> str:
    """One boot, a slider for the length of the change, and what the network says."""
    names, label, frames = flip.frames()
    moved = [
        {"eps": f.eps, "image": plots.data_uri(f.image), "p": [round(p, 3) for p in f.believes]}
        for f in frames
    ]
    data = json.dumps({"frames": moved, "names": names, "label": label}).replace("<", "\\u003c")
    first = moved[0]["image"]
    return (
        f'<script type="application/json" id="flip">{data}</script><div class="flip">'
        f'<img src="{first}" alt="an ankle boot"><img id="moved" src="{first}" alt="the changed boot"></div>'
        f'<p><label>length of the change <input type="range" id="eps" max="{len(moved) - 1}" value="0"></label> '
        '<output id="said" role="status"></output></p>'
    )


def filled(body: str) -> str:
    """The text of a slide with its pictures: {{bars: A, B}}, {{flip}} and {{number: SET}}."""
    body = re.sub(r"\{\{bars: (.+?)\}\}", lambda m: bars(m[1].split(", ")), body)
    body = re.sub(r"\{\{number: (.+?)\}\}", lambda m: f"{100 * rows()[m[1]]['clean'][0]:.1f} %", body)
    return body.replace("{{flip}}", live_flip()) if "{{flip}}" in body else body


def slides() -> list[tuple[str, str, str]]:
    """Title, body and speaker's notes of each slide, as they stand in docs/slides.md."""
    parts = re.split(r"^## ", TEXT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    made = []
    for part in parts:
        heading, _, rest = part.partition("\n")
        body, _, notes = rest.partition("\nNotes: ")
        made.append((heading.strip(), body.strip(), notes.strip()))
    return made


def html_of(markdown: str) -> str:
    """Paragraphs, lists, emphasis and code of a slide as html."""
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", markdown)
    text = re.sub(r"\*(.+?)\*", r"<em>\1</em>", re.sub(r"`(.+?)`", r"<code>\1</code>", text))
    blocks = []
    for block in text.split("\n\n"):
        if block.startswith("- "):
            points = "".join(f"<li>{point}</li>" for point in block[2:].split("\n- "))
            blocks.append(f"<ul>{points}</ul>")
        else:
            blocks.append(block if block.startswith("{{") else f"<p>{block}</p>")
    return "\n".join(blocks)


def page() -> str:
    """All slides as one html page."""
    shown = ""
    for k, (heading, body, notes) in enumerate(slides(), 1):
        said = f'<aside class="notes" aria-label="speaker\'s notes"><p>{escaped(notes)}</p></aside>'
        level = "h1" if k == 1 else "h2"
        shown += (
            f'<section id="{k}"><{level}>{escaped(heading)}</{level}>{filled(html_of(body))}{said}'
            f'<p class="number">{k}</p></section>\n'
        )
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escaped(slides()[0][0])}</title>
<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><main>{shown}</main><script>{SCRIPT}</script></body></html>"""


def write(folder: Path) -> Path:
    """The page in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "slides.html").write_text(page(), encoding="utf-8")
    return folder / "slides.html"


if __name__ == "__main__":
    print(f"wrote {write(Path(sys.argv[1] if len(sys.argv) > 1 else 'build/slides'))}")
