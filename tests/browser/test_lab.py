"""Every notebook in JupyterLab, in a headless Chromium: it runs, its widgets are there, its sliders move their pictures, in time, offline.

$FEATLAB_SLACK multiplies the times allowed (for a machine that does other work); screenshots are left in build/screenshots.
"""

import os
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from tools import browser
from tools.notebook import ROOT, SOLUTIONS, course

SLACK = float(os.environ.get("FEATLAB_SLACK", 1))
SHOTS = ROOT / "build" / "screenshots"
MOVES = 10


@dataclass
class Visit:
    """A notebook, open and run."""

    name: str
    page: Page
    watch: browser.Watch
    first_plot: float
    seconds: float
    boxes: list[Locator] = field(default_factory=list)
    sliders: list[tuple[str, Locator, Locator]] = field(default_factory=list)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The lab, with the quick preset's pieces already made, as on Binder: by the lines of binder/postBuild that run Python."""
    out = str(tmp_path_factory.mktemp("results"))
    for line in (ROOT / "binder" / "postBuild").read_text().splitlines():
        if line.startswith("python "):
            words = [out if word == "/tmp/results" else word for word in shlex.split(line)[1:]]
            subprocess.run([sys.executable, *words], check=True, cwd=ROOT)
    with browser.lab() as address:
        yield address


@pytest.fixture(scope="module", params=course(), ids=lambda path: path.stem)
def visit(request, address, chrome):
    page, watch = chrome.new_page(viewport={"width": 1024, "height": 900}), browser.Watch()
    watch.over(page)
    first, seconds = browser.run_all(page, f"{address}/lab/tree/{request.param.name}")
    page.keyboard.press("Control+b")  # the side bar away, as at a lecture
    visit = Visit(request.param.stem, page, watch, first, seconds, browser.live(page))
    for box in visit.boxes:
        visit.sliders += [(browser.name_of(slider), box, slider) for slider in box.locator(".widget-slider").all()]
    yield visit
    page.close()
    browser.end_kernels(address)


def test_it_runs_to_the_end_without_errors(visit):
    assert visit.page.locator('.jp-RenderedText[data-mime-type*="error"], .jp-RenderedText[data-mime-type*="stderr"]').count() == 0
    print(f"{visit.name}: first plot {visit.first_plot:.1f} s, all {visit.seconds:.1f} s")


def test_the_first_plot_is_there_in_time(visit):
    assert visit.first_plot < 10 * SLACK


def test_every_widget_is_visible_and_fits_the_page(visit):
    asked = sum("\nexplorer\n" in f"\n{text}\n" for text in visit.page.locator(".jp-CodeCell .cm-content").all_inner_texts())
    assert len(visit.boxes) >= asked
    for k, box in enumerate(visit.boxes):
        box.scroll_into_view_if_needed()
        assert box.is_visible() and all(slider.is_visible() for slider in box.locator(".widget-slider").all())
        SHOTS.mkdir(parents=True, exist_ok=True)
        box.screenshot(path=SHOTS / f"{visit.name}-{k}.png")
        plots = box.locator("img.widget-image, .js-plotly-plot").all()
        assert plots and all(plot.bounding_box()["width"] > 50 for plot in plots)
        assert max(plot.bounding_box()["x"] + plot.bounding_box()["width"] for plot in plots) <= 1024 + 1, "cut off at 1024 pixels"


def test_every_slider_moves_its_picture_by_keyboard(visit):
    still = [name for name, box, slider in visit.sliders if not browser.moves_picture(visit.page, box, slider)]
    assert not still


def test_sliders_move_their_pictures_in_time(visit):
    medians, slow = {}, []
    for name, box, slider in visit.sliders:
        medians[name] = round(statistics.median(browser.time_slider(visit.page, box, slider, MOVES)))
        slow += [name] * (medians[name] >= browser.allowed_ms(slider) * SLACK)
    print(f"{visit.name}: slider to picture, median ms: {medians}")
    assert not slow


def test_other_controls_work_by_keyboard(visit):
    for box in visit.boxes:
        for choice in box.locator("select").all():
            choice.focus()
            before = choice.input_value()
            visit.page.keyboard.press("ArrowDown")
            visit.page.wait_for_timeout(800)
            assert choice.input_value() != before


def test_a_prediction_is_locked_in_by_keyboard_and_remembered(visit):
    for box in visit.page.locator(".featlab-predict").all():
        box.scroll_into_view_if_needed()
        knob = box.locator("input[type=radio], .noUi-handle").first
        knob.focus()
        visit.page.keyboard.press("Space" if knob.get_attribute("type") == "radio" else "ArrowRight")
        box.get_by_role("button").focus()
        visit.page.keyboard.press("Enter")
        box.get_by_text("You said:").wait_for(timeout=5000)


def test_controls_and_pictures_have_names_that_can_be_read_aloud(visit):
    for box in (*visit.boxes, *visit.page.locator(".featlab-predict").all()):
        box.evaluate("box => { document.querySelectorAll('[data-axe]').forEach(e => e.removeAttribute('data-axe')); box.dataset.axe = 1; }")
        found = Axe().run(visit.page, context="[data-axe]", options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
        assert not found, [(fault["id"], fault["nodes"][0]["html"][:200], fault["nodes"][0].get("any", [{}])[:1]) for fault in found]


def test_nothing_went_wrong_and_nothing_left_this_machine(visit):
    assert not visit.watch.errors and not visit.watch.external


def test_it_is_readable_on_a_projector(visit):
    visit.page.set_viewport_size({"width": 1920, "height": 1080})
    for k, box in enumerate(visit.boxes):
        box.scroll_into_view_if_needed()
        box.screenshot(path=SHOTS / f"{visit.name}-{k}-wide.png")
        smallest = box.evaluate(
            "box => Math.min(...[...box.querySelectorAll('text')].map(t => parseFloat(getComputedStyle(t).fontSize)), 99)"
        )
        assert smallest >= 11
    visit.page.set_viewport_size({"width": 1024, "height": 900})


def test_solutions_open_too(address, chrome):
    page, watch = chrome.new_page(), browser.Watch()
    watch.over(page)
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        page.goto(f"{address}/lab/tree/solutions/{path.name}")
        page.locator(".jp-Notebook").get_by_role("heading", name="Solutions").wait_for(timeout=60_000)
    page.close()
    assert not watch.errors and not watch.external
