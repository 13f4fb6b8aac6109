"""Live pictures: the only room that knows ipywidgets. Each has a static twin that works without a kernel."""

import html
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import ipywidgets as w
import plotly.graph_objects as go
import torch
from IPython.display import DisplayHandle
from torch import Tensor

from featlab import engine, plots
from featlab.alt import NAMED
from featlab.attacks import L2, PGD
from featlab.constructed import inversion, mislabel
from featlab.training import Training
from featlab.types import Dataset

WRAP = {"flex_flow": "row wrap"}  # on a narrow page what does not fit goes below
UNSMOOTHED = "<style>.featlab-pixels {image-rendering: pixelated}</style>"


def view(widget: w.Widget) -> dict[str, dict]:
    """What a notebook's page needs to show a widget, of ipywidgets 7 or 8."""
    return {"application/vnd.jupyter.widget-view+json": {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}


class Live(w.VBox):
    """Widgets in a column, with `twin`, a plain plotly figure that is shown where no kernel runs (a saved page, nbconvert)."""

    def __init__(self, children: Sequence[w.Widget], twin: go.Figure, says: str):
        super().__init__([*children, w.HTML(NAMED)])
        self.add_class("featlab-live")
        self.twin, self.says = twin, says

    _ipython_display_ = None  # by which ipywidgets 7 (Colab) would show itself, without the twin

    def _repr_mimebundle_(self, **options):
        return {**self.twin._repr_mimebundle_(), **view(self), "text/plain": self.says}


def names_of(data: Dataset) -> list[str]:
    """The classes' names, or their numbers if they have none."""
    return [*data.classes] or [str(i) for i in range(data.num_classes)]


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
    return image, w.VBox([w.HTML(f"<b>{name}</b>"), image], layout=w.Layout(margin="0 10px 0 0", flex="0 0 auto", overflow="hidden"))


class AttackExplorer(Live):
    """An eps slider that attacks a real image now, and shows it, the perturbation amplified, and what the model believes.

    model    a Classifier
    data     where the images come from
    largest  the slider's end, l2 in pixels of [0, 1]
    """

    def __init__(self, model: torch.nn.Module, data: Dataset, *, largest: float = 2.0, steps: int = 30, gain: float = 5.0, index: int = 0):
        self.model, self.data, self.steps, self.gain = model, data, steps, gain
        names = names_of(data)
        wide = {"style": {"description_width": "60px"}, "layout": w.Layout(width="276px")}
        self.eps = w.FloatSlider(0, min=0, max=largest, step=largest / 20, description="eps (l2)", readout_format=".2f", **wide)
        self.image = w.IntSlider(index, min=0, max=min(len(data), 100) - 1, description="image", **wide)
        self.towards = w.Dropdown(
            options=[("away from its class", -1), *((f"towards {n}", i) for i, n in enumerate(names))], value=-1, description="goal", **wide
        )
        self.message, self.verdict = w.HTML(), w.HTML()
        self.pictures, boxes = zip(*(picture(name, 160) for name in ("image", f"perturbation x {gain:g}", "attacked image")), strict=True)
        self.bars = go.FigureWidget(self._bars(names))
        style = w.HTML(UNSMOOTHED)
        knobs = w.HBox([self.eps, self.image, self.towards], layout=WRAP)
        super().__init__(
            [style, knobs, w.HBox([*boxes, self.bars], layout=WRAP), self.verdict, self.message],
            self._twin(names, largest, index),
            "attack explorer",
        )
        for knob in (self.eps, self.image, self.towards):
            knob.observe(guarded(self.draw, self.message), "value")
        self.draw()

    def _bars(self, names: Sequence[str]) -> go.Figure:
        figure = go.Figure(go.Bar(x=[0.0] * len(names), y=list(names), orientation="h", textposition="outside", cliponaxis=False))
        figure.update_layout(
            template="featlab",
            width=285,
            height=270,
            margin={"l": 85, "r": 30, "t": 30, "b": 45},
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
            return x[0], z[0], engine.frozen(self.model)(z).softmax(1)[0], int(one.labels)

    def draw(self) -> None:
        """Show what the knobs say."""
        x, z, p, label = self.attack(self.eps.value, self.image.value, self.towards.value)
        for widget, shown in zip(self.pictures, (x, plots.perturbation(z - x, self.gain), z), strict=True):
            widget.value = plots.png(shown)
        bar = plots.attack_panel(x, z, p, self.bars.data[0].y, label=label, gain=self.gain)[3]
        with self.bars.batch_update():
            self.bars.data[0].x, self.bars.data[0].text, self.bars.data[0].marker = bar.x, bar.text, bar.marker
        top, names = int(p.argmax()), self.bars.data[0].y
        kind = "right" if top == label else "fooled"
        self.verdict.value = (
            f"True class: <b>{names[label]}</b> (solid bar). The model says <b>{names[top]}</b> with {100 * p[top]:.0f} %: {kind}."
        )

    def _twin(self, names: Sequence[str], largest: float, index: int) -> go.Figure:
        panels = []
        for i in range(11):
            eps = largest * i / 10
            x, z, p, label = self.attack(eps, index, -1)
            panels.append((f"{eps:.2g}", plots.attack_panel(x, z, p, names, label=label, gain=self.gain)))
        return plots.attack_steps(panels, title=f"Attacked with a growing radius: {names[label]}", gain=self.gain, active=5)


def watch(training: Training, *, every: int = 10, title: str = "") -> None:
    """Train, and draw loss and accuracy as they grow; at the end a plain figure takes the live one's place.

    every  steps between two points

    With FEATLAB_MOTION=off (`fl.setup(motion=False)`) the curve appears when it is whole.
    """
    figure = go.FigureWidget(plots.curves({"accuracy of the batch": ([], []), "loss of the batch": ([], [])}, x="step", y="", title=title))
    shown, still = DisplayHandle(), os.environ.get("FEATLAB_MOTION") == "off"
    shown.display(_Line(f"{title or 'training'} …") if still else figure)
    records = []
    for record in training:
        records.append(record)
        if record.step % every == 0 or record.step == record.steps:
            last = records[-every:]
            mean = [sum(r.accuracy for r in last) / len(last), sum(r.loss for r in last) / len(last)]
            with figure.batch_update():
                for trace, value in zip(figure.data, mean, strict=True):
                    trace.x, trace.y = (*(trace.x or ()), record.step), (*(trace.y or ()), value)
    training.model.eval()
    shown.update(go.Figure(figure)._repr_mimebundle_(), raw=True)  # raw: a Figure would show itself below instead of in its place


def progress(items: Iterable, label: str, total: int) -> Iterator:
    """A Store's progress in a notebook: one line that fills, with the time left, and stays as a record of what was made."""
    begun = shown = time.monotonic()
    line = DisplayHandle()
    line.display(_Line(f"{label} …"))
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now - shown > 0.25:
            left = (now - begun) * (total - done) / done
            filled = "█" * (20 * done // total) + "░" * (20 - 20 * done // total)
            line.update(_Line(f"{label:<26}{filled} {100 * done // total:3d} %, {left:3.0f} s left"))
            shown = now
    line.update(_Line(f"{label:<26}made in {time.monotonic() - begun:.1f} s"))


class _Line:
    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


class InversionExplorer(Live):
    """A slider over the steps of `robustify`: from another image to one that a model cannot tell from the target (section 3.1).

    models  name -> Classifier, one row each
    data    targets and beginnings are taken from its images
    """

    def __init__(self, models: dict[str, torch.nn.Module], data: Dataset, *, steps: int = 30, index: int = 0):
        self.models, self.data, self.steps, last = models, data, steps, min(len(data), 40) - 1
        wide = {"style": {"description_width": "90px"}, "layout": w.Layout(width="300px")}
        self.step = w.IntSlider(0, min=0, max=steps, description="step", **wide)
        self.target = w.IntSlider(index, min=0, max=last, description="target x", continuous_update=False, **wide)
        self.start = w.IntSlider(min(index + 7, last), min=0, max=last, description="beginning x'", continuous_update=False, **wide)
        self.message, self.verdict = w.HTML(), w.HTML()
        names = ("target x", "beginning x'", *(f"z: {name} model" for name in models))
        self.pictures, boxes = zip(*(picture(name, 180) for name in names), strict=True)
        style = w.HTML(UNSMOOTHED)
        self.follow()
        knobs = w.HBox([self.step, self.target, self.start], layout=WRAP)
        super().__init__([style, knobs, w.HBox(boxes, layout=WRAP), self.verdict, self.message], self._twin(), "inversion explorer")
        self.step.observe(guarded(self.draw, self.message), "value")
        for knob in (self.target, self.start):
            knob.add_class("featlab-released")  # computes when let go: the browser's test allows it more time
            knob.observe(guarded(lambda: (self.follow(), self.draw()), self.message), "value")
        self.draw()

    def follow(self) -> None:
        """Compute the ways anew, for the chosen target and beginning."""
        x, start = self.data[self.target.value].pixels, self.data[self.start.value].pixels
        self.ways = {name: inversion(model, x, start, steps=self.steps) for name, model in self.models.items()}
        self.ends = (x[0], start[0])

    def draw(self) -> None:
        """Show the step that the slider says."""
        at = self.step.value
        for widget, shown in zip(self.pictures, (*self.ends, *(way[at, 0] for way, _ in self.ways.values())), strict=True):
            widget.value = plots.png(shown)
        words = ", ".join(f"{100 * distance[at, 0]:.0f} % for the {name} model" for name, (_, distance) in self.ways.items())
        self.verdict.value = f"Distance of representations left after {at} steps, as a share of ||g(x)||: {words}."

    def _twin(self) -> go.Figure:
        frames = []
        for at in range(0, self.steps + 1, max(1, self.steps // 10)):
            left = ", ".join(f"{100 * distance[at, 0]:.0f} % ({name})" for name, (_, distance) in self.ways.items())
            rows = {
                f"target x, beginning x',<br>z of the {name} model": torch.stack([*self.ends, way[at, 0]])
                for name, (way, _) in self.ways.items()
            }
            frames.append((str(at), f"After {at} steps: distance left {left}", rows))
        return plots.sliding(frames, prefix="step ", active=len(frames) - 1)


class PushExplorer(Live):
    """A radius slider and a label rule: the images that `mislabel` makes of real ones, with both labels (section 3.2)."""

    def __init__(
        self, model: torch.nn.Module, data: Dataset, rules: dict[str, Callable], *, largest: float = 3.0, steps: int = 15, show: int = 8
    ):
        self.model, self.data, self.rules, self.steps, self.shown = model, data, rules, steps, min(show, len(data))
        self.names = names_of(data)
        wide = {"style": {"description_width": "70px"}, "layout": w.Layout(width="330px")}
        self.eps = w.FloatSlider(1.5, min=0, max=largest, step=0.25, description="eps (l2)", continuous_update=False, **wide)
        self.eps.add_class("featlab-released")
        self.rule = w.Dropdown(options=list(rules), description="labels", **wide)
        self.image = w.Image(format="png", layout=w.Layout(width=f"{100 * show}px", height="96px"))
        self.image.add_class("featlab-pixels")
        self.captions, self.verdict, self.message = w.HTML(), w.HTML(), w.HTML()
        style = w.HTML(UNSMOOTHED)
        children = [style, w.HBox([self.eps, self.rule], layout=WRAP), self.image, self.captions, self.verdict, self.message]
        super().__init__(children, self._twin(largest), "mislabelled images explorer")
        for knob in (self.eps, self.rule):
            knob.observe(guarded(self.draw, self.message), "value")
        self.draw()

    def push(self, eps: float, rule: str) -> Dataset:
        """The data, pushed."""
        return mislabel(self.model, self.data, self.rules[rule], PGD(L2(eps), steps=self.steps, targeted=True))

    def draw(self) -> None:
        """Show what the knobs say."""
        pushed = self.push(self.eps.value, self.rule.value)
        strip = plots.strip(pushed.images[: self.shown], gap=5)
        self.image.value = plots.png(strip)
        self.image.layout.width = f"{strip.shape[2]}px"
        names, cell = self.names, strip.shape[2] // self.shown
        pairs = zip(pushed.labels[: self.shown], self.data.labels, strict=False)
        words = "".join(f'<div style="width:{cell}px;line-height:1.25"><b>{names[t]}</b><br><s>{names[y]}</s></div>' for t, y in pairs)
        self.captions.value = f'<div style="display:flex;font-size:13px">{words}</div>'
        reached = 100 * pushed.report["reached"].float().mean()
        self.verdict.value = (
            "Bold: the label it is trained with; struck out: what it shows. "
            f"The model that made them sees the new label in <b>{reached:.0f} %</b> of {len(pushed)} images."
        )

    def _twin(self, largest: float) -> go.Figure:
        frames = []
        for i in range(5):
            eps = largest * i / 4
            pushed = {rule: self.push(eps, rule) for rule in self.rules}
            seen = ", ".join(f"{100 * made.report['reached'].float().mean():.0f} % ({rule})" for rule, made in pushed.items())
            frames.append(
                (f"{eps:g}", f"The new label is seen in {seen}", {rule: made.images[: self.shown] for rule, made in pushed.items()})
            )
        captions = {}
        for rule, made in pushed.items():
            pairs = zip(made.labels[: self.shown], self.data.labels, strict=False)
            captions[rule] = [f"<b>{self.names[t]}</b><br>({self.names[y]})" for t, y in pairs]
        return plots.sliding(frames, prefix="eps = ", captions=captions, active=2)
