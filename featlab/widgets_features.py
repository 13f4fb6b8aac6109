"""Section 2 with sliders: the feature spectrum with its units to look into, and Goh's containment."""

from collections.abc import Mapping

import ipywidgets as w
import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor

from featlab import plots, plots_features
from featlab.attacks import L2, descend
from featlab.features import KINDS, Linear, Units, closed_form, kind, mixture, values
from featlab.models import Classifier
from featlab.spectrum import Spectrum
from featlab.types import Dataset
from featlab.widgets import UNSMOOTHED, Live, guarded, names_of, picture
from featlab.widgets_gaussian import Sliders, length


def bars(names: list[str], values: list[float], chosen: int) -> str:
    """Signed bars with their numbers as html: the head weights of a unit."""
    most = max(abs(v) for v in values)
    rows = []
    for i, (name, value) in enumerate(zip(names, values, strict=True)):
        colour, side = (plots.BLUE, "left:50%") if value > 0 else (plots.RED, "right:50%")
        bar = f'<div style="position:absolute;{side};width:{50 * abs(value) / most:.0f}%;height:13px;background:{colour}"></div>'
        name = f"<b>{name}</b>" if i == chosen else name
        rows.append(
            f'<div style="display:flex;font-size:13px;line-height:17px"><div style="width:96px">{name}</div>'
            f'<div style="position:relative;width:150px">{bar}</div><div style="width:44px;text-align:right">{value:+.2f}</div></div>'
        )
    return "".join(rows)


