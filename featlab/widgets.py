"""Live pictures: the only room that knows ipywidgets. Each has a static twin that works without a kernel."""

import html
from collections.abc import Callable, Sequence

import ipywidgets as w
import plotly.graph_objects as go
import torch
from torch import Tensor

from featlab import plots
from featlab.attacks import L2, PGD
from featlab.training import Training
from featlab.types import Dataset


class Live(w.VBox):
    """Widgets in a column, with `twin`, a plain plotly figure that is shown where no kernel runs (a saved page, GitHub's viewers, nbconvert)."""

    def __init__(self, children: Sequence[w.Widget], twin: go.Figure, says: str):
        super().__init__(children)
        self.twin, self.says = twin, says

    def _repr_mimebundle_(self, **options):
        live = super()._repr_mimebundle_(**options) or {}
        live = live[0] if isinstance(live, tuple) else live
        plain = self.twin._repr_mimebundle_()
        return {**plain, **live, "text/plain": self.says}


def guarded(callback: Callable[[], None], message: w.HTML) -> Callable:
    """A slider callback whose exception is shown in `message`; by itself it would vanish."""

    def called(_=None) -> None:
        try:
            callback()
            message.value = ""
        except Exception as error:
            message.value = f"<b>{type(error).__name__}</b>: {html.escape(str(error))}"

    return called


def picture(name: str, width: int = 196) -> tuple[w.Image, w.VBox]:
    """An image of fixed size with its name above, unsmoothed."""
    image = w.Image(format="png", layout=w.Layout(width=f"{width}px", height=f"{width}px"))
    image.add_class("featlab-pixels")
    return image, w.VBox([w.HTML(f"<b>{name}</b>"), image], layout=w.Layout(margin="0 10px 0 0"))


class AttackExplorer(Live):
    """An eps slider that attacks a real image now, and shows it, the perturbation amplified, and what the model believes.

    model    a Classifier
    data     where the images come from
    largest  the slider's end, l2 in pixels of [0, 1]
    """

    def __init__(self, model: torch.nn.Module, data: Dataset, *, largest: float = 2.0, steps: int = 30, gain: float = 5.0, index: int = 0):
        self.model, self.data, self.steps, self.gain = model, data, steps, gain
        names = [*data.classes] or [str(i) for i in range(data.num_classes)]
        wide = {"style": {"description_width": "60px"}, "layout": w.Layout(width="290px")}
        self.eps = w.FloatSlider(0, min=0, max=largest, step=largest / 20, description="eps (l2)", readout_format=".2f", **wide)
        self.image = w.IntSlider(index, min=0, max=min(len(data), 100) - 1, description="image", **wide)
        self.towards = w.Dropdown(
            options=[("away from its class", -1), *((f"towards {n}", i) for i, n in enumerate(names))], value=-1, description="goal", **wide
        )
        self.message, self.verdict = w.HTML(), w.HTML()
        self.pictures, boxes = zip(*(picture(name) for name in ("image", f"perturbation x {gain:g}", "attacked image")), strict=True)
        self.bars = go.FigureWidget(self._bars(names))
        style = w.HTML("<style>.featlab-pixels {image-rendering: pixelated}</style>")
        knobs = w.HBox([self.eps, self.image, self.towards])
        super().__init__(
            [style, knobs, w.HBox([*boxes, self.bars]), self.verdict, self.message], self._twin(names, largest, index), "attack explorer"
        )
        for knob in (self.eps, self.image, self.towards):
            knob.observe(guarded(self.draw, self.message), "value")
        self.draw()

    def _bars(self, names: Sequence[str]) -> go.Figure:
        figure = go.Figure(go.Bar(x=[0.0] * len(names), y=list(names), orientation="h", textposition="outside", cliponaxis=False))
        figure.update_layout(
            template="featlab",
            width=310,
            height=285,
            margin={"l": 90, "r": 30, "t": 30, "b": 45},
            title={"text": "the model believes", "font": {"size": 15}},
        )
        figure.update_xaxes(range=[0, 115], title="probability, %")
        return figure.update_yaxes(autorange="reversed", tickfont={"size": 12})

    def attack(self, eps: float, index: int, towards: int) -> tuple[Tensor, Tensor, Tensor, int]:
        """The image, the attacked image, the class probabilities there, the true label."""
        one = self.data[index]
        goal = one.labels if towards < 0 else torch.full_like(one.labels, towards)
        x = one.pixels
        z = PGD(L2(eps), steps=self.steps, targeted=towards >= 0)(self.model, x, goal)
        with torch.no_grad():
            return x[0], z[0], self.model(z).softmax(1)[0], int(one.labels)

    def draw(self) -> None:
        """Show what the knobs say."""
        x, z, p, label = self.attack(self.eps.value, self.image.value, self.towards.value)
        for widget, shown in zip(self.pictures, (x, plots.perturbation(z - x, self.gain), z), strict=True):
            widget.value = plots.png(shown, zoom=7)
        bar = plots.attack_panel(x, z, p, self.bars.data[0].y, label=label, gain=self.gain)[3]
        with self.bars.batch_update():
            self.bars.data[0].x, self.bars.data[0].text, self.bars.data[0].marker = bar.x, bar.text, bar.marker
        top, names = int(p.argmax()), self.bars.data[0].y
        kind = "right" if top == label else "fooled"
        self.verdict.value = (
            f"It is a <b>{names[label]}</b> (solid bar). The model says <b>{names[top]}</b> with {100 * p[top]:.0f} %: {kind}."
        )

    def _twin(self, names: Sequence[str], largest: float, index: int) -> go.Figure:
        panels = []
        for i in range(11):
            eps = largest * i / 10
            x, z, p, label = self.attack(eps, index, -1)
            panels.append((f"{eps:.2g}", plots.attack_panel(x, z, p, names, label=label, gain=self.gain)))
        return plots.attack_steps(panels, title=f"A {names[label]}, attacked with a growing radius", gain=self.gain, active=5)


def watch(training: Training, *, every: int = 10, title: str = "") -> go.FigureWidget | None:
    """Train, and draw loss and accuracy as they grow: the last expression of a cell shows the finished curve.

    every  steps between two points
    """
    from IPython.display import display

    figure = go.FigureWidget(plots.curves({"accuracy of the batch": ([], []), "loss of the batch": ([], [])}, x="step", y="", title=title))
    display(figure)
    records = []
    for record in training:
        records.append(record)
        if record.step % every == 0 or record.step == record.steps:
            mean = [sum(r.accuracy for r in records[-every:]) / every, sum(r.loss for r in records[-every:]) / every]
            with figure.batch_update():
                for trace, value in zip(figure.data, mean, strict=True):
                    trace.x, trace.y = (*(trace.x or ()), record.step), (*(trace.y or ()), value)
    training.model.eval()
