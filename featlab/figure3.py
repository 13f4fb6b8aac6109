"""Figure 3 as an experiment: does an architecture that learns more from D_det also catch more of the source's adversarial examples?

x axis: accuracy on the real test set of an architecture trained on D_det. y axis: transfer rate, to the same architecture trained on D, of
adversarial examples of the source, the model that made D_det. Each piece is kept in the lab's Store.

Four kinds of examples are measured: the source's "untargeted" ones, its "targeted" ones (towards y + 1; appendix D.9), "noise" as long as
the untargeted ones, and "from robust", the untargeted ones of the lab's robust model.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor, nn

from featlab import architectures, constructed, engine, models
from featlab.attacks import L2, PGD
from featlab.reproduce import PRESETS as LABS
from featlab.reproduce import Lab, entry, known
from featlab.reproduce import Preset as LabPreset
from featlab.results import Store, provenance
from featlab.training import Recipe, Training, accuracy
from featlab.transfer import Correlation, Examples, craft, pearson, spearman

RELATIVES = ("cnn", *architectures.RELATIVES)
KINDS = ("untargeted", "targeted", "noise", "from robust")
FIVE = tuple(architectures.FIGURE3)


@dataclass(frozen=True)
class Preset:
    """Everything that a run of Figure 3 depends on, but the seed.

    lab            its teacher is the source, its D_det the training set; its student recipe trains every architecture on D_det
    architectures  those compared
    real           how every architecture is trained on D
    radii, steps   of the attacks whose transfer is measured, l2 in pixels of [0, 1]; the figure shows the radius of D_det
    """

    lab: LabPreset
    architectures: tuple[str, ...] = RELATIVES
    real: Recipe = Recipe()
    radii: tuple[float, ...] = (0.5, 1.0, 1.5, 2.5)
    steps: int = 20


SHORT = Recipe(epochs=4)
# the paper's source is an ordinary, fully trained model: so is the teacher here
CIFAR = LabPreset(
    data="cifar10",
    model="resnet50",
    student=Recipe(epochs=60, batch=128, lr=0.1, weight_decay=5e-4),
    teacher=Recipe(epochs=60, batch=128, lr=0.1, weight_decay=5e-4, augment=4),
    push=PGD(L2(0.5), steps=100, step=0.1, targeted=True),
    radii=(0.25, 0.5),
)
PRESETS = {
    "laptop": Preset(replace(LABS["laptop"], teacher=Recipe())),
    "quick": Preset(replace(LABS["quick"], teacher=SHORT), architectures=("cnn", "residual", "mixer", "mlp"), real=SHORT, steps=10),
    "cifar10": Preset(CIFAR, architectures=FIVE, real=CIFAR.teacher, radii=(0.25, 0.5, 1.0)),
}


class Figure3:
    """One run: figure.target("mlp"), figure.student("mlp"), figure.row("mlp"), figure.report(). Each is loaded from the store or made."""

    def __init__(self, preset: Preset | str = "laptop", *, seed: int = 0, store: Store | None = None):
        self.preset = PRESETS[known(preset, PRESETS, "preset")] if isinstance(preset, str) else preset
        self.seed = seed
        self.lab = Lab(self.preset.lab, seed=seed, store=store)
        self.store = self.lab.store

    @property
    def source(self) -> nn.Module:
        """The model whose adversarial examples made D_det."""
        return self.lab.model("teacher")

    def _trained(self, name: str, on: str, recipe: Recipe) -> nn.Module:
        known(name, self.preset.architectures, "architecture")
        seed = 1000 + 100 * self.seed + 2 * (*RELATIVES, *FIVE).index(name) + (on == "D_det")  # none that the lab uses
        setting = f"{name} on {on} of {self.preset.lab} seed {self.seed}, {recipe}, seed {seed}; {engine.describe_precision()}"

        def begin(model: nn.Module) -> Training:
            return Training(model, self.lab.dataset(on), recipe=recipe, seed=seed)

        return self.store.model(f"{name} on {on}", setting, models.build(name, self.lab.data[0]), begin)

    def target(self, name: str) -> nn.Module:
        """An architecture trained on D, independently of the source."""
        return self._trained(name, "D", self.preset.real)

    def student(self, name: str) -> nn.Module:
        """The same architecture trained on D_det."""
        return self._trained(name, "D_det", self.preset.lab.student)

    @cached_property
    def aims(self) -> Tensor:
        """What the targeted attacks aim at: y + 1, as in D_det."""
        test = self.lab.data[1]
        return constructed.next_labels(test.labels, len(test.classes) or test.num_classes)

    @cached_property
    def crafted(self) -> dict[tuple[str, float], Examples]:
        """Adversarial examples for the test images, by kind and radius."""
        made, test = {}, self.lab.data[1]
        for radius in self.preset.radii:
            attack = PGD(L2(radius), steps=self.preset.steps)
            made["untargeted", radius] = craft(self.source, test, attack)
            made["targeted", radius] = craft(self.source, test, replace(attack, targeted=True), self.aims)
            made["noise", radius] = made["untargeted", radius].noise(self.seed)
            made["from robust", radius] = craft(self.lab.model("robust"), test, attack)
        return made

    def transfer(self, model: nn.Module) -> dict[str, dict[str, dict]]:
        """Rates with intervals: kind of attack -> radius -> entry."""
        rates = {kind: {} for kind in KINDS}
        for (kind, radius), made in self.crafted.items():
            rates[kind][f"{radius:g}"] = entry(made.rate(model))
        return rates

    def row(self, name: str) -> dict:
        """What one architecture learns, and what it catches."""

        def measure() -> dict:
            target, student, test = self.target(name), self.student(name), self.lab.data[1]
            size = sum(p.numel() for p in target.parameters())
            accuracies = {"D": entry(accuracy(target, test)), "D_det": entry(accuracy(student, test))}
            return {"parameters": size, **accuracies, "transfer": self.transfer(target)}

        return self.store.value(f"figure 3 {name}", f"figure 3, {self._setting()}, {name}", measure)

    def _setting(self) -> str:
        return f"{self.preset} seed {self.seed} {engine.describe_precision()}"

    def report(self) -> dict:
        """All architectures with everything needed to read them: what results/*-figure3-*.json holds."""

        def measure() -> dict:
            rows = {name: self.row(name) for name in self.preset.architectures}
            itself = {"D": entry(accuracy(self.source, self.lab.data[1])), "transfer": self.transfer(self.source)}
            radius = self.preset.lab.push.ball.eps
            settings = {name: str(getattr(self.preset, name)) for name in ("lab", "real", "radii", "steps")}
            return {
                "seed": self.seed,
                "preset": settings,
                "provenance": provenance(),
                "radius": f"{radius:g}",
                "source": itself,
                "rows": rows,
            }

        return self.store.value("figure 3", f"figure 3 report, {self._setting()}", measure)


def points(reports: list[dict], kind: str = "untargeted", radius: str = "") -> dict[str, list[tuple[float, float]]]:
    """Architecture -> its point (accuracy from D_det, transfer rate) for each seed, fractions; at the radius of D_det unless given."""
    found = {}
    for report in reports:
        for name, row in report["rows"].items():
            rate = row["transfer"][kind][radius or report["radius"]]["value"]
            found.setdefault(name, []).append((row["D_det"]["value"], rate))
    return found


def correlations(reports: list[dict], kind: str = "untargeted", radius: str = "", without: str = "") -> dict[str, Correlation]:
    """Pearson's and Spearman's over the architectures, each at the mean of its seeds (which are no independent points).

    without  an architecture to leave out: does the trend hang on it?
    """
    found = points(reports, kind, radius)
    means = [tuple(sum(v) / len(v) for v in zip(*seeds, strict=True)) for name, seeds in found.items() if name != without]
    x, y = zip(*means, strict=True)
    return {"Pearson": pearson(x, y), "Spearman": spearman(x, y)}