class SpectrumExplorer(Live):
    """Every unit of some networks as points (rho, gamma); an eps slider moves them all, and a chosen one shows what it is.

    Choose a unit by clicking on a point, or with the knobs. Below the figure: the images on which it is greatest and least, its head
    weights, and, attacked now, the perturbation within eps that turns it against the chosen class on one image.

    models   name -> Classifier; spectra  name -> its Spectrum;  data  where the images come from
    """

    def __init__(
        self, models: Mapping[str, Classifier], spectra: Mapping[str, Spectrum], data: Dataset, *, eps: float = 0.0, show: int = 7
    ):
        self.models, self.spectra, self.data, self.show, self.names = dict(models), dict(spectra), data, show, names_of(data)
        self.found = {name: values(Units(model), data.pixels) for name, model in models.items()}
        last = min(s.radii[-1] for s in spectra.values())
        wide = {"style": {"description_width": "initial"}, "layout": w.Layout(flex="1 1 200px", min_width="190px", max_width="420px")}
        self.eps = w.FloatSlider(eps, min=0, max=last, step=0.05, description="eps (l2)", readout_format=".2f", **wide)
        self.network = w.Dropdown(options=list(models), description="network", **wide)
        self.unit = w.IntSlider(0, min=0, max=len(spectra[self.network.value].w) - 1, description="unit", **wide)
        self.towards = w.Dropdown(options=[(n, i) for i, n in enumerate(self.names)], description="class", **wide)
        self.image = w.IntSlider(0, min=0, max=min(len(data), 100) - 1, description="image", layout=w.Layout(width="300px"))
        self.figure = go.FigureWidget(plots_features.spectrum(self.spectra, eps))
        for annotation in self.figure.layout.annotations[: len(spectra)]:
            annotation.text = ""  # said in html above: a figure whose words change is drawn twice
        self.figure.update_layout(margin_t=25, height=405)
        self.headings = [w.HTML(layout=w.Layout(flex="1 1 0")) for _ in spectra]
        self.points = [self.figure.data[4 * i] for i in range(len(spectra))]
        self.figure.add_shape(plots_features.RING)
        self.ring = self.figure.layout.shapes[-1]
        for trace, name in zip(self.points, self.spectra, strict=True):
            every = [f"unit {i}, {n}" for i in range(len(spectra[name].w)) for n in self.names]
            trace.text = [every[j] for j in plots_features.drawn(spectra[name])]
            trace.hovertemplate = "%{text}<br>rho %{x:.2f}, gamma %{y:.2f}<extra></extra>"
            trace.on_click(self._clicked(name))
        children = [w.HTML(UNSMOOTHED), self._row(self.eps, self.network, self.unit, self.towards)]
        children += [w.HBox(self.headings, layout=w.Layout(width=f"{plots.WIDTH}px", padding="0 0 0 60px")), self.figure, *self._panel()]
        radii = [r for r in (0, 0.25, 0.5, 1.0, 2.0) if r <= last]
        super().__init__(children, plots_features.spectrum_twin(self.spectra, radii, len(radii) // 2), "feature spectrum explorer")
        self.eps.observe(guarded(lambda: (self.fall(), self.flip()), self.message), "value")
        self.image.observe(guarded(self.flip, self.message), "value")
        for knob in (self.network, self.unit, self.towards):
            knob.observe(guarded(self.choose, self.message), "value")
        self.unit.value, self.towards.value = self._heaviest()
        shown = (data.labels[: self.image.max + 1] == self.towards.value).nonzero()
        self.image.value = int(shown[0]) if len(shown) else 0
        self.choose()
        self.fall()

    @staticmethod
    def _row(*knobs: w.Widget) -> w.HBox:
        return w.HBox(knobs, layout=w.Layout(flex_flow="row wrap", max_width="940px"))

    def _panel(self) -> list[w.Widget]:
        self.most, self.least = (w.Image(format="png", layout=w.Layout(height="64px")) for _ in range(2))
        for strip in (self.most, self.least):
            strip.add_class("featlab-pixels")
        self.pictures, boxes = zip(*(picture(n, 112) for n in ("image", "perturbation x 5", "attacked")), strict=True)
        self.weights, self.about, self.verdict, self.message = w.HTML(), w.HTML(), w.HTML(), w.HTML()
        named = [w.HTML("<b>greatest on</b>"), self.most, w.HTML("<b>least on</b>"), self.least]
        strips = w.VBox(named, layout=w.Layout(width="510px", flex="0 0 auto", overflow="hidden"))
        head = w.VBox([w.HTML("<b>head weights</b> (of the standardised unit)"), self.weights], layout=w.Layout(overflow="hidden"))
        words = w.VBox([self.image, self.verdict], layout=w.Layout(width="440px", flex="0 0 auto", overflow="hidden"))
        wrap = w.Layout(flex_flow="row wrap", max_width="940px", overflow="hidden")
        return [self.about, w.HBox([strips, head], layout=wrap), w.HBox([*boxes, words], layout=wrap), self.message]

    def _heaviest(self) -> tuple[int, int]:
        weight = np.abs(self.spectra[self.network.value].w)
        unit, towards = np.unravel_index(int(weight.argmax()), weight.shape)
        return int(unit), int(towards)

    def _clicked(self, name: str):
        def called(trace, points, _) -> None:
            if points.point_inds:
                at = int(plots_features.drawn(self.spectra[name])[points.point_inds[0]])
                unit, towards = divmod(at, len(self.names))
                self.network.value, self.unit.value, self.towards.value = name, unit, towards

        return called

    @property
    def point(self) -> tuple[str, int, int, float]:
        """The chosen network, unit and class, and the sign with which the class uses the unit."""
        name, unit, towards = self.network.value, self.unit.value, self.towards.value
        return name, unit, towards, 1.0 if self.spectra[name].w[unit, towards] >= 0 else -1.0

    def fall(self) -> None:
        """Move all points to the slider's eps, and the ring with its point."""
        with self.figure.batch_update():
            for i, (name, found) in enumerate(self.spectra.items()):
                self.points[i].y = plots_features.heights(found, self.eps.value)
                self.headings[i].value = plots_features.heading(name, found, self.eps.value)
            self.mark()

    def mark(self) -> None:
        """Put the ring around the chosen point; a shape, since a trace that changes would draw all points anew."""
        name, unit, towards, _ = self.point
        found, axes = self.spectra[name], list(self.spectra).index(name) + 1
        x, y = (float(values[unit, towards]) for values in (found.rho, found.at(self.eps.value)))
        with self.figure.batch_update():
            self.ring.update(xref=f"x{axes}", yref=f"y{axes}", xanchor=x, yanchor=max(y, plots_features.FLOOR))

    def choose(self) -> None:
        """Show the chosen unit."""
        name, unit, towards, _ = self.point
        order = self.found[name][:, unit].argsort(descending=True)
        for strip, index in ((self.most, order[: self.show]), (self.least, order.flip(0)[: self.show])):
            row = plots.strip(self.data.images[index.to(self.data.device)], gap=5, zoom=2)
            strip.value, strip.layout.width = plots.png(row), f"{row.shape[2]}px"
        self.weights.value = bars(self.names, self.spectra[name].w[unit].tolist(), towards)
        self.mark()
        self.flip()

    def attack(self, name: str, unit: int, sign: float, x: Tensor) -> tuple[Tensor, Tensor]:
        """The image perturbed within eps so that sign times the unit is least, and the unit's values before and after, standardised."""
        f, found = Units(self.models[name]), self.found[name][:, unit]
        eps, steps = self.eps.value, 5
        z = descend(lambda z: sign * f(z)[:, unit], x, ball=L2(eps), steps=steps, step=2.5 * eps / steps or 1.0, decay=True, best=True)
        with torch.no_grad():
            values = torch.cat([f(x)[:, unit], f(z)[:, unit]]).double()
        return z, (values - found.mean()) / found.std()

    def flip(self) -> None:
        """Attack the chosen unit on the chosen image."""
        name, unit, towards, sign = self.point
        one, found = self.data[self.image.value], self.spectra[name]
        label = int(one.labels)
        y = 1.0 if label == towards else -1.0
        z, (before, after) = self.attack(name, unit, sign * y, one.pixels)
        shown = (one.pixels[0], plots.perturbation((z - one.pixels)[0]), z[0])
        for widget, image in zip(self.pictures, shown, strict=True):
            widget.value = plots.png(image, zoom=4)
        rho, gamma = found.rho[unit, towards], found.at(self.eps.value)[unit, towards]
        called = KINDS[found.kinds(self.eps.value)[unit, towards]]
        self.about.value = (
            f"<b>Unit {unit} of the {name} network, as it votes on {self.names[towards]}</b>: rho {rho:.2f}, "
            f"gamma {gamma:.2f} at eps {self.eps.value:.2f}: <b>{called}</b>."
        )
        votes = "right" if sign * y * before > 0 else "wrong"
        turned = "its vote flips" if before * after < 0 else "its vote stays"
        self.verdict.value = (
            f"This image is <b>{self.names[label]}</b>, so the unit's vote on {self.names[towards]} is {votes}. "
            f"Attacked, the unit goes from {before:+.1f} to {after:+.1f} standard deviations: <b>{turned}</b>."
        )


class Containment(Sliders):
    """A robust, useful feature mixed with a fragile, useless one (Goh 2019): alpha says how much of the first is in the mixture.

    robust, fragile  linear features;  data  two classes, labels -1 / +1;  eps  the radius at which the title judges
    """

    def __init__(self, robust: Linear, fragile: Linear, data: Dataset, *, eps: float = 0.5, alpha: float = 0.5):
        self.features, self.data, self.eps = Linear(torch.cat([robust.directions, fragile.directions])), data, eps
        self.alpha = length(alpha, 1, "alpha: share of the robust feature")
        steps = [(f"{a / 10:g}", *self.mixed(a / 10)) for a in range(11)]
        figure = plots_features.falling(self.lines(alpha), title=self.mixed(alpha)[1])
        twin = plots_features.falling_twin(self.lines(0), steps, prefix="alpha = ", active=5)
        super().__init__([self.alpha], figure, twin, "containment explorer")

    def lines(self, alpha: float) -> dict[str, tuple[list[float], list[float]]]:
        """gamma against eps for both features and the mixture: straight lines, in closed form, without the box."""
        radii = [0.0, 2 * self.eps]
        both = [closed_form(self.features, self.data, L2(eps)).tolist() for eps in radii]
        named = {"robust, useful": [g[0] for g in both], "fragile, useless": [g[1] for g in both], "mixture": self.mixed(alpha)[0]}
        return {name: (radii, gammas) for name, gammas in named.items()}

    def mixed(self, alpha: float) -> tuple[list[float], str]:
        """gamma of the mixture at the ends of the plot, and what to say of it."""
        f = mixture(self.features, torch.tensor([alpha, 1 - alpha]), self.data)
        rho, gamma, end = (float(closed_form(f, self.data, L2(eps))) for eps in (0.0, self.eps, 2 * self.eps))
        return [rho, end], f"mixture: rho {rho:.2f}, gamma {gamma:.2f} at eps {self.eps:g}: {kind(rho, gamma)}"

    def state(self) -> tuple[list[dict], str]:
        lines = self.lines(self.alpha.value).values()
        return [{"x": x, "y": y} for x, y in lines], self.mixed(self.alpha.value)[1]
