"""Predictions are kept by question, beside all others, or it is said why not."""

import json

import pytest

from featlab.widgets.predictions import keep, predictions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path))
    return tmp_path


def test_what_is_kept_is_there_until_it_is_forgotten(folder):
    assert predictions() == {} and keep("one?", "a") == keep("two?", 3.5) == ""
    assert predictions() == {"one?": "a", "two?": 3.5}
    assert json.loads((folder / "predictions.json").read_text()) == predictions()
    keep("one?", None)
    assert predictions() == {"two?": 3.5}


def test_a_file_that_is_none_of_predictions_is_as_good_as_none(folder):
    (folder / "predictions.json").write_text("[1, 2]")
    assert predictions() == {}
    keep("one?", 2)
    assert predictions() == {"one?": 2}


def test_what_cannot_be_written_holds_in_this_kernel_and_is_said(folder, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("FEATLAB_CACHE", str(folder / "file"))
    sentence = keep("one?", "a")
    assert "only until the kernel ends" in sentence and "FEATLAB_CACHE" in sentence
    assert predictions() == {"one?": "a"}
    keep("one?", None)
    assert predictions().get("one?") is None
    monkeypatch.setenv("FEATLAB_CACHE", str(folder))
    assert predictions() == {}  # of another folder
