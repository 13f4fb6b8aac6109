"""Work while it goes on: the curves of a training, and a line that fills."""

import os
import time
from collections.abc import Iterable, Iterator, Sequence

import plotly.graph_objects as go
from IPython.display import DisplayHandle

from featlab import plots
from featlab.inputs.checks import instance, whole
from featlab.training import Record, Training
from featlab.widgets.pictures import trace

CURVES = {"accuracy of the batch": "accuracy", "loss of the batch": "loss"}  # a field of Record each


def watch(training: Training, *, every: int = 10, title: str = "") -> None:
    """Train, and draw loss and accuracy as they grow; at the end a plain figure takes the live one's place.

    every  steps between two points

    With FEATLAB_MOTION=off (`fl.setup(motion=False)`) the curve appears when it is whole.
    """
    instance(training, Training, "what is watched must be a Training, fl.Training(model, data)")
    every = whole(every, "every", least=1)
    empty: dict[str, tuple[list, list]] = {name: ([], []) for name in CURVES}
    figure = go.FigureWidget(plots.curves(empty, x="step", y="", title=title))
    still = os.environ.get("FEATLAB_MOTION") == "off"
    shown = DisplayHandle()
    shown.display(Line(f"{title or 'training'} …") if still else figure)
    records = []
    for record in training:
        records.append(record)
        if record.step % every == 0 or record.step == record.steps:
            lengthen(figure, records[-every:])
    training.model.eval()
    # raw: a Figure would show itself below instead of in its place
    shown.update(go.Figure(figure)._repr_mimebundle_(), raw=True)


def lengthen(figure: go.FigureWidget, records: Sequence[Record]) -> None:
    """Give each curve one more point: the mean of the records, at the step of the last."""
    with figure.batch_update():
        for name, field in CURVES.items():
            curve = trace(figure, name)
            mean = sum(getattr(record, field) for record in records) / len(records)
            curve.x = (*(curve.x or ()), records[-1].step)
            curve.y = (*(curve.y or ()), mean)


def progress(items: Iterable, label: str, total: int) -> Iterator:
    """A Store's progress in a notebook: one line that fills, with the time left, and stays as a record of
    what was made.
    """
    total, begun = whole(total, "total"), time.monotonic()
    shown, line = begun, DisplayHandle()
    line.display(Line(f"{label} …"))
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - shown > 0.25:
            left = (now - begun) * (total - done) / done
            filled = 20 * done // total
            bar = "█" * filled + "░" * (20 - filled)
            line.update(Line(f"{label:<26}{bar} {100 * done // total:3d} %, {left:3.0f} s left"))
            shown = now
    line.update(Line(f"{label:<26}made in {time.monotonic() - begun:.1f} s"))


class Line:
    """A line of text that displays as it is."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text
