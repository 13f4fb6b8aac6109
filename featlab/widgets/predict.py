"""A question before the answer: choose, lock it in, and only then see.

It remembers, and it never stops a notebook that runs through.
"""

from collections.abc import Sequence
from typing import Any

import ipywidgets as w

from featlab.course.alt import NAMED
from featlab.inputs.checks import between, instance
from featlab.inputs.markup import escaped
from featlab.plots import WIDTH
from featlab.widgets.live import view
from featlab.widgets.predictions import Answer, keep, predictions


def check_choices(choices: object) -> tuple[float, float] | None:
    """The two ends of a slider, or None if the choices are words that differ; a ValueError for all else."""
    if isinstance(choices, list | tuple) and len(choices) > 1:
        if all(isinstance(choice, str) for choice in choices) and len(set(choices)) == len(choices):
            return None
        numbers = all(isinstance(end, int | float) for end in choices)
        if numbers and len(choices) == 2 and choices[0] < choices[1]:
            return choices[0], choices[1]
    raise ValueError(
        f"choices are words that differ, two or more, or a number's (least, most); got {choices!r}"
    )


class Predict(w.VBox):
    """A question with choices or a slider; the answer appears when a prediction is locked in.

        Predict("How far must a boot move?", ["about 9", "about 4", "about 1"], answer="about 1", because="It
        is fragile.")
        guess = Predict("How many % of real clothes will it get right?", (0, 100))    # the answer is measured
                                                                                      later:
        guess.reveal(43.6)

    choices  words to choose from, or (least, most) of a number
    answer   one of the words, or a number; None if a later cell measures it and calls `reveal`
    because  a sentence that is shown with the answer
    guess    what the reader locked in, kept across runs and kernels until `forget`; None before

    In a cell that is run through nothing waits: without a prediction there is simply none to compare with.
    Where no kernel runs (a saved page) the question, the choices and the folded answer are shown as text.
    """

    def __init__(
        self,
        question: str,
        choices: Sequence[str] | tuple[float, float],
        *,
        answer: Answer | None = None,
        because: str = "",
    ):
        if not instance(question, str, "the question must be a text").strip():
            raise ValueError(
                f"the question is what a prediction is kept by: it must say something, got {question!r}"
            )
        self.ends = check_choices(choices)
        self.words = [choice for choice in choices if isinstance(choice, str)]  # of a slider none
        self.question, self.because = question, because
        self.answer = None if answer is None else self._check(answer)
        self.knob = self._slider(*self.ends) if self.ends else self._buttons()
        self.guess = self._recall()
        if self.guess is not None:
            self.knob.value = self.guess
        super().__init__(self._column())
        self.add_class("featlab-predict")
        self.lock.on_click(self.take)
        self.draw()

    def _check(self, answer: Answer) -> Answer:
        """The answer, if the choices allow it."""
        if self.ends:
            return between(answer, "the answer to a question with a slider")
        if answer not in self.words:
            raise ValueError(
                f"the answer {answer!r} is not among the choices {self.words}: write it as one of them"
            )
        return answer

    def _slider(self, least: float, most: float) -> w.Widget:
        size = {"style": {"description_width": "initial"}, "layout": {"width": "450px"}}
        ends = {"min": least, "max": most, "description": "I say", **size}
        if isinstance(least, int) and isinstance(most, int):
            return w.IntSlider((least + most) // 2, **ends)
        return w.FloatSlider((least + most) / 2, step=(most - least) / 100, **ends)

    def _buttons(self) -> w.Widget:
        layout = {"width": "max-content", "max_width": f"{WIDTH - 20}px"}
        return w.RadioButtons(options=self.words, value=None, layout=layout)

    def _column(self) -> list[w.Widget]:
        """The question over the knob, the lock, and room for what is said."""
        asked = w.HTML(f"<b>{escaped(self.question)}</b>")
        self.lock = w.Button(layout={"width": "190px"}, button_style="primary")
        self.said, self.message = w.HTML(), w.HTML()
        return [asked, self.knob, self.lock, self.said, self.message, w.HTML(NAMED)]

    def _recall(self) -> Answer | None:
        """What the reader predicted earlier, if it still is an answer to the question."""
        guess = predictions().get(self.question)
        if not self.ends:
            return guess if isinstance(guess, str) and guess in self.words else None
        kind = int if isinstance(self.knob, w.IntSlider) else int | float
        if not isinstance(guess, kind) or isinstance(guess, bool):
            return None
        least, most = self.ends
        return guess if least <= guess <= most else None

    def take(self, _: object = None) -> None:
        """Lock in what the knob says."""
        if self.knob.value is None:
            self.said.value = "Choose one first."
            return
        self.guess = self.knob.value
        self.draw()
        self._say(keep(self.question, self.guess))

    def forget(self) -> None:
        """Ask anew. Where that cannot be written it is said, here and under the question."""
        self.guess = None
        self.draw()
        unwritten = keep(self.question, None)
        self._say(unwritten)
        if unwritten:
            print(unwritten)

    def _say(self, sentence: str) -> None:
        self.message.value = f"<b>Note</b>: {escaped(sentence)}" if sentence else ""

    def draw(self) -> None:
        """Show the prediction, and the answer if there is a prediction to hold against it."""
        locked = self.guess is not None
        self.knob.disabled = self.lock.disabled = locked
        self.lock.description = "Locked in" if locked else "Lock in my prediction"
        self.said.value = "" if self.guess is None else self._response(self.guess)

    def _response(self, guess: Answer) -> str:
        """What is said of a prediction, as markup."""
        said = f"You said: <b>{escaped(_words(guess))}</b>."
        if self.answer is None:
            return f"{said} Now run on: a cell below measures it."
        return f"{said} {verdict(self.answer, guess)} {escaped(self.because)}"

    def reveal(self, answer: Answer, because: str = "") -> None:
        """Say what was measured, and hold the prediction against it.

        Without a prediction it prints the answer only.
        """
        self.answer, self.because = self._check(answer), because or self.because
        self.draw()
        guess = "" if self.guess is None else f"   you said: {_words(self.guess)}"
        print(f"measured: {_words(answer)}{guess}")

    _ipython_display_ = None  # as for Live

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**view(self), "text/html": self.page(), "text/plain": f"predict: {self.question}"}

    def page(self) -> str:
        """The question as HTML for a page without a kernel: nothing to click but the folded answer."""
        if self.ends:
            least, most = map(_words, self.ends)
            offered = f"from {least} to {most}"
        else:
            offered = " · ".join(self.words)
        told = "A cell below measures it."
        if self.answer is not None:
            told = f"{escaped(_words(self.answer))}. {escaped(self.because)}".strip()
        folded = f"<details><summary>Answer</summary><p>{told}</p></details>"
        return f"<p><strong>{escaped(self.question)}</strong><br>{escaped(offered)}</p>{folded}"


def verdict(answer: Answer, guess: Answer) -> str:
    """What holds, and how far the prediction was from it, as markup."""
    true = f"Answer: <b>{escaped(_words(answer))}</b>."
    if isinstance(answer, str) or isinstance(guess, str):
        return true + (" That is what you said." if answer == guess else " So not what you said.")
    return f"{true} You were {abs(answer - guess):.3g} away."


def _words(value: Answer) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
