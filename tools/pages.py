"""The course as static pages that need no kernel and no network: python -m tools.pages [FOLDER]

Notebooks as they are stored (executed) become HTML by nbconvert. Live widgets are shown by their twins,
plotly's own sliders; formulas are MathML, which browsers draw by themselves; plotly.js lies beside the pages,
once. Each figure carries its description in words.
"""

import json
import re
import sys
from functools import partial
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from plotly.offline import get_plotlyjs
from pygments.formatters import HtmlFormatter

from featlab.course.alt import describe
from featlab.inputs.markup import escaped
from tools import landing, reference
from tools.formulas import mathml
from tools.links import address
from tools.notebook import ROOT, SOLUTIONS, course, read, title

PLOTLY = "application/vnd.plotly.v1+json"
CONFIG = {"displayModeBar": False, "responsive": False}
STYLE = (Path(__file__).parent / "pages.css").read_text(encoding="utf-8")


class Renderer(IPythonRenderer):
    """Markdown with formulas as MathML."""

    def block_math(self, body: str) -> str:
        return mathml(body, block=True)

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def heading(self, text: str, level: int, **attrs) -> str:
        anchor = re.sub(r"\W+", "-", re.sub(r"<[^>]+>", "", text)).strip("-").lower()
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'


def markdown(source: str, folder: Path) -> str:
    """A markdown cell of a notebook in `folder` as HTML; links to notebooks lead to their pages,
    links to other files to the repository.
    """
    source = re.sub(r"\[([^]\[]*)\]\(([^):#]+)\)", lambda m: _link(m[1], (folder / m[2]).resolve()), source)
    return MarkdownWithMath(renderer=Renderer(escape=False)).render(source)


def _link(words: str, path: Path) -> str:
    """A link in markdown, or its words alone where the file stands nowhere on the web."""
    if path in notebooks():
        return f"[{words}]({file(path)})"
    where = address()
    return f"[{words}]({where}/blob/main/{path.relative_to(ROOT).as_posix()})" if where else words


def _get() -> str:
    """Where the notebooks are, if they are anywhere on the web."""
    where = address()
    return f': <a href="{where}">get the notebooks</a>' if where else ""


def notebooks() -> list[Path]:
    """All notebooks that become a page: the course and its solutions."""
    return [*course(), *sorted(SOLUTIONS.glob("*.ipynb"))]


def file(path: Path) -> str:
    """The name of a notebook's page."""
    return f"{'solutions-' if path.parent == SOLUTIONS else ''}{path.stem}.html"


def figure(plot: dict, name: str) -> str:
    """A plotly figure that draws itself from the shared plotly.js,
    with its description for those who do not see it.
    """
    words = escaped(describe(plot))
    data, layout = (json.dumps(plot[part]).replace("<", "\\u003c") for part in ("data", "layout"))
    knob = "sliders" in plot["layout"]
    return f"""<figure class="plot"><div id="{name}" role="{"group" if knob else "img"}" aria-label="{words}"></div></figure>
<script>draw("{name}", {data}, {layout}, {json.dumps(CONFIG)})</script>"""


def shown(notebook: dict, stem: str) -> dict:
    """The notebook with each output in the one form that a page can show."""
    safe = re.sub(r"\W", "-", stem[:2])
    for i, cell in enumerate(notebook["cells"]):
        kept = []
        for j, out in enumerate(cell.get("outputs", [])):
            data = out.get("data", {})
            if PLOTLY in data:
                out["data"] = {"text/html": figure(data[PLOTLY], f"figure-{safe}-{i}-{j}")}
            elif "text/html" in data:
                out["data"] = {"text/html": "".join(data["text/html"])}
            if "application/vnd.jupyter.widget-view+json" not in out.get("data", {}):
                kept.append(out)
        if "outputs" in cell:
            cell["outputs"] = kept
        if cell["metadata"].get("jupyter", {}).get("source_hidden"):
            cell["metadata"]["transient"] = {"remove_source": True}
    return notebook


def question(notebook: dict) -> str:
    """What the notebook asks, as plain text."""
    return plain(re.search(r"\*\*The question\.\*\* (.+?)\n\n", notebook["cells"][0]["source"], re.DOTALL)[1])


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[*`$\\]|\]\(.*?\)|\[", "", text)).strip()


def page(heading: str, words: str, body: str, scripts: str = "", style: str = STYLE) -> str:
    """The frame of every page."""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escaped(heading)}</title><meta name="description" content="{escaped(words)}">
<link rel="icon" href="data:,"><style>{style}
{HtmlFormatter(style="default").get_style_defs(".highlight")}</style>{scripts}</head>
<body><a class="skip" href="#main">to the text</a>
<header><nav aria-label="course">{contents()}</nav></header><main id="main">{body}</main>
<footer><p>Pages of the course. In the lessons the sliders show stored steps; in the notebooks they compute{_get()}.</p></footer></body></html>"""


def contents() -> str:
    """Links to the landing page, the lessons and the reference; each lesson leads to its solutions."""
    links = [f'<a href="{escaped(file(path))}">{escaped(title(read(path)))}</a>' for path in course()]
    first, last = ("index.html", "The idea in a minute"), ("reference/featlab.html", "API reference")
    first, last = (f'<a href="{target}">{words}</a>' for target, words in (first, last))
    return " ".join([first, *links, last])


DRAW = f"""<script src="plotly.min.js"></script><script>{(Path(__file__).parent / "pages.js").read_text(encoding="utf-8")}</script>"""


def lesson(path: Path) -> str:
    """The page of one notebook; a lesson's ends with the way to its solutions."""
    notebook = shown(read(path), path.stem)
    exporter = HTMLExporter(template_name="basic")
    exporter.register_filter("markdown2html", partial(markdown, folder=path.parent))
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    body, _ = exporter.from_notebook_node(nbformat.reads(json.dumps(notebook), as_version=4))
    body = re.sub(r"<pre(?=[ >])", '<pre tabindex="0"', body)
    *kind, number, name = title(notebook).split(" · ", 2)
    if kind:
        words = f"One solution of each exercise of lesson {number}, run and checked: {name}"
        return page(
            f"{kind[0]}: {name} · Adversarial examples as features, lesson {number}", words, body, DRAW
        )
    body += f'<p><a href="{escaped(file(SOLUTIONS / path.name))}">Solutions of the exercises</a></p>'
    return page(f"{name} · Adversarial examples as features, lesson {number}", question(notebook), body, DRAW)


def write(folder: Path) -> None:
    """All pages, plotly.js, the landing page and the API reference."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    lessons = [(file(path), title(read(path)), question(read(path))) for path in course()]
    (folder / "index.html").write_text(
        page(landing.TITLE, landing.WORDS, landing.body(lessons), style=STYLE + landing.style()),
        encoding="utf-8",
    )
    for path in notebooks():
        (folder / file(path)).write_text(lesson(path), encoding="utf-8")
    reference.write(folder / "reference")
    print(f"wrote {len(notebooks()) + 1} pages and the reference: open {folder / 'index.html'}")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
