"""The static pages from the file system with the network off: small, whole, named, moving,
and right to an accessibility checker.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from featlab.command import export
from tools import browser, pages
from tools.notebook import ROOT, course

LESSONS = [path.stem for path in course()]
NAMES = ["index", *(pages.file(path).removesuffix(".html") for path in pages.notebooks())]
DRAWING = "figure => [...figure.querySelectorAll('.main-svg')].map(svg => svg.innerHTML).join()"
CUT = (
    "() => [...document.querySelectorAll('figure.plot')].filter(figure => figure.scrollWidth > "
    "figure.clientWidth).length"
)
SHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    pages.write(folder)
    return folder


@pytest.fixture(scope="module", params=NAMES)
def opened(request, site, chrome):
    context = chrome.new_context(
        viewport={"width": 1024, "height": 768}, offline=True, reduced_motion="reduce"
    )
    page, watch = context.new_page(), browser.Watch()
    watch.over(page)
    page.goto(f"file://{site / request.param}.html")
    page.wait_for_load_state()
    yield request.param, page, watch
    context.close()


def test_it_draws_every_figure_without_errors_and_without_a_network(opened, site):
    name, page, watch = opened
    plots = page.locator("figure.plot")
    for k in range(plots.count()):
        assert plots.nth(k).locator(".main-svg").count() > 0
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"page-{name}.png", full_page=True)
    assert not watch.errors and not watch.external
    assert plots.count() >= 2 or name not in LESSONS


@pytest.mark.parametrize("path", course(), ids=lambda path: path.stem)
def test_the_code_of_a_prediction_is_left_out_and_its_answer_folded(path, site):
    text = (site / f"{path.stem}.html").read_text()
    assert '<span class="n">because</span>' not in text and "<summary>Answer</summary>" in text


@pytest.mark.parametrize("path", course(), ids=lambda path: path.stem)
def test_an_exported_notebook_draws_every_figure_without_a_network(path, tmp_path, chrome):
    (tmp_path / "page.html").write_text(export.Page().from_filename(str(path))[0], encoding="utf-8")
    context, errors = chrome.new_context(offline=True), []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"file://{tmp_path / 'page.html'}")
    figures = page.locator(".plotly-graph-div")
    assert (
        figures.count() >= 2
        and all(figure.locator(".main-svg").count() for figure in figures.all())
        and not errors
    )
    context.close()


def test_it_is_small(opened, site):
    name, _, _ = opened
    shared = (site / "plotly.min.js").stat().st_size if name != "index" else 0
    assert (site / f"{name}.html").stat().st_size + shared < (1_000_000 if name == "index" else 6_000_000)


def test_its_sliders_move_their_figures_by_keyboard_or_mouse(opened):
    name, page, _ = opened
    if name == "index":
        knob, shown = page.locator("#explorer input[type=range]").first, []
        knob.focus()
        for key in ("Home", "End"):
            page.keyboard.press(key)
            page.wait_for_timeout(500)
            shown.append(page.locator("#explorer .said").text_content())
        assert shown[0].count("ankle boot") == 2 and "ankle boot" not in shown[1]
    for plot in page.locator("figure.plot:has(.slider-group)").all():
        plot.scroll_into_view_if_needed()
        before = plot.evaluate(DRAWING)
        area = plot.locator(".slider-rail-touch-rect").bounding_box()
        page.mouse.click(area["x"] + 0.9 * area["width"], area["y"] + area["height"] / 2)
        page.wait_for_timeout(300)
        page.mouse.click(area["x"] + 0.1 * area["width"], area["y"] + area["height"] / 2)
        page.wait_for_timeout(300)
        assert before != plot.evaluate(DRAWING)


def test_a_slider_of_a_figure_has_a_keyboard_twin(opened):
    _, page, _ = opened
    for plot in page.locator("figure.plot:has(.slider-group)").all():
        knob = plot.locator("input[type=range]")
        knob.focus()
        said, drawn = set(), set()
        for key in ("Home", "End"):
            page.keyboard.press(key)
            page.wait_for_timeout(300)
            said.add(knob.get_attribute("aria-valuetext"))
            drawn.add(plot.evaluate(DRAWING))
        assert len(said) == len(drawn) == 2


def test_nothing_moves_by_itself_where_less_motion_is_asked_for(opened):
    name, page, _ = opened
    moving = (
        "() => [...document.querySelectorAll('*')].filter(node => "
        "parseFloat(getComputedStyle(node).transitionDuration)).length"
    )
    slow = (
        "() => [...document.querySelectorAll('.js-plotly-plot')].filter(plot => "
        "plot.layout.sliders?.[0].transition.duration).length"
    )
    assert page.evaluate(moving) == 0 and page.evaluate(slow) == 0
    if name == "index":
        page.emulate_media(reduced_motion="no-preference")
        assert page.evaluate(moving) > 0
        page.emulate_media(reduced_motion="reduce")


def test_an_accessibility_checker_finds_nothing(opened):
    _, page, _ = opened
    found = (
        Axe()
        .run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        .response["violations"]
    )
    assert not found, [(fault["id"], len(fault["nodes"]), fault["nodes"][0]["html"][:200]) for fault in found]


def test_it_fits_1024_pixels_and_a_projector(opened):
    _, page, _ = opened
    for width in (1024, 1920):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate("document.documentElement.scrollWidth") <= width and page.evaluate(CUT) == 0
    page.set_viewport_size({"width": 1024, "height": 768})


def test_the_landing_page_attacks_in_the_page_and_holds_trials(opened):
    name, page, watch = opened
    if name != "index":
        pytest.skip("a lesson")
    assert page.evaluate("featlab.networks") == ["standard", "robust"]
    for _ in range(10):
        page.locator("#trials .side").first.click()
        if page.locator("#trials .told + button").is_visible():
            page.locator("#trials .told + button").click()
    assert "Your eyes found" in page.locator("#trials .told").text_content()
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1024, "height": 768})
    page.locator("#wall button").first.click()
    page.get_by_text("making static").first.wait_for(timeout=60_000)
    page.get_by_role("button", name="stop").click()
    assert page.locator("#wall .wall figcaption").count() == 24 and not watch.errors and not watch.external


def test_titles_and_descriptions_are_its_own(site):
    texts = [(site / f"{name}.html").read_text() for name in NAMES]
    for pattern in (r"<title>(.+?)</title>", r'name="description" content="(.+?)"'):
        found = [re.search(pattern, text)[1] for text in texts]
        assert len(set(found)) == len(NAMES) == 2 * len(LESSONS) + 1 and all(
            20 < len(words) < 400 for words in found
        )


def test_links_between_pages_lead_somewhere(site):
    for name in NAMES:
        for target in re.findall(r'href="([^":#]+\.html)"', (site / f"{name}.html").read_text()):
            assert (site / target).exists(), target
