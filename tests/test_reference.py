"""The API reference: every module has a page, every public name stands on the first, legends are lists,
and nothing is fetched.
"""

import re

import pytest

import featlab

reference = pytest.importorskip("tools.reference", reason="pip install pdoc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    before = list(featlab.__all__)
    reference.write(folder)
    assert featlab.__all__ == before
    return folder


def test_every_module_has_a_page_and_the_first_shows_each_public_name(folder):
    for name in reference.modules():
        assert (folder / f"{name.replace('.', '/')}.html").is_file(), name
    first = (folder / "featlab.html").read_text(encoding="utf-8")
    for name in featlab.__all__:
        assert f'id="{name}"' in first, name
    assert 'href="featlab/attacks.html"' in first
    assert first.count("<strong>Example</strong>") == len(featlab.__all__)
    assert "Example" not in (featlab.PGD.__doc__ or "")


def test_nothing_is_fetched(folder):
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img)[^>]*(src|href)="https?:', text), path


def test_a_legend_becomes_a_list_and_a_formula_stays():
    legend = "x      pixels\n       (n, c, h, w)\nsteps  how many"
    text = f"What.\n\n    a = b  c\n\n{legend}\n\nIt raises, and  so on"
    assert reference.legends(text) == (
        "What.\n\n    a = b  c\n\n- `x`: pixels (n, c, h, w)\n- `steps`: how many\n\nIt raises, and  so on"
    )
