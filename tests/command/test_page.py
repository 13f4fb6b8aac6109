"""The page of a report stands alone."""

import re

import pytest
from small import TINY

import featlab as fl
from featlab.command import page
from featlab.engine import devices
from featlab.experiments import presets, reproduce
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent, released=False))


@pytest.fixture(scope="module")
def report(lab):
    return reproduce.report(lab)


def test_the_page_stands_alone(lab, report, tmp_path):
    page.write_html(tmp_path / "page.html", report, lab)
    text = (tmp_path / "page.html").read_text()
    assert not re.search(r"<(script|img|link)[^>]+(src|href)=[\"']?(https?:)?//", text)
    assert all(name in text for name in presets.ROWS)
    assert "data:image/png;base64," in text and report["provenance"]["torch"] in text
