"""The cost explorer: what a full-scale run takes, by its settings."""

import ipywidgets as w
import plotly.graph_objects as go

from featlab import plots_scale
from featlab.presets import PRESETS
from featlab.scale import FORWARD, varied, work
from featlab.widgets import Live, guarded

NETWORKS = {"ResNet-18": "resnet18", "ResNet-50": "resnet50"}


class CostExplorer(Live):
    """Sliders over epochs, steps of robustify and useful speed: minutes of each stage of the run on CIFAR-10.

    preset  whose other settings are kept
    speed   operations (10^12) a second that the run really reaches, of all GPUs together
    """

    def __init__(self, preset: str = "ten-minutes", *, speed: int = 200):
        self.preset = PRESETS[preset]
        wide = {"style": {"description_width": "150px"}, "layout": w.Layout(width="440px")}
        self.network = w.Dropdown(options=list(NETWORKS), description="network", **wide)
        self.epochs = w.IntSlider(self.preset.student.epochs, min=5, max=150, description="epochs", **wide)
        self.inversion = w.IntSlider(self.preset.inversion[0], min=10, max=1000, step=10, description="steps of robustify", **wide)
        self.speed = w.IntSlider(speed, min=10, max=1600, step=10, description="useful 10^12 op./s", **wide)
        self.verdict, self.message = w.HTML(), w.HTML()
        self.bars = go.FigureWidget(self._figure().update_layout(height=400))
        knobs = w.VBox([w.HBox([self.network, self.speed]), w.HBox([self.epochs, self.inversion])])
        super().__init__([knobs, self.bars, self.verdict, self.message], self._twin(), "cost explorer")
        for knob in (self.network, self.epochs, self.inversion, self.speed):
            knob.observe(guarded(self.draw, self.message), "value")
        self.draw()

    def work(self) -> dict[str, float]:
        """Operations (10^15) of each stage, as the knobs say."""
        preset = varied(self.preset, epochs=self.epochs.value, inversion=self.inversion.value)
        return work(preset, FORWARD[NETWORKS[self.network.value]])

    def minutes(self, speed: float) -> dict[str, float]:
        """Minutes of each stage at a useful speed (10^12 operations a second)."""
        return {name: amount * 1000 / speed / 60 for name, amount in self.work().items()}

    def _figure(self) -> go.Figure:
        return plots_scale.stages({"minutes": self.minutes(self.speed.value)}, unit="minutes", title="What each stage takes")

    def draw(self) -> None:
        """Show what the knobs say."""
        amounts = self.minutes(self.speed.value)
        with self.bars.batch_update():
            self.bars.data[0].x = list(amounts.values())
            self.bars.data[0].text = [f"{value:.3g}" for value in amounts.values()]
        total, most = sum(amounts.values()), max(amounts, key=amounts.get)
        length = f"{total:.1f} minutes" if total < 120 else f"{total / 60:.1f} hours"
        self.verdict.value = (
            f"<b>{sum(self.work().values()):.0f}</b> x 10<sup>15</sup> operations: <b>{length}</b>. "
            f"The largest part, {100 * amounts[most] / total:.0f} %: {most}."
        )

    def _twin(self) -> go.Figure:
        """plotly's own slider over the useful speed, the other knobs as they are at first."""
        figure, speeds = self._figure(), (50, 100, 200, 400, 800)
        steps = []
        for speed in speeds:
            amounts = list(self.minutes(speed).values())
            title = f"At {speed} x 10^12 operations a second: {sum(amounts):.3g} minutes"
            change = [{"x": [amounts], "text": [[f"{value:.3g}" for value in amounts]]}, {"title.text": title}]
            steps.append({"label": str(speed), "method": "update", "args": change})
        slider = {"active": 2, "currentvalue": {"prefix": "useful 10^12 op./s: "}, "pad": {"t": 50}, "steps": steps}
        return figure.update_layout(sliders=[slider], height=530, title=steps[2]["args"][1]["title.text"], margin={"b": 110})
