"""Networks side by side: what a cell sets is the widget's state; a saved notebook holds a page of its own."""

import html
import json
import re

import pytest
from hostile import HOSTILE, SCRIPT, Tags
from small import patches

import featlab as fl
from featlab.widgets.beside import SideBySide

DATA = patches(20)


def small():
    model = fl.cnn(size=8, classes=4, width=2)
    model.trained.fill_(True)
    return model


@pytest.fixture
def both():
    return SideBySide({"a": small(), "b": small()}, DATA)


def test_what_a_cell_sets_is_where_the_sliders_are(both):
    assert both.state == {"image": 0, "eps": 0.0, "goal": -1, "against": ""}
    both.move(eps=1.5, image=19, goal=3, against="b")
    assert both.state == {"image": 19, "eps": 1.5, "goal": 3, "against": "b"}


@pytest.mark.parametrize("knob", [{"eps": 3}, {"image": 20}, {"goal": 4}, {"against": "c"}, {"speed": 1}])
def test_what_no_slider_reaches_is_refused(both, knob):
    before = dict(both.state)
    with pytest.raises(ValueError):
        both.move(**knob)
    assert both.state == before


def test_its_program_needs_no_other_file(both):
    text = both._esm
    assert "export default" in text and not re.search(r"^import ", text, re.MULTILINE)


def test_a_saved_notebook_shows_a_page_of_its_own_where_the_sliders_are(both):
    both.move(eps=1.0, image=7)
    data, _ = both._repr_mimebundle_()
    page = html.unescape(re.search(r'srcdoc="(.*?)"', data["text/html"], re.DOTALL)[1])
    held = json.loads(re.search(r'id="featlab-data">(.*?)</script>', page, re.DOTALL)[1])
    assert held["begin"] == both.state and len(held["networks"]) == 2
    assert "application/vnd.jupyter.widget-view+json" in data


def test_no_name_becomes_markup():
    shown = SideBySide({SCRIPT: small()}, fl.Dataset(DATA.images, DATA.labels, HOSTILE))
    data, _ = shown._repr_mimebundle_()
    assert Tags(data["text/html"]).found == {"iframe"}
    assert not Tags(shown.page()).found & {"img", "svg"}
