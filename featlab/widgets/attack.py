"""Section 2 with a slider: one image, attacked now."""

from collections.abc import Sequence

import ipywidgets as w
import plotly.graph_objects as go
import torch
from torch import Tensor

from featlab import plots
from featlab.attacks import L2, PGD, check_inside
from featlab.engine import freezing
from featlab.inputs.checks import positive
from featlab.inputs.markup import Markup, escaped
from featlab.types import Dataset
from featlab.widgets.answers import belief, classes_of
from featlab.widgets.knobs import image_slider, look
from featlab.widgets.live import WRAP, Live
from featlab.widgets.pictures import pictures, show_attack, trace

BELIEF = "probability"  # the name of the bars


class AttackExplorer(Live):
    """An eps slider that attacks a real image now, and shows it, the perturbation amplified, and what the
    model believes.

    model    a Classifier
    data     where the images come from
    largest  the slider's end, l2 in pixels of [0, 1]
    """

    says = "attack explorer"

    def __init__(
        self,
        model: torch.nn.Module,
        data: Dataset,
        *,
        largest: float = 2.0,
        steps: int = 30,
        gain: float = 5.0,
        index: int = 0,
    ):
        largest = positive(largest, "largest")
        self.model, self.data = model, data
        self.steps, self.gain = steps, positive(gain, "gain")
        self.names = classes_of(model, data)
        check_inside(largest, L2(largest).size(data.images), f"largest={largest:g}")
        super().__init__()
        knobs = self._knobs(largest, index)
        self.assemble(knobs, self._picture(), self._twin(largest))

    def _knobs(self, largest: float, index: int) -> list[w.Widget]:
        size = look(60, 276)
        scale = {"min": 0, "max": largest, "step": largest / 20, "readout_format": ".2f"}
        self.eps = w.FloatSlider(0, description="eps (l2)", **scale, **size)
        self.image = image_slider(index, self.data, 100, description="image", **size)
        goals = [(f"towards {name}", label) for label, name in enumerate(self.names)]
        goals = [("away from its class", -1), *goals]
        self.towards = w.Dropdown(options=goals, value=-1, description="goal", **size)
        return [self.eps, self.image, self.towards]

    def _picture(self) -> list[w.Widget]:
        words = ["image", f"perturbation x {self.gain:g}", "attacked image"]
        self.pictures, boxes = pictures(words, 160)
        self.bars = go.FigureWidget(belief_bars(self.names))
        return [w.HBox([*boxes, self.bars], layout=WRAP), self.verdict]

    def _twin(self, largest: float) -> go.Figure:
        panels = []
        for tenth in range(11):
            eps = largest * tenth / 10
            x, z, p, label = self.attack(eps, self.image.value, -1)
            panel = plots.attack_panel(x, z, p, self.names, label=label, gain=self.gain)
            panels.append((f"{eps:.2g}", panel))
        title = Markup(f"Attacked with a growing radius: {escaped(self.names[label])}")
        return plots.attack_steps(panels, title=title, gain=self.gain, active=5)

    def attack(self, eps: float, index: int, towards: int) -> tuple[Tensor, Tensor, Tensor, int]:
        """The image (c, h, w), the attacked image, the class probabilities (k,) there, the true label.

        eps      l2 in pixels of [0, 1]
        towards  the class that the attack aims at, or -1: away from its own
        """
        one = self.data[index]
        goal = one.labels if towards < 0 else torch.full_like(one.labels, towards)
        attack = PGD(L2(eps), steps=self.steps, targeted=towards >= 0)
        z = attack(self.model, one.pixels, goal)
        with torch.no_grad():
            p = freezing.frozen(self.model)(z).softmax(1)
        return one.pixels[0], z[0], p[0], int(one.labels)

    def draw(self) -> None:
        """Attack the image as the knobs say, and show it."""
        x, z, p, label = self.attack(self.eps.value, self.image.value, self.towards.value)
        show_attack(self.pictures, x, z, gain=self.gain)
        percent = (100 * p.detach().cpu()).tolist()
        bars = trace(self.bars, BELIEF)
        with self.bars.batch_update():
            bars.x, bars.text = percent, [f"{value:.0f}" for value in percent]
            bars.marker = marking(label, len(percent))
        true = f"True class: <b>{escaped(self.names[label])}</b> (solid bar)."
        self.verdict.value = f"{true} {belief(p, self.names, label)}"


def belief_bars(names: Sequence[str]) -> go.Figure:
    """A lying bar for each class, still empty."""
    figure = go.Figure()
    figure.add_bar(
        name=BELIEF,
        x=[0.0] * len(names),
        y=[escaped(name) for name in names],
        orientation="h",
        textposition="outside",
        cliponaxis=False,
    )
    figure.update_layout(
        template="featlab",
        width=285,
        height=max(270, 70 + 15 * len(names)),
        margin={"l": 85, "r": 30, "t": 30, "b": 45},
        title={"text": "the model believes", "font": {"size": 15}},
    )
    figure.update_xaxes(range=[0, 115], title="probability, %")
    return figure.update_yaxes(autorange="reversed", tickfont={"size": 12})


def marking(label: int, classes: int) -> dict:
    """How the bars of an image of class `label` are told apart, as in `plots.attack_panel`: its own is solid,
    the others are hatched.
    """
    colours, shapes = [plots.ORANGE] * classes, ["/"] * classes
    colours[label], shapes[label] = plots.BLUE, ""
    pattern = {"shape": shapes, "bgcolor": colours, "fgcolor": "white", "size": 8, "solidity": 0.2}
    return {"color": colours, "pattern": pattern}
