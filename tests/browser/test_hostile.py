"""Class, model and preset names that are HTML, in a real browser: none runs, none becomes an element,
all are to be read.
"""

import json
from types import SimpleNamespace

import ipywidgets as w
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs
from test_markup import DATA, FIGURES, HOSTILE, SCRIPT, WIDGETS, leaves

from featlab.command import page as report
from featlab.course.alt import NAMED, SPOKEN
from featlab.experiments.entries import Entry
from featlab.experiments.presets import ROWS
from featlab.inputs.markup import escaped
from featlab.widgets.predict import Predict
from tools import browser, pages

FOREIGN = "img[src='x'], svg[onload], [onerror*=owned], a[href^=javascript], script[src]"
RAN = "() => window.owned ?? null"
CELL = Entry(0.5, 0.4, 0.6, 40)


@pytest.fixture
def opened(chrome):
    context = chrome.new_context(offline=True)
    context.add_init_script("window.alert = () => { window.owned = 'alert'; }; window.wrong = () => {};")
    page = context.new_page()
    yield page
    context.close()


def shown(page, path) -> str:
    """The text of a file in the browser, in which nothing foreign ran or stands."""
    watch = browser.Watch()
    watch.over(page)
    page.goto(f"file://{path}")
    page.wait_for_load_state()
    page.wait_for_timeout(500)
    assert (
        page.evaluate(RAN) is None
        and page.locator(FOREIGN).count() == 0
        and not watch.errors
        and not watch.external
    )
    return page.locator("body").text_content()


def drawn(figures: list[go.Figure]) -> str:
    return "".join(
        pages.figure(json.loads(figure.to_json()), f"figure-{i}") for i, figure in enumerate(figures)
    )


def whole(body: str) -> str:
    script = (pages.ROOT / "tools" / "pages.js").read_text(encoding="utf-8")
    scripts = f"<script>{get_plotlyjs()}</script><script>{script}</script>"
    return (
        "<!doctype html><html lang='en'><head><meta "
        f"charset='utf-8'>{scripts}</head><body>{body}{SPOKEN}</body></html>"
    )


def test_the_browser_would_notice(opened, tmp_path):
    (tmp_path / "bad.html").write_text(whole(SCRIPT), encoding="utf-8")
    opened.goto(f"file://{tmp_path / 'bad.html'}")
    opened.wait_for_timeout(500)
    assert opened.evaluate(RAN) == "yes" and opened.locator(FOREIGN).count() == 1


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget(name, opened, tmp_path):
    made = leaves(WIDGETS[name]())
    texts = [f"<div>{one.value}</div>" for one in made if isinstance(one, w.HTML) and one.value != NAMED]
    figures = [made[0].twin, *(go.Figure(one) for one in made if isinstance(one, go.FigureWidget))]
    (tmp_path / "widget.html").write_text(whole("".join(texts) + drawn(figures)), encoding="utf-8")
    assert "window.owned" in shown(opened, tmp_path / "widget.html")


def test_every_figure(opened, tmp_path):
    (tmp_path / "figures.html").write_text(
        whole(drawn([make() for make in FIGURES.values()])), encoding="utf-8"
    )
    assert "window.owned" in shown(opened, tmp_path / "figures.html")


def test_a_question(opened, tmp_path):
    asked = Predict(SCRIPT, list(HOSTILE), answer=HOSTILE[1], because=HOSTILE[2])
    (tmp_path / "question.html").write_text(whole(asked.page() + asked.children[0].value), encoding="utf-8")
    assert "window.owned" in shown(opened, tmp_path / "question.html")


def test_the_report(opened, tmp_path):
    rows = {name: {"clean": CELL, "attacked": {"0.5": CELL}} for name in ROWS}
    made = {
        "rows": rows,
        "seed": 0,
        "peak": 1,
        "preset": {"data": SCRIPT},
        "provenance": dict.fromkeys(HOSTILE, SCRIPT),
    }
    made |= {
        "claims": [{"section": "3", "claim": SCRIPT, "agrees": True}],
        "stages": {SCRIPT: {"seconds": 1.0, "pflop": 1.0, "share": 0.1}},
    }
    report.write_html(
        tmp_path / "report.html", made, SimpleNamespace(data=(DATA, DATA), dataset=lambda name: DATA)
    )
    assert "window.owned" in shown(opened, tmp_path / "report.html")


def test_a_static_page(opened, tmp_path):
    (tmp_path / "page.html").write_text(
        pages.page(SCRIPT, SCRIPT, f"<p>{escaped(SCRIPT)}</p>"), encoding="utf-8"
    )
    assert "window.owned" in shown(opened, tmp_path / "page.html")
