"""Section 3.1 with a slider: an image on its way to one that a model cannot tell from another."""

from collections.abc import Mapping

import ipywidgets as w
import plotly.graph_objects as go
import torch
from torch import Tensor

from featlab import plots
from featlab.constructed import Inversion
from featlab.inputs.checks import named, whole
from featlab.inputs.markup import Markup, escaped
from featlab.types import Dataset, Representing
from featlab.widgets.answers import check_represents
from featlab.widgets.knobs import image_slider, look, on_release
from featlab.widgets.live import WRAP, Live
from featlab.widgets.pictures import pictures, show


class InversionExplorer(Live):
    """A slider over the steps of `robustify`: from another image to one that a model cannot tell from the
    target (section 3.1).

    models  name -> Classifier, one row each
    data    targets and beginnings are taken from its images
    ways    name -> images (steps + 1, 1, c, h, w) and distances left (steps + 1, 1), a share of ||g(x)||
    """

    says = "inversion explorer"

    def __init__(self, models: Mapping[str, Representing], data: Dataset, *, steps: int = 30, index: int = 0):
        self.steps = whole(steps, "steps", least=1)
        for name, model in named(models, "models").items():
            check_represents(model, f"the model {name!r}")
        self.models, self.data = models, data
        super().__init__()
        knobs = self._knobs(index)
        self.follow()
        self.assemble(knobs, self._picture(), self._twin())

    def _knobs(self, index: int) -> list[w.Widget]:
        size = look(90, 300)
        self.step = w.IntSlider(0, min=0, max=self.steps, description="step", **size)
        self.target = on_release(image_slider(index, self.data, 40, description="target x", **size))
        last = self.target.max
        start = w.IntSlider(
            min(self.target.value + 7, last), min=0, max=last, description="beginning x'", **size
        )
        self.start = on_release(start)
        return [self.step, self.target, self.start]

    def _picture(self) -> list[w.Widget]:
        names = ["target x", "beginning x'", *(f"z: {name} model" for name in self.models)]
        self.pictures, boxes = pictures(names, 180)
        return [w.HBox(boxes, layout=WRAP), self.verdict]

    def wire(self) -> None:
        self.when([self.step], self.draw)
        self.when([self.target, self.start], self.follow, self.draw)

    def follow(self) -> None:
        """Compute the ways for the chosen target and beginning."""
        x = self.data[self.target.value].pixels
        start = self.data[self.start.value].pixels
        self.ends = [x[0], start[0]]
        self.ways = {name: Inversion(self.steps).path(model, x, start) for name, model in self.models.items()}

    def draw(self) -> None:
        """Show the step that the slider says."""
        at = self.step.value
        show(self.pictures, [*self.ends, *(images[at, 0] for images, _ in self.ways.values())])
        left = [f"{share} for the {name} model" for name, share in self._left(at).items()]
        self.verdict.value = (
            f"Distance of representations left after {at} steps, as a share of ||g(x)||: {', '.join(left)}."
        )

    def _left(self, at: int) -> dict[str, str]:
        """The distance left at a step, in words, by the names of the models as markup."""
        return {escaped(name): in_percent(distances[at, 0]) for name, (_, distances) in self.ways.items()}

    def _twin(self) -> go.Figure:
        frames = []
        for at in range(0, self.steps + 1, max(1, self.steps // 10)):
            left = ", ".join(f"{share} ({name})" for name, share in self._left(at).items())
            title = Markup(f"After {at} steps: distance left {left}")
            frames.append((str(at), title, self._rows(at)))
        return plots.sliding(frames, prefix="step ", active=len(frames) - 1)

    def _rows(self, at: int) -> dict[str, Tensor]:
        """For each model the target, the beginning and the image at a step: (3, c, h, w)."""
        return {
            Markup(f"target x, beginning x&#39;,<br>z of the {escaped(name)} model"): torch.stack(
                [*self.ends, images[at, 0]]
            )
            for name, (images, _) in self.ways.items()
        }


def in_percent(share: Tensor) -> str:
    """A share, a scalar, in words: NaN and infinity are no finite number."""
    return f"{100 * share:.0f} %" if share.isfinite() else "no finite number"
