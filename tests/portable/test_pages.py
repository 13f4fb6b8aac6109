"""An exported page is one small file that holds what it was given, as text, and refuses what it cannot."""

import base64
import json
import re

import pytest
import torch
from hostile import HOSTILE, SCRIPT, Tags
from small import patches

import featlab as fl

DATA = patches(20)


def small(**kind):
    model = fl.cnn(size=8, classes=4, width=2, **kind)
    model.trained.fill_(True)
    return model


def held(path):
    """What a page holds for its program."""
    text = re.search(r'id="featlab-data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)[1]
    return json.loads(text)


def test_a_page_holds_models_images_labels_and_names(tmp_path):
    path = fl.export_page({"a": small(), "b": small()}, DATA, tmp_path / "page.html", steps=7, largest=1.5)
    found = held(path)
    assert [network["name"] for network in found["networks"]] == ["a", "b"]
    assert base64.b64decode(found["images"]) == DATA.images.numpy().tobytes()
    assert found["labels"] == DATA.labels.tolist() and found["classes"] == list(DATA.classes)
    assert (found["steps"], found["largest"]) == (7, 1.5)
    assert path.stat().st_size < 200_000


def test_one_model_is_the_readers_own(tmp_path):
    found = held(fl.export_page(small(), DATA, tmp_path / "page.html"))
    assert [network["name"] for network in found["networks"]] == ["your"]


def test_no_name_becomes_markup_or_ends_the_script(tmp_path):
    data = fl.Dataset(DATA.images, DATA.labels, HOSTILE)
    path = fl.export_page({SCRIPT: small()}, data, tmp_path / "page.html", title=SCRIPT)
    text = path.read_text(encoding="utf-8")
    assert text.count("</script>") == 2 and "window.owned" in text
    assert not Tags(text).found & {"img", "svg", "a"}
    assert held(path)["classes"] == list(HOSTILE)


@pytest.mark.parametrize(
    ("give", "word"),
    [
        (lambda: (small(), patches(201)), "at most 200"),
        (lambda: ({}, DATA), "give a model"),
        (lambda: (small(), patches(20, channels=2)), "channels"),
        (lambda: (fl.cnn(size=8, classes=2), DATA), "labels"),
    ],
)
def test_what_a_page_cannot_hold_is_refused(give, word, tmp_path):
    with pytest.raises(ValueError, match=word):
        fl.export_page(*give(), tmp_path / "page.html")
    assert not list(tmp_path.glob("*.html"))


def test_what_is_no_classifier_is_refused(tmp_path):
    with pytest.raises(TypeError, match="Classifier"):
        fl.export_page(torch.nn.Linear(2, 2), DATA, tmp_path / "page.html")
