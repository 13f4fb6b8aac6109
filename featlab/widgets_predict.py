"""A question before the answer: choose, lock it in, and only then see. It remembers, and it never stops a notebook that runs through."""

import html
import json
from collections.abc import Sequence

import ipywidgets as w

from featlab import files
from featlab.alt import NAMED
from featlab.plots import WIDTH
from featlab.widgets import guarded, view

Answer = str | float


def _kept() -> dict[str, Answer]:
    """All predictions made so far on this machine, by question; none if the file is not there or not readable."""
    try:
        return dict(json.loads((files.cache_folder() / "predictions.json").read_text()))
    except (OSError, ValueError):
        return {}


def _keep(predictions: dict[str, Answer]) -> None:
    with files.replacing(files.cache_folder() / "predictions.json") as temporary:
        temporary.write_text(json.dumps(predictions, indent=1))


class Predict(w.VBox):
    """A question with choices or a slider; the answer appears when a prediction is locked in.

        Predict("How far must a boot move?", ["about 9", "about 4", "about 1"], answer="about 1", because="It is fragile.")
        guess = Predict("How many % of real clothes will it get right?", (0, 100))    # the answer is measured later:
        guess.reveal(43.6)

    choices  words to choose from, or (least, most) of a number
    answer   one of the words, or a number; None if a later cell measures it and calls `reveal`
    because  a sentence that is shown with the answer
    guess    what the reader locked in, kept across runs and kernels until `forget`; None before

    In a cell that is run through nothing waits: without a prediction there is simply none to compare with. Where no kernel runs (a saved
    page) the question, the choices and the folded answer are shown as text.
    """

    def __init__(self, question: str, choices: Sequence[str] | tuple[float, float], *, answer: Answer | None = None, because: str = ""):
        self.question, self.choices, self.answer, self.because = question, choices, answer, because
        self.numeric = not isinstance(choices[0], str)
        if answer is not None and not self.numeric and answer not in choices:
            raise ValueError(f"the answer {answer!r} is not among the choices {list(choices)}: write it as one of them")
        self.knob = self._slider() if self.numeric else self._buttons()
        self.lock = w.Button(description="Lock in my prediction", layout=w.Layout(width="190px"), button_style="primary")
        self.said, self.message = w.HTML(), w.HTML()
        self.guess = self._remembered()
        if self.guess is not None:
            self.knob.value = self.guess
        super().__init__([w.HTML(f"<b>{html.escape(question)}</b>"), self.knob, self.lock, self.said, self.message, w.HTML(NAMED)])
        self.add_class("featlab-predict")
        self.lock.on_click(guarded(self.take, self.message))
        self.draw()

    def _slider(self) -> w.Widget:
        least, most = self.choices
        whole = isinstance(least, int) and isinstance(most, int)
        kind, step = (w.IntSlider, 1) if whole else (w.FloatSlider, (most - least) / 100)
        wide = {"style": {"description_width": "initial"}, "layout": w.Layout(width="450px")}
        return kind((least + most) // 2 if whole else (least + most) / 2, min=least, max=most, step=step, description="I say", **wide)

    def _buttons(self) -> w.Widget:
        return w.RadioButtons(options=list(self.choices), value=None, layout=w.Layout(width="max-content", max_width=f"{WIDTH - 20}px"))

    def _remembered(self) -> Answer | None:
        guess = _kept().get(self.question)
        fits = isinstance(guess, int | float) and self.choices[0] <= guess <= self.choices[1] if self.numeric else guess in self.choices
        return guess if fits else None

    def take(self, _=None) -> None:
        """Lock in what the knob says."""
        if self.knob.value is None:
            self.said.value = "Choose one first."
            return
        self.guess = self.knob.value
        _keep(_kept() | {self.question: self.guess})
        self.draw()

    def forget(self) -> None:
        """Ask anew."""
        predictions = _kept()
        predictions.pop(self.question, None)
        _keep(predictions)
        self.guess = None
        self.draw()

    def draw(self) -> None:
        """Show the prediction, and the answer if there is a prediction to hold against it."""
        locked = self.guess is not None
        self.knob.disabled = self.lock.disabled = locked
        self.lock.description = "Locked in" if locked else "Lock in my prediction"
        words = [f"You said: <b>{_shown(self.guess)}</b>."] if locked else []
        if locked and self.answer is not None:
            words.append(f"{self.verdict()} {html.escape(self.because)}")
        elif locked:
            words.append("Now run on: a cell below measures it.")
        self.said.value = " ".join(words)

    def verdict(self) -> str:
        """What holds, and how far the prediction was from it."""
        true = f"Answer: <b>{_shown(self.answer)}</b>."
        if self.numeric:
            return f"{true} You were {abs(self.answer - self.guess):.3g} away."
        return true + (" That is what you said." if self.answer == self.guess else " So not what you said.")

    def reveal(self, answer: Answer, because: str = "") -> None:
        """Say what was measured, and hold the prediction against it. Without a prediction it prints the answer only."""
        self.answer, self.because = answer, because or self.because
        self.draw()
        print(f"measured: {_shown(answer)}" + ("" if self.guess is None else f"   you said: {_shown(self.guess)}"))

    _ipython_display_ = None  # as for Live

    def _repr_mimebundle_(self, **options):
        return {**view(self), "text/html": self.page(), "text/plain": f"predict: {self.question}"}

    def page(self) -> str:
        """The question as HTML for a page without a kernel: nothing to click but the folded answer."""
        offered = f"from {_shown(self.choices[0])} to {_shown(self.choices[1])}" if self.numeric else " · ".join(self.choices)
        known = self.answer is not None
        told = f"{_shown(self.answer)}. {html.escape(self.because)}" if known else "A cell below measures it."
        folded = f"<details><summary>Answer</summary><p>{told.strip()}</p></details>"
        return f"<p><strong>{html.escape(self.question)}</strong><br>{html.escape(offered)}</p>{folded}"


def _shown(value: Answer) -> str:
    return html.escape(value) if isinstance(value, str) else f"{value:.4g}"
