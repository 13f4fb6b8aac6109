"""A notebook exported as a page holds every figure of it, and needs nobody to draw them."""

import copy
import json
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbconvert")

from featlab.command import export  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "notebooks" / "03-robustness-from-data.ipynb"
HOSTILE = "</script><script>owned()</script><img src=x onerror='owned()'>"
FIGURE = {"data": [{"type": "bar", "x": ["a"], "y": [1]}], "layout": {"title": {"text": HOSTILE}}}
WIDGET = {"version_major": 2, "version_minor": 0, "model_id": "0"}


def stored(*outputs: dict) -> dict:
    """A notebook of one cell that showed these."""
    cell = nbformat.v4.new_code_cell("show()")
    cell["outputs"] = [nbformat.v4.new_output("display_data", data=data) for data in outputs]
    return nbformat.v4.new_notebook(cells=[cell])


def test_every_stored_figure_is_drawn_and_the_program_is_there_once():
    held = nbformat.read(NOTEBOOK, as_version=4)
    figures = [
        out for cell in held.cells for out in cell.get("outputs", []) if export.PLOTLY in out.get("data", {})
    ]
    page, _ = export.Page().from_filename(str(NOTEBOOK))
    drawn = re.findall(r'Plotly\.newPlot\("(figure-\d+-\d+)", ', page)
    assert len(drawn) == len(set(drawn)) == len(figures) > 3
    assert sorted(re.findall(r'id="(figure-\d+-\d+)"', page)) == sorted(drawn)
    assert page.count(export.get_plotlyjs()) == 1 and page.index(export.get_plotlyjs()) < page.index(
        "Plotly.newPlot("
    )


def test_the_notebook_itself_stays_as_it_was():
    notebook = stored({export.PLOTLY: FIGURE, "text/plain": "a figure"})
    before = copy.deepcopy(notebook)
    export.with_figures(notebook)
    assert notebook == before


def test_a_live_widget_gives_way_to_its_twin_and_one_without_stays():
    live, predict, alone = (
        {export.VIEW: WIDGET, export.PLOTLY: FIGURE},
        {export.VIEW: WIDGET, "text/html": "<p>?</p>"},
        {export.VIEW: WIDGET},
    )
    shown = [
        set(out["data"]) for out in export.with_figures(stored(live, predict, alone))["cells"][0]["outputs"]
    ]
    assert shown == [{export.PLOTLY, "text/html"}, {"text/html"}, {export.VIEW}]


def test_a_figure_is_data_and_never_a_program_of_the_page():
    made = export.as_picture(FIGURE, "figure-0-0")
    assert made.count("</script>") == 1 and "<img" not in made
    data, layout = re.search(
        r'newPlot\("figure-0-0", (.*), (\{"title".*\}), \{"displayModeBar', made
    ).groups()
    assert json.loads(data) == FIGURE["data"] and json.loads(layout) == FIGURE["layout"]


def test_a_notebook_without_figures_is_not_made_larger():
    page, _ = export.Page().from_notebook_node(stored({"text/plain": "1"}))
    assert "Plotly" not in page and len(page) < 1_000_000


def test_jupyter_is_told_of_it():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    name, home = re.search(
        r'\[project\.entry-points\."nbconvert\.exporters"\]\n(\S+) = "(.+)"', text
    ).groups()
    assert home == f"{export.Page.__module__}:{export.Page.__name__}"
    assert all(
        name in place
        for place in (export.__doc__, (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8"))
    )
