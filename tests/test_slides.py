"""Fifteen slides that fit 45 minutes, with notes, numbers from the stored reports, and nothing to fetch."""

import re

import pytest

from tools import slides


@pytest.fixture(scope="module")
def page():
    return slides.page()


def test_there_are_fifteen_with_notes_that_add_up_to_the_lecture():
    made = slides.slides()
    minutes = [int(re.search(r"(\d+) minutes?\.$", notes)[1]) for _, _, notes in made]
    assert len(made) == 15 and sum(minutes) in range(43, 47)


def test_the_page_fetches_nothing_and_leaves_no_mark_unfilled(page):
    assert "{{" not in page and not re.search(r'(src|href)="https?:', page)
    assert page.count("<section") == page.count('class="notes"') == 15


def test_the_bars_are_the_stored_means(page):
    stored = slides.rows()
    for name in ("D_det", "D_det control", "D_rand", "D_R"):
        assert f"{100 * stored[name]['clean'][0]:.1f} %" in page
    width = re.search(r'<rect x="262" y="14" width="([\d.]+)"', slides.bars(["D"]))[1]
    assert float(width) == pytest.approx(600 * stored["D"]["clean"][0], abs=0.1)
