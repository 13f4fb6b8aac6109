"""Section 3.2 with a slider: real images with wrong labels, pushed until a model sees them."""

from collections.abc import Callable, Mapping

import ipywidgets as w
import plotly.graph_objects as go
import torch

from featlab import plots
from featlab.attacks import L2, PGD, check_inside
from featlab.constructed import mislabel
from featlab.inputs.checks import named, positive, whole
from featlab.inputs.markup import Markup, escaped
from featlab.plots.rows import Captions, Rows
from featlab.types import Dataset
from featlab.widgets.answers import check_finite, classes_of
from featlab.widgets.knobs import look, on_release
from featlab.widgets.live import Live
from featlab.widgets.pictures import show_strip, strip_image


class PushExplorer(Live):
    """A radius slider and a label rule: the images that `mislabel` makes of real ones, with both labels
    (section 3.2).

    model    a Classifier, which has to see the new labels
    data     the images that are mislabelled; the first `show` of them are shown
    rules    name -> label rule, such as featlab.next_labels
    largest  the slider's end, l2 in pixels of [0, 1]
    """

    says = "mislabelled images explorer"

    def __init__(
        self,
        model: torch.nn.Module,
        data: Dataset,
        rules: Mapping[str, Callable],
        *,
        largest: float = 3.0,
        steps: int = 15,
        show: int = 8,
    ):
        self.rules = named(rules, "rules")
        show, largest = whole(show, "show", least=1), positive(largest, "largest")
        self.model, self.data = model, data
        self.steps, self.shown = steps, min(show, len(data))
        self.names = classes_of(model, data)
        check_inside(largest, L2(largest).size(data.images), f"largest={largest:g}")
        check_finite(model, data)
        super().__init__()
        self.assemble(self._knobs(largest), self._picture(show), self._twin(largest))

    def _knobs(self, largest: float) -> list[w.Widget]:
        size = look(70, 330)
        eps = w.FloatSlider(1.5, min=0, max=largest, step=0.25, description="eps (l2)", **size)
        self.eps = on_release(eps)
        self.rule = w.Dropdown(options=list(self.rules), description="labels", **size)
        return [self.eps, self.rule]

    def _picture(self, show: int) -> list[w.Widget]:
        self.image, self.captions = strip_image(96, f"{100 * show}px"), w.HTML()
        return [self.image, self.captions, self.verdict]

    def push(self, eps: float, rule: str) -> Dataset:
        """The data with the labels of a rule, each image moved by up to eps (l2 in pixels of [0, 1]) towards
        its new class.
        """
        attack = PGD(L2(eps), steps=self.steps, targeted=True)
        return mislabel(self.model, self.data, self.rules[rule], attack)

    def draw(self) -> None:
        """Show what the knobs say."""
        pushed = self.push(self.eps.value, self.rule.value)
        width = show_strip(self.image, pushed.images[: self.shown])
        cell = f'<div style="width:{width // self.shown}px;line-height:1.25">'
        words = [f"{cell}<b>{new}</b><br><s>{old}</s></div>" for new, old in self._labels(pushed)]
        self.captions.value = f'<div style="display:flex;font-size:13px">{"".join(words)}</div>'
        self.verdict.value = (
            "Bold: the label it is trained with; struck out: what it shows. The model that made "
            f"them sees the new label in <b>{reached(pushed)}</b> of {len(pushed)} images."
        )

    def _labels(self, pushed: Dataset) -> list[tuple[str, str]]:
        """The new and the old label of each image shown, as markup."""
        names = [escaped(name) for name in self.names]
        pairs = zip(pushed.labels[: self.shown], self.data.labels[: self.shown], strict=True)
        return [(names[new], names[old]) for new, old in pairs]

    def _twin(self, largest: float) -> go.Figure:
        frames: list[tuple[str, str, Rows]] = []
        for quarter in range(5):
            eps = largest * quarter / 4
            pushed = {rule: self.push(eps, rule) for rule in self.rules}
            seen = ", ".join(f"{reached(made)} ({escaped(rule)})" for rule, made in pushed.items())
            rows: Rows = {escaped(rule): made.images[: self.shown] for rule, made in pushed.items()}
            frames.append((f"{eps:g}", Markup(f"The new label is seen in {seen}"), rows))
        captions: Captions = {escaped(rule): self._captions(made) for rule, made in pushed.items()}
        return plots.sliding(frames, prefix="eps = ", captions=captions, active=2)

    def _captions(self, pushed: Dataset) -> list[Markup]:
        return [Markup(f"<b>{new}</b><br>({old})") for new, old in self._labels(pushed)]


def reached(pushed: Dataset) -> str:
    """In how much of its images the model that made them sees the new label."""
    return f"{100 * pushed.report['reached'].float().mean():.0f} %"
