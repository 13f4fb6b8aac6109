"""A prediction is remembered, the answer is hidden until it is locked in, and nothing waits for it."""

import subprocess
import sys

import pytest

from featlab.widgets.predict import Predict

WORDS = ("How far?", ["about 9", "about 1"])


def test_the_answer_is_hidden_until_a_prediction_is_locked_in():
    asked = Predict(*WORDS, answer="about 1", because="It is fragile.")
    assert asked.guess is None and "fragile" not in asked.said.value
    asked.lock.click()
    assert asked.guess is None and "Choose" in asked.said.value
    asked.knob.value = "about 9"
    assert "fragile" not in asked.said.value
    asked.lock.click()
    assert (
        "You said: <b>about 9</b>" in asked.said.value
        and "not what you said" in asked.said.value
        and "fragile" in asked.said.value
    )
    assert asked.knob.disabled and asked.lock.disabled


def test_it_remembers_across_kernels_and_can_forget():
    first = Predict("How many %?", (0, 100), answer=43.6)
    first.knob.value = 20
    first.lock.click()
    again = Predict("How many %?", (0, 100), answer=43.6)
    assert again.guess == 20 and again.knob.value == 20 and "23.6 away" in again.said.value
    assert Predict("Another?", (0, 100)).guess is None
    again.forget()
    assert not again.knob.disabled and Predict("How many %?", (0, 100)).guess is None


def test_a_measured_answer_is_revealed_with_and_without_a_prediction(capsys):
    asked = Predict("How many %?", (0, 100))
    asked.reveal(43.6)
    assert capsys.readouterr().out == "measured: 43.6\n" and asked.said.value == ""
    asked.knob.value = 40
    asked.lock.click()
    assert "3.6 away" in asked.said.value
    asked.reveal(43.6)
    assert capsys.readouterr().out == "measured: 43.6   you said: 40\n"


def test_a_spoilt_memory_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path))
    (tmp_path / "predictions.json").write_text("{half")
    asked = Predict(*WORDS, answer="about 1")
    asked.knob.value = "about 1"
    asked.lock.click()
    assert Predict(*WORDS).guess == "about 1"


def test_a_question_that_changed_its_choices_is_asked_anew():
    asked = Predict(*WORDS)
    asked.knob.value = "about 9"
    asked.lock.click()
    assert Predict(WORDS[0], ["about 2", "about 1"]).guess is None
    assert Predict(WORDS[0], (0, 5)).guess is None


def test_without_a_kernel_it_is_text_with_a_folded_answer():
    shown = Predict("Is 1 < 2?", ["yes", "no"], answer="yes", because="1 & 1 is 2.")._repr_mimebundle_()
    assert shown["text/plain"] == "predict: Is 1 < 2?"
    assert (
        "1 &lt; 2" in shown["text/html"]
        and "<details>" in shown["text/html"]
        and "1 &amp; 1" in shown["text/html"]
    )
    assert "A cell below measures it" in Predict("How many?", (0, 9))._repr_mimebundle_()["text/html"]


def test_an_answer_that_is_no_choice_is_refused():
    with pytest.raises(ValueError, match="not among the choices"):
        Predict(*WORDS, answer="about 2")


ASK = """
import sys
from featlab.widgets.predict import Predict
for i in range(30):
    asked = Predict(f"{sys.argv[1]} {i}?", (0, 100))
    asked.knob.value = i
    asked.take()
"""


def test_predictions_of_notebooks_at_once_are_all_kept():
    begun = [subprocess.Popen([sys.executable, "-c", ASK, name]) for name in ("one", "two")]
    assert [process.wait() for process in begun] == [0, 0]
    assert [Predict(f"{name} {i}?", (0, 100)).guess for name in ("one", "two") for i in range(30)] == [
        *range(30)
    ] * 2


def test_a_prediction_that_cannot_be_kept_holds_in_this_notebook_and_it_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "file" / "cache"))
    asked = Predict(*WORDS, answer="about 1")
    asked.knob.value = "about 1"
    asked.lock.click()
    assert asked.guess == "about 1" and "That is what you said" in asked.said.value
    assert "until the kernel ends" in asked.message.value and "FEATLAB_CACHE" in asked.message.value


def test_what_is_asked_and_answered_is_text_and_printed_as_it_is(capsys):
    asked = Predict(
        "<img src=x> & 'why'?", ["<b>a</b>", "b"], answer="<b>a</b>", because="<script>1</script>"
    )
    asked.knob.value = "<b>a</b>"
    asked.lock.click()
    shown = asked.said.value + asked.children[0].value + asked._repr_mimebundle_()["text/html"]
    assert "<b>a" not in shown and "<img" not in shown and "<script" not in shown
    asked.reveal("<b>a</b>")
    assert capsys.readouterr().out == "measured: <b>a</b>   you said: <b>a</b>\n"
    asked.forget()


@pytest.mark.parametrize("spoilt", [
    "null", "[]", "3", '"text"', "[" * 100_000, '{"How many %?": ' * 50_000, '{"How many %?": null}',
    '{"How many %?": [1]}',
    '{"How many %?": true}', '{"How many %?": 1e999}', '{"How many %?": NaN}',
    '{"How many %?": ' + "9" * 400 + "}",
    '{"How many %?": 20.5}', '{"How many %?": -1}', '{"How many %?": {}}',
])  # fmt: skip
def test_whatever_lies_where_predictions_are_kept_is_no_prediction_and_no_obstacle(
    spoilt, tmp_path, monkeypatch
):
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path))
    (tmp_path / "predictions.json").write_text(spoilt)
    asked = Predict("How many %?", (0, 100), answer=43)
    assert asked.guess is None
    asked.knob.value = 20
    asked.lock.click()
    assert Predict("How many %?", (0, 100)).guess == 20


def test_where_predictions_cannot_be_written_the_kernel_remembers(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "file"))
    asked = Predict(*WORDS, answer="about 1")
    asked.knob.value = "about 1"
    asked.lock.click()
    assert Predict(*WORDS).guess == "about 1"
    again = Predict(*WORDS)
    again.forget()  # no traceback: a cell that says it goes on
    said = capsys.readouterr().out
    assert (
        said.count("\n") == 1
        and "could not be written (File exists)" in said
        and said.strip() in again.message.value
    )
    assert Predict(*WORDS).guess is None
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "writable"))
    again.forget()
    assert not again.message.value and not capsys.readouterr().out
