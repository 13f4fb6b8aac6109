"""What every notebook keeps, so that it opens anywhere, stays small, and is really compared by nbval."""

import ast
import json
import re
import runpy
from pathlib import Path
from statistics import median

import pytest

from tools import stored

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
NOTEBOOKS = [path for path in NOTEBOOKS if ".ipynb_checkpoints" not in path.parts]
LESSONS = [path for path in NOTEBOOKS if path.parent.name == "notebooks"]  # others: solutions, the quiz


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: "/".join(path.with_suffix("").parts[-2:]))
def notebook(request):
    return json.loads(request.param.read_text()) | {"path": request.param}


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return json.loads(request.param.read_text()) | {"path": request.param}


def code(notebook):
    return [c for c in notebook["cells"] if c["cell_type"] == "code" and "".join(c["source"]).strip()]


def prose(notebook):
    return "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown")


def outputs(notebook, kind):
    return [out for cell in code(notebook) for out in cell["outputs"] if out["output_type"] == kind]


def test_there_is_a_course():
    assert {path.stem[:2] for path in LESSONS} >= {"00", "03", "04"}


def test_it_is_small_and_holds_no_widget_state(notebook):
    assert notebook["path"].stat().st_size < 200_000
    assert "widgets" not in notebook["metadata"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    views = [
        out
        for kind in ("execute_result", "display_data")
        for out in outputs(notebook, kind)
        if stored.VIEW in out["data"]
    ]
    assert not views, "a live view would hide its twin from who opens the notebook: run make course"


def test_it_was_run_from_top_to_bottom_without_errors(notebook):
    assert [cell["execution_count"] for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    assert not outputs(notebook, "error")
    assert not [out for out in outputs(notebook, "stream") if out["name"] == "stderr"]


def test_nbval_has_at_least_five_texts_to_compare(lesson):
    compared = [c for c in code(lesson) if "nbval-ignore-output" not in c["metadata"].get("tags", [])]
    texts = [
        out
        for cell in compared
        for out in cell["outputs"]
        if out["output_type"] == "stream" or "text/plain" in out.get("data", {})
    ]
    assert len(texts) >= 5


def texts(notebook):
    """What the cells print or show as text; a Predict shows its question."""
    streams = ["".join(out["text"]) for out in outputs(notebook, "stream")]
    shown = [out["data"] for kind in ("execute_result", "display_data") for out in outputs(notebook, kind)]
    return streams + [
        text for data in shown if not (text := "".join(data.get("text/plain", ""))).startswith("predict: ")
    ]


def test_it_shows_numbers_instead_of_verdicts(lesson):
    bare = [
        line for text in texts(lesson) for line in text.splitlines() if re.search(r"\b(True|False)\b", line)
    ]
    assert not bare, "print the number, with its interval if it is a rate; the check belongs to tests/"


def test_cells_are_short_and_imports_stand_in_the_first(lesson):
    lengths = [
        len([line for line in "".join(c["source"]).splitlines() if line.strip()]) for c in code(lesson)
    ]
    assert max(lengths) <= 20 and median(lengths) <= 5
    for cell in code(lesson)[1:]:
        tree = ast.parse("".join(cell["source"]))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def dead(text, folder):
    """Links of a markdown text that lead nowhere: to a file that is not there,
    or to a heading that is not in it.
    """
    links = re.findall(r"\]\((?!\w+:)([^)\s]+)\)", text) + re.findall(
        r'(?:href|src|srcset)="(?!\w+:)([^"]+)"', text
    )
    for link in links:
        path, _, anchor = link.partition("#")
        there = (folder / path).read_text() if anchor and path else text
        if not (folder / path).exists() or (
            anchor and anchor.lower() not in map(slug, re.findall(r"^#+ (.+?)\s*$", there, re.MULTILINE))
        ):
            yield link


def slug(heading):
    """What a heading is called in an address, on GitHub: lower case, hyphens for spaces, no other marks."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_dead_links_are_found(tmp_path):
    (tmp_path / "b.md").write_text("# Two words, and more\n")
    text = (
        '# One\n[a](#one) [b](b.md#two-words-and-more) [c](c.md) [d](#two) <a href="e.md">e</a> '
        "[f](https://example.org/g)"
    )
    assert list(dead(text, tmp_path)) == ["c.md", "#two", "e.md"]


def test_links_lead_somewhere(notebook):
    assert not list(dead(prose(notebook), notebook["path"].parent))


def test_it_has_the_parts_of_a_lesson(lesson):
    words = prose(lesson)
    for part in (
        "The question.",
        "Afterwards you can",
        "Time",
        "Predict.",
        "should see",
        "Exercise",
        "Hint",
        "Limits",
        "Where in the paper",
        "Paper",
    ):
        assert part.lower() in words.lower(), part
    assert words.count("<details>") == words.count("</details>") >= 3


def test_a_lesson_has_more_than_five_words_for_two_lines_of_code(lesson):
    lines = sum(len("".join(cell["source"]).splitlines()) for cell in code(lesson))
    assert len(prose(lesson).split()) > 5 * lines / 2


def test_every_lesson_was_measured_to_fit_where_it_is_opened():
    measured = json.loads((ROOT / "results" / "limits.json").read_text())
    assert set(measured) == {path.stem for path in LESSONS}, (
        "python -m benchmarks.limits --out results/limits.json"
    )
    for got in measured.values():
        assert not got["too slow"] and got["megabytes"] < 1000
        assert got["limits"] == {"cores": 1, "threads": 1, "limited to": "1000 MB"}


TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_of_the_texts_lead_somewhere(path):
    assert not list(dead(path.read_text(), path.parent))


def test_the_readmes_tables_are_the_stored_ones():
    draw = runpy.run_path(str(ROOT / "results" / "draw.py"))
    texts = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/evidence.md"))
    assert all(draw["table"](setting) in texts for setting in draw["SETTINGS"]), "python results/draw.py"
