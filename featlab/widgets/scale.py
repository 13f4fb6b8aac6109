"""The cost explorer: what a full-scale run takes, by its settings."""

import ipywidgets as w
import plotly.graph_objects as go

from featlab.experiments.presets import PRESETS
from featlab.experiments.scale import FORWARD, variation, work
from featlab.inputs.checks import between, known, whole
from featlab.plots import scale as plots_scale
from featlab.plots.sliders import slide, step
from featlab.widgets.knobs import growing
from featlab.widgets.live import Live
from featlab.widgets.pictures import trace

_NETWORKS = {"ResNet-18": "resnet18", "ResNet-50": "resnet50"}
SPEEDS = (50, 100, 200, 400, 800)  # the twin's, in useful 10^12 operations a second


class CostExplorer(Live):
    """Sliders over epochs, steps of robustify and useful speed: minutes of each stage of the run on CIFAR-10.

    preset  whose other settings are kept
    speed   operations (10^12) a second that the run really reaches, of all GPUs together
    """

    says = "cost explorer"
    widest = "900px"  # two knobs

    def __init__(self, preset: str = "ten-minutes", *, speed: int = 200):
        self.preset = PRESETS[known(preset, PRESETS, "preset")]
        speed = int(between(whole(speed, "speed"), "speed, in 10^12 operations a second,", 10, 1600))
        super().__init__()
        knobs = self._knobs(speed)
        self.bars = go.FigureWidget(self._figure().update_layout(height=400))
        self.assemble(knobs, [self.bars, self.verdict], self._twin())

    def _knobs(self, speed: int) -> list[w.Widget]:
        size = growing(400, 440, "150px")
        epochs, (steps, _) = self.preset.student.epochs, self.preset.inversion
        self.network = w.Dropdown(options=list(_NETWORKS), description="network", **size)
        self.speed = w.IntSlider(speed, min=10, max=1600, step=10, description="useful 10^12 op./s", **size)
        self.epochs = w.IntSlider(epochs, min=5, max=150, description="epochs", **size)
        self.inversion = w.IntSlider(
            steps, min=10, max=1000, step=10, description="steps of robustify", **size
        )
        return [self.network, self.speed, self.epochs, self.inversion]

    def work(self) -> dict[str, float]:
        """Operations (10^15) of each stage, as the knobs say."""
        preset = variation(self.preset, epochs=self.epochs.value, inversion=self.inversion.value)
        return work(preset, FORWARD[_NETWORKS[self.network.value]])

    def minutes(self, speed: float) -> dict[str, float]:
        """Minutes of each stage at a useful speed (10^12 operations a second)."""
        return {name: amount * 1000 / speed / 60 for name, amount in self.work().items()}

    def _figure(self) -> go.Figure:
        run = {"minutes": self.minutes(self.speed.value)}
        return plots_scale.stages(run, unit="minutes", title="What each stage takes")

    def draw(self) -> None:
        """Show what the knobs say."""
        amounts = self.minutes(self.speed.value)
        values = list(amounts.values())
        bars = trace(self.bars, "minutes")
        with self.bars.batch_update():
            bars.x, bars.text = values, digits(values)
        total, longest = sum(values), max(amounts, key=lambda stage: amounts[stage])
        length = f"{total:.1f} minutes" if total < 120 else f"{total / 60:.1f} hours"
        self.verdict.value = (
            f"<b>{sum(self.work().values()):.0f}</b> x 10<sup>15</sup> operations: <b>{length}</b>. "
            f"The largest part, {100 * amounts[longest] / total:.0f} %: {longest}."
        )

    def _twin(self) -> go.Figure:
        """plotly's own slider over the useful speed, the other knobs as they are at first."""
        steps, titles = [], []
        for speed in SPEEDS:
            values = list(self.minutes(speed).values())
            title = f"At {speed} x 10^12 operations a second: {sum(values):.3g} minutes"
            titles.append(title)
            change = {"x": [values], "text": [digits(values)]}
            steps.append(step(str(speed), change, {"title.text": title}))
        active = SPEEDS.index(200)
        figure = slide(self._figure(), steps, "useful 10^12 op./s: ", gap=50, active=active)
        return figure.update_layout(height=530, title=titles[active], margin={"b": 110})


def digits(values: list[float]) -> list[str]:
    """Each value with three digits."""
    return [f"{value:.3g}" for value in values]
