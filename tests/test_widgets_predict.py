"""A prediction is remembered, the answer is hidden until it is locked in, and nothing waits for it."""

import pytest

from featlab.widgets_predict import Predict

WORDS = ("How far?", ["about 9", "about 1"])


def test_the_answer_is_hidden_until_a_prediction_is_locked_in():
    asked = Predict(*WORDS, answer="about 1", because="It is fragile.")
    assert asked.guess is None and "fragile" not in asked.said.value
    asked.lock.click()
    assert asked.guess is None and "Choose" in asked.said.value
    asked.knob.value = "about 9"
    assert "fragile" not in asked.said.value
    asked.lock.click()
    assert "You said: <b>about 9</b>" in asked.said.value and "not what you said" in asked.said.value and "fragile" in asked.said.value
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
    assert "1 &lt; 2" in shown["text/html"] and "<details>" in shown["text/html"] and "1 &amp; 1" in shown["text/html"]
    assert "A cell below measures it" in Predict("How many?", (0, 9))._repr_mimebundle_()["text/html"]


def test_an_answer_that_is_no_choice_is_refused():
    with pytest.raises(ValueError, match="not among the choices"):
        Predict(*WORDS, answer="about 2")
