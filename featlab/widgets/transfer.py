"""Who is fooled by whose adversarial examples, with sliders: the matrix of transfer rates, and one image of
it (section 3.3).
"""

from collections.abc import Mapping, Sequence

import ipywidgets as w
import plotly.graph_objects as go
import torch
from torch import Tensor

from featlab.attacks import L2, PGD
from featlab.inputs.checks import named, numbers
from featlab.inputs.markup import escaped
from featlab.plots import transfer as plots_transfer
from featlab.training import predict
from featlab.transfer import Examples, Rate, craft
from featlab.types import Dataset
from featlab.widgets.answers import check_finite, classes_of
from featlab.widgets.knobs import growing, look
from featlab.widgets.live import Live
from featlab.widgets.pictures import pictures, show_attack, trace

# what the image shown does: whether it fools the source, and the target
SHOWN = {
    "fooled: both": (True, True),
    "fooled: source only": (True, False),
    "fooled: neither": (False, False),
    "fooled: target only": (False, True),
}
RATES, FRAME = "transfer rate, %", "source and target"  # names of the figure's traces


class TransferExplorer(Live):
    """The radius, a source and a target: all transfer rates, and images that fool both, one or neither.

    models  name -> Classifier; each is source and target
    data    the images attacked, once for each source and radius when the explorer is made
    radii   positions of the slider, l2 in pixels of [0, 1]
    rates   radius -> source -> target -> Rate
    """

    says = "transfer matrix explorer"

    def __init__(
        self,
        models: Mapping[str, torch.nn.Module],
        data: Dataset,
        *,
        radii: Sequence[float] = (0, 0.5, 1, 1.5, 2, 3),
        steps: int = 10,
        gain: float = 5.0,
    ):
        named(models, "the models that transfer to each other", 2)
        if not numbers(radii, "radii"):
            raise ValueError(f"radii are the positions of a slider, one at least, got {radii!r}")
        self.names = check_models(models, data)
        self.models, self.data = dict(models), data
        self.radii, self.gain = tuple(radii), gain
        self.crafted = {eps: self._craft(eps, steps) for eps in self.radii}
        self.rates = {eps: self._rates(eps) for eps in self.radii}
        super().__init__()
        middle = len(self.radii) // 2
        knobs = self._knobs(middle)
        self.assemble(knobs, self._picture(), self._twin(middle))

    def _craft(self, eps: float, steps: int) -> dict[str, Examples]:
        attack = PGD(L2(eps), steps=steps if eps else 0)
        return {name: craft(model, self.data, attack) for name, model in self.models.items()}

    def _rates(self, eps: float) -> dict[str, dict[str, Rate]]:
        return {
            source: {target: examples.rate(model) for target, model in self.models.items()}
            for source, examples in self.crafted[eps].items()
        }

    def _knobs(self, middle: int) -> list[w.Widget]:
        """Those above the picture; `kind` and `number` stand beside it."""
        size, names = growing(272, 290, "60px"), list(self.models)
        radii = [(f"{eps:g}", eps) for eps in self.radii]
        self.eps = w.SelectionSlider(options=radii, index=middle, description="eps (l2)", **size)
        self.source = w.Dropdown(options=names, value=names[0], description="source", **size)
        self.target = w.Dropdown(options=names, value=names[-1], description="target", **size)
        self.kind = w.Dropdown(
            options=list(SHOWN), value="fooled: source only", description="show", **look(60, 290)
        )
        self.number = w.IntSlider(0, min=0, max=9, description="image", **look(60, 290))
        return [self.eps, self.source, self.target]

    def _picture(self) -> list[w.Widget]:
        matrix = plots_transfer.transfer_matrix(self.rates[self.eps.value], title="Transfer rate, %")
        matrix.update_traces(name=RATES, selector={"type": "heatmap"})
        matrix.update_traces(name=FRAME, selector={"type": "scatter"})
        self.figure = go.FigureWidget(matrix)
        self.pictures, boxes = pictures(["image", f"change x {self.gain:g}", "x'"], 112)
        self.opinions = w.HTML()
        column = [self.kind, self.number, w.HBox(boxes), self.opinions]
        one = w.VBox(column, layout={"width": "380px", "overflow": "hidden"})
        return [w.HBox([self.figure, one]), self.verdict]

    def _twin(self, middle: int) -> go.Figure:
        frames = [(f"{eps:g}", rates) for eps, rates in self.rates.items()]
        return plots_transfer.matrix_twin(frames, active=middle)

    def wire(self) -> None:
        self.when([*self.knobs, self.kind, self.number], self.draw)

    def examples(self) -> Examples:
        """Those of the chosen source at the chosen radius."""
        return self.crafted[self.eps.value][self.source.value]

    def chosen(self) -> Tensor:
        """Numbers (m,) of the images, right for both models, whose examples fool both, one or neither, as
        `show` says.
        """
        examples = self.examples()
        fools_source, fools_target = SHOWN[self.kind.value]
        source = examples.succeeds(self.models[self.source.value]) == fools_source
        target = examples.succeeds(self.models[self.target.value]) == fools_target
        return (self.counted() & source & target).nonzero().flatten()

    def counted(self) -> Tensor:
        """(n,) bool: the images that the chosen source and target both get right."""
        return self.examples().counted(self.models[self.target.value])

    def draw(self) -> None:
        """Show what the knobs say."""
        eps, source, target = self.eps.value, self.source.value, self.target.value
        cells, frame = trace(self.figure, RATES), trace(self.figure, FRAME)
        with self.figure.batch_update():
            cells.z, cells.text = plots_transfer.matrix_cells(self.rates[eps])
            frame.x, frame.y = [escaped(target)], [escaped(source)]
        fooled = f"At eps {eps:g} examples of <b>{escaped(source)}</b> fool <b>{escaped(target)}</b>"
        rate = self.rates[eps][source][target]
        self.verdict.value = f"{fooled} in {rate}, of the images that both get right."
        self._draw_one()

    def _draw_one(self) -> None:
        """One of the chosen images, and what source and target see in it."""
        found, note = self.chosen(), ""
        if not len(found):
            found = self.counted().nonzero().flatten()
            note = f"None of these images is <i>{self.kind.value}</i>. Here is another one:<br>"
        index = int(found[self.number.value % len(found)])
        x, z = self.data.pixels[index], self.examples().images[index]
        show_attack(self.pictures, x, z, gain=self.gain, zoom=4)
        real = escaped(self.names[int(self.data.labels[index])])
        lines = [
            f"Image {index}, one of {len(found)}: a real <b>{real}</b>.",
            self._opinion(self.source.value, "for which x' was made", z),
            self._opinion(self.target.value, "which meets it", z),
        ]
        self.opinions.value = note + "<br>".join(lines)

    def _opinion(self, name: str, role: str, z: Tensor) -> str:
        """What a model sees in an image (c, h, w), as markup."""
        [label] = predict(self.models[name], z[None])
        return f"<i>{escaped(name)}</i>, {role}, sees: <b>{escaped(self.names[int(label)])}</b>"


def check_models(models: Mapping[str, torch.nn.Module], data: Dataset) -> list[str]:
    """The names of the classes; refuses a model that cannot be asked about the images."""
    for name, model in models.items():
        names = classes_of(model, data, f"the model {name!r}")
        check_finite(model, data, f"the model {name!r}")
    return names
