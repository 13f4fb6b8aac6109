"""What all live pictures are made of: knobs over a picture, words for those who do not see it, a message for
what goes wrong, and a twin that needs no kernel.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w
import plotly.graph_objects as go

from featlab.course.alt import NAMED
from featlab.inputs.markup import escaped

WRAP = {"flex_flow": "row wrap"}  # on a narrow page what does not fit goes below
UNSMOOTHED = "<style>.featlab-pixels {image-rendering: pixelated}</style>"


def view(widget: w.Widget) -> dict[str, dict]:
    """What a notebook's page needs to show a widget, of ipywidgets 7 or 8."""
    model = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": model}


class Live(w.VBox):
    """Knobs in a row over a picture; `draw` shows what they say, and runs again when one of them moves.

    says     what stands for the widget in plain text
    widest   the widest row of knobs, where they grow with the page
    verdict  what the picture shows, in words; a widget puts it below its picture, or beside it
    message  the error or the warning of the last move, if there was one
    twin     a plain plotly figure, shown where no kernel runs (a stored notebook, an export)

    A subclass checks its arguments, calls this constructor, and then `assemble` with what it has made.
    """

    says: str
    widest: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.add_class("featlab-live")
        self.verdict, self.message = w.HTML(), w.HTML()

    def assemble(self, knobs: Sequence[w.Widget], picture: Sequence[w.Widget], twin: go.Figure) -> None:
        """Lay out the knobs in a row and the parts of the picture below it, wire the knobs, draw once."""
        self.knobs, self.twin = list(knobs), twin
        row = w.HBox(knobs, layout={**WRAP, "max_width": self.widest})
        self.children = [w.HTML(UNSMOOTHED), row, *picture, self.message, w.HTML(NAMED)]
        self.wire()
        self.draw()

    def wire(self) -> None:
        """Each knob draws; a widget whose knobs change a part of the picture only says here which."""
        self.when(self.knobs, self.draw)

    def when(self, knobs: Sequence[w.Widget], *responses: Callable[[], None]) -> None:
        """Respond to each move of one of the knobs; what goes wrong then is shown in `message`."""

        def respond() -> None:
            for response in responses:
                response()

        for knob in knobs:
            knob.observe(guard(respond, self.message), "value")

    def draw(self) -> None:
        """Show what the knobs say."""
        raise NotImplementedError

    _ipython_display_ = None  # by which ipywidgets 7 (Colab) would show itself, without the twin

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**self.twin._repr_mimebundle_(), **view(self), "text/plain": self.says}


def guard(respond: Callable[[], None], message: w.HTML) -> Callable[..., None]:
    """A knob's callback whose exception, or warning, is shown in `message`; by itself it would vanish."""

    def guarded(_: object = None) -> None:
        lines = []
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                respond()
            except Exception as error:
                lines = [f"<b>{escaped(type(error).__name__)}</b>: {escaped(error)}"]
        notes = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
        lines += [f"<b>Note</b>: {escaped(note)}" for note in dict.fromkeys(notes)]
        message.value = "<br>".join(lines)

    return guarded
