"""Section 2 with sliders: the feature spectrum with its units to look into, and Goh's containment."""

from collections.abc import Callable, Mapping

import ipywidgets as w
import numpy as np
import plotly.graph_objects as go
import torch
from plotly.callbacks import Points
from torch import Tensor

from featlab import plots
from featlab.attacks import L2
from featlab.features import Linear, Units, check_linear, closed_form, kind, mixture, values
from featlab.features.spectrum import Spectrum
from featlab.inputs.checks import positive
from featlab.inputs.markup import escaped
from featlab.models import Classifier
from featlab.plots import features as plots_features
from featlab.types import Dataset
from featlab.widgets.knobs import growing, image_slider, length
from featlab.widgets.live import WRAP, Live
from featlab.widgets.pictures import pictures, show_attack, show_strip, strip_image, trace
from featlab.widgets.sliders import Sliders
from featlab.widgets.units import check_spectra, hover, lower_unit, unit_standing, weight_bars

_WIDE = {**WRAP, "max_width": "940px", "overflow": "hidden"}
CLOSED = {"flex": "0 0 auto", "overflow": "hidden"}  # as wide as it is said to be


class SpectrumExplorer(Live):
    """Every unit of some networks as points (rho, gamma); an eps slider moves them all, and a chosen one
    shows what it is.

    Choose a unit by clicking on a point, or with the knobs. Below the figure: the images on which it is
    greatest and least, its head weights, and, attacked now, the perturbation within eps that turns it against
    the chosen class on one image.

    models   name -> Classifier; spectra  name -> its Spectrum;  data  where the images come from
    """

    says = "feature spectrum explorer"
    widest = "940px"

    def __init__(
        self,
        models: Mapping[str, Classifier],
        spectra: Mapping[str, Spectrum],
        data: Dataset,
        *,
        eps: float = 0.0,
        show: int = 7,
    ):
        check_spectra(models, spectra, data)
        self.models, self.spectra = dict(models), dict(spectra)
        self.data, self.count, self.names = data, show, plots.names_of(data)
        self.activations = {name: values(Units(model), data.pixels) for name, model in models.items()}
        super().__init__()
        last = min(found.radii[-1] for found in spectra.values())
        knobs = self._knobs(eps, last)
        self.assemble(knobs, [*self._points(eps), *self._unit()], self._twin(last))

    def _knobs(self, eps: float, last: float) -> list[w.Widget]:
        """Those above the picture, at the heaviest unit of the first network; `image` stands beside it."""
        size, names = growing(190, 420), list(self.models)
        weight = self.spectra[names[0]].w
        unit, towards = np.unravel_index(np.abs(weight).argmax(), weight.shape)
        classes = [(name, label) for label, name in enumerate(self.names)]
        self.eps = w.FloatSlider(
            eps, min=0, max=last, step=0.05, description="eps (l2)", readout_format=".2f", **size
        )
        self.network = w.Dropdown(options=names, description="network", **size)
        self.unit = w.IntSlider(int(unit), min=0, max=len(weight) - 1, description="unit", **size)
        self.towards = w.Dropdown(options=classes, value=int(towards), description="class", **size)
        self.image = image_slider(0, self.data, 100, description="image", layout={"width": "300px"})
        fitting = (self.data.labels[: self.image.max + 1] == towards).nonzero()
        self.image.value = int(fitting[0]) if len(fitting) else 0
        return [self.eps, self.network, self.unit, self.towards]

    def _points(self, eps: float) -> list[w.Widget]:
        figure = plots_features.feature_spectrum(self.spectra, eps)
        for annotation in figure.layout.annotations[: len(self.spectra)]:
            annotation.text = ""  # said in html above: a figure whose words change is drawn twice
        figure.update_layout(margin_t=25, height=405)
        figure.add_shape(plots_features.RING)
        self.figure = go.FigureWidget(figure)
        self.ring = self.figure.layout.shapes[-1]
        self.points = [trace(self.figure, escaped(name)) for name in self.spectra]
        for name, points in zip(self.spectra, self.points, strict=True):
            points.text = hover(self.spectra[name], self.names)
            points.hovertemplate = "%{text}<br>rho %{x:.2f}, gamma %{y:.2f}<extra></extra>"
            points.on_click(self._click(name))
        self.headings = [w.HTML(layout={"flex": "1 1 0"}) for _ in self.spectra]
        above = {"width": f"{plots.WIDTH}px", "padding": "0 0 0 60px"}
        return [w.HBox(self.headings, layout=above), self.figure]

    def _unit(self) -> list[w.Widget]:
        """Room for what the chosen unit is: its images and weights, and the attack on it."""
        self.most, self.least = strip_image(64), strip_image(64)
        self.about, self.weights = w.HTML(), w.HTML()
        self.pictures, boxes = pictures(["image", "perturbation x 5", "attacked"], 112)
        ends = [w.HTML("<b>greatest on</b>"), self.most, w.HTML("<b>least on</b>"), self.least]
        strips = w.VBox(ends, layout={"width": "510px", **CLOSED})
        title = w.HTML("<b>head weights</b> (of the standardised unit)")
        head = w.VBox([title, self.weights], layout={"overflow": "hidden"})
        words = w.VBox([self.image, self.verdict], layout={"width": "440px", **CLOSED})
        rows = [[strips, head], [*boxes, words]]
        return [self.about, *(w.HBox(row, layout=_WIDE) for row in rows)]

    def _twin(self, last: float) -> go.Figure:
        radii = [eps for eps in (0, 0.25, 0.5, 1.0) if eps <= last]
        return plots_features.spectrum_twin(self.spectra, radii, len(radii) // 2)

    def wire(self) -> None:
        self.when([self.eps], self.fall, self.flip)
        self.when([self.image], self.flip)
        self.when([self.network, self.unit, self.towards], self.choose)

    def _click(self, name: str) -> Callable:
        """What a click on a point of a network does: it chooses the point's unit and class."""

        def click(_trace: object, points: Points, _state: object) -> None:
            if points.point_inds:
                at = int(plots_features.drawn_points(self.spectra[name])[points.point_inds[0]])
                self.network.value = name
                self.unit.value, self.towards.value = divmod(at, len(self.names))

        return click

    def draw(self) -> None:
        """Show the points at the slider's eps, and the chosen unit."""
        self.fall()
        self.choose()

    @property
    def point(self) -> tuple[str, int, int]:
        """The chosen network, unit and class."""
        return self.network.value, self.unit.value, self.towards.value

    def fall(self) -> None:
        """Move all points to the slider's eps, and the ring with its point."""
        eps = self.eps.value
        shown = zip(self.spectra.items(), self.points, self.headings, strict=True)
        with self.figure.batch_update():
            for (name, found), points, heading in shown:
                points.y = plots_features.heights(found, eps)
                heading.value = plots_features.spectrum_heading(name, found, eps)
            self.mark()

    def mark(self) -> None:
        """Put the ring around the chosen point; a shape, since a trace that changes would draw all points
        anew.
        """
        name, unit, towards = self.point
        found, axes = self.spectra[name], list(self.spectra).index(name) + 1
        x, y = float(found.rho[unit, towards]), float(found.at(self.eps.value)[unit, towards])
        place = {"xref": f"x{axes}", "yref": f"y{axes}"}
        self.ring.update(**place, xanchor=x, yanchor=max(y, plots_features.FLOOR))

    def choose(self) -> None:
        """Show the chosen unit."""
        name, unit, towards = self.point
        order = self.activations[name][:, unit].argsort(descending=True).to(self.data.device)
        greatest, least = order[: self.count], order.flip(0)[: self.count]
        show_strip(self.most, self.data.images[greatest], zoom=2)
        show_strip(self.least, self.data.images[least], zoom=2)
        self.weights.value = weight_bars(self.names, self.spectra[name].w[unit].tolist(), towards)
        self.mark()
        self.flip()

    def attack(self, name: str, unit: int, sign: float, x: Tensor) -> tuple[Tensor, Tensor]:
        """The image x (1, c, h, w) perturbed within the slider's eps (l2 in pixels of [0, 1]) so that sign
        times the unit is least, and the unit's values (2,) before and after, standardised.
        """
        z, reached = lower_unit(self.models[name], unit, sign, x, eps=self.eps.value)
        usual = self.activations[name][:, unit]
        return z, (reached - usual.mean()) / usual.std()

    def flip(self) -> None:
        """Attack the chosen unit on the chosen image, and say what becomes of its vote."""
        name, unit, towards = self.point
        found, one = self.spectra[name], self.data[self.image.value]
        label = int(one.labels)
        sign = 1.0 if found.w[unit, towards] >= 0 else -1.0  # with which the class uses the unit
        vote = sign if label == towards else -sign
        z, (before, after) = self.attack(name, unit, vote, one.pixels)
        show_attack(self.pictures, one.pixels[0], z[0], zoom=4)
        use = f"Unit {unit} of the {escaped(name)} network, as it votes on {escaped(self.names[towards])}"
        self.about.value = f"<b>{use}</b>: {unit_standing(found, unit, towards, self.eps.value)}."
        kind = "right" if vote * before > 0 else "wrong"
        turned = "its vote flips" if before * after < 0 else "its vote stays"
        self.verdict.value = (
            f"This image is <b>{escaped(self.names[label])}</b>, so the unit's vote on "
            f"{escaped(self.names[towards])} is {kind}. "
            f"Attacked, the unit goes from {before:+.1f} to {after:+.1f} standard deviations: "
            f"<b>{turned}</b>."
        )


class Containment(Sliders):
    """A robust, useful feature mixed with a fragile, useless one (Goh 2019): alpha says how much of the first
    is in the mixture.

    robust, fragile  linear features
    data             two classes, labels -1 / +1
    eps              the radius at which the title judges, l2 in pixels of [0, 1]
    """

    says = "containment explorer"

    def __init__(
        self, robust: Linear, fragile: Linear, data: Dataset, *, eps: float = 0.5, alpha: float = 0.5
    ):
        check_linear(robust)
        check_linear(fragile)
        self.data, self.eps = data, positive(eps, "eps")
        self.features = Linear(torch.cat([robust.directions, fragile.directions]))
        radii = (0.0, 2 * self.eps)
        both = [closed_form(self.features, data, L2(radius)).tolist() for radius in radii]
        self.alone = dict(zip(("robust, useful", "fragile, useless"), zip(*both, strict=True), strict=True))
        self.alpha = length(alpha, 1, "alpha: share of the robust feature")
        steps = [(f"{tenth / 10:g}", *self.mixed(tenth / 10)) for tenth in range(11)]
        mixed, title = self.mixed(alpha)
        figure = plots_features.falling(self.lines(mixed), title=title)
        twin = plots_features.falling_twin(self.lines(steps[0][1]), steps, prefix="alpha = ", active=5)
        super().__init__([self.alpha], figure, twin)

    def lines(self, mixed: list[float]) -> dict[str, tuple[list[float], list[float]]]:
        """gamma against eps, l2 in pixels of [0, 1], for both features and a mixture whose ends are given:
        straight lines, in closed form, without the box.
        """
        ends = {**self.alone, "mixture": mixed}
        return {name: ([0.0, 2 * self.eps], list(gammas)) for name, gammas in ends.items()}

    def mixed(self, alpha: float) -> tuple[list[float], str]:
        """gamma of the mixture at the ends of the plot, and what to say of it."""
        f = mixture(self.features, torch.tensor([alpha, 1 - alpha]), self.data)
        rho, gamma = (float(closed_form(f, self.data, L2(radius))) for radius in (0.0, self.eps))
        words = f"rho {rho:.2f}, gamma {gamma:.2f} at eps {self.eps:g}: {kind(rho, gamma)}"
        return [rho, 2 * gamma - rho], f"mixture: {words}"  # gamma falls along a line

    def state(self) -> tuple[list[dict], str]:
        mixed, title = self.mixed(self.alpha.value)
        return [{"x": radii, "y": gammas} for radii, gammas in self.lines(mixed).values()], title
