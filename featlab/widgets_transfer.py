"""Who is fooled by whose adversarial examples, with sliders: the matrix of transfer rates, and one image of it (section 3.3)."""

from collections.abc import Mapping, Sequence

import ipywidgets as w
import plotly.graph_objects as go
import torch
from torch import Tensor

from featlab import plots, plots_transfer
from featlab.attacks import L2, PGD
from featlab.training import predict
from featlab.transfer import Examples, Rate, craft
from featlab.types import Dataset
from featlab.widgets import UNSMOOTHED, Live, guarded, names_of, picture

SHOWN = ("fooled: both", "fooled: source only", "fooled: neither", "fooled: target only")


class TransferExplorer(Live):
    """The radius, a source and a target: all transfer rates, and images that fool both, one or neither.

    models  name -> Classifier; each is source and target
    data    the images attacked, once for each source and radius when the explorer is made
    radii   positions of the slider, l2 in pixels of [0, 1]
    """

    def __init__(
        self,
        models: Mapping[str, torch.nn.Module],
        data: Dataset,
        *,
        radii: Sequence[float] = (0, 0.5, 1, 1.5, 2, 3),
        steps: int = 10,
        gain: float = 5.0,
    ):
        if len(models) < 2:
            raise ValueError(f"transfer needs at least two models, got {len(models)}")
        self.models, self.data, self.gain, self.radii = dict(models), data, gain, tuple(radii)
        attacks = {eps: PGD(L2(eps), steps=steps if eps else 0) for eps in self.radii}
        self.made = {(name, eps): craft(model, data, attacks[eps]) for name, model in self.models.items() for eps in self.radii}
        self.rates = {eps: self._rates(eps) for eps in self.radii}
        self.seen = {name: predict(model, data.images) for name, model in self.models.items()}
        names, middle = list(self.models), len(self.radii) // 2
        wide = {"style": {"description_width": "60px"}, "layout": w.Layout(width="290px")}
        self.eps = w.SelectionSlider(options=[(f"{eps:g}", eps) for eps in self.radii], index=middle, description="eps (l2)", **wide)
        self.source = w.Dropdown(options=names, value=names[0], description="source", **wide)
        self.target = w.Dropdown(options=names, value=names[-1], description="target", **wide)
        self.kind = w.Dropdown(options=SHOWN, value=SHOWN[1], description="show", **wide)
        self.number = w.IntSlider(0, min=0, max=9, description="image", **wide)
        self.pictures, boxes = zip(*(picture(name, 112) for name in ("image", f"change x {gain:g}", "x'")), strict=True)
        self.figure = go.FigureWidget(plots_transfer.matrix(self.rates[self.eps.value], title="Transfer rate, %"))
        self.verdict, self.opinions, self.message = w.HTML(), w.HTML(), w.HTML()
        one = w.VBox([self.kind, self.number, w.HBox(boxes), self.opinions], layout=w.Layout(width="380px", overflow="hidden"))
        knobs = w.HBox([self.eps, self.source, self.target])
        twin = plots_transfer.matrix_twin([(f"{eps:g}", rates) for eps, rates in self.rates.items()], active=middle)
        super().__init__(
            [w.HTML(UNSMOOTHED), knobs, w.HBox([self.figure, one]), self.verdict, self.message], twin, "transfer matrix explorer"
        )
        for knob in (self.eps, self.source, self.target, self.kind, self.number):
            knob.observe(guarded(self.draw, self.message), "value")
        self.draw()

    def _rates(self, eps: float) -> dict[str, dict[str, Rate]]:
        return {name: {other: self.made[name, eps].rate(model) for other, model in self.models.items()} for name in self.models}

    def examples(self) -> Examples:
        """Those of the chosen source at the chosen radius."""
        return self.made[self.source.value, self.eps.value]

    def chosen(self) -> Tensor:
        """Numbers of the images, right for both models, whose examples fool both, one or neither, as `show` says."""
        made, source, target = self.examples(), self.models[self.source.value], self.models[self.target.value]
        first, second = made.succeeds(source), made.succeeds(target)
        kinds = dict(zip(SHOWN, (first & second, first & ~second, ~first & ~second, ~first & second), strict=True))
        return (made.counted(target) & kinds[self.kind.value]).nonzero().flatten()

    def draw(self) -> None:
        """Show what the knobs say."""
        eps, source, target = self.eps.value, self.source.value, self.target.value
        values, words = plots_transfer.cells(self.rates[eps])
        with self.figure.batch_update():
            self.figure.data[0].z, self.figure.data[0].text = values, words
            self.figure.data[1].x, self.figure.data[1].y = [target], [source]
        rate = self.rates[eps][source][target]
        self.verdict.value = (
            f"At eps {eps:g} examples of <b>{source}</b> fool <b>{target}</b> in {rate}, of the images that both get right."
        )
        found, note = self.chosen(), ""
        if not len(found):
            found, note = (
                self.examples().counted(self.models[target]).nonzero().flatten(),
                f"None of these images is <i>{self.kind.value}</i>. Here is another one:<br>",
            )
        self._show(found, note)

    def _show(self, found: Tensor, note: str) -> None:
        index = found[self.number.value % len(found)]
        x, z = self.data.pixels[index], self.examples().images[index]
        for widget, shown in zip(self.pictures, (x, plots.perturbation(z - x, self.gain), z), strict=True):
            widget.value = plots.png(shown, zoom=4)
        names = names_of(self.data)
        lines = [f"Image {int(index)}, one of {len(found)}: a real <b>{names[int(self.data.labels[index])]}</b>."]
        for name, role in ((self.source.value, "for which x' was made"), (self.target.value, "which meets it")):
            lines.append(f"<i>{name}</i>, {role}, sees: <b>{names[int(predict(self.models[name], z[None])[0])]}</b>")
        self.opinions.value = note + "<br>".join(lines)
