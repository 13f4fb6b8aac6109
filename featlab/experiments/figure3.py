"""Figure 3 as an experiment: does an architecture that learns more from D_det also catch more of the source's
adversarial examples?

x axis: accuracy on the real test set of an architecture trained on D_det. y axis: transfer rate, to the same
architecture trained on D, of adversarial examples of the source, the model that made D_det. Each piece is
kept in the lab's Store.

Four kinds of examples are measured: the source's "untargeted" ones, its "targeted" ones (towards y + 1;
appendix D.9), "noise" as long as the untargeted ones, and "from robust", the untargeted ones of the lab's
robust model.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial

from torch import Tensor, nn

from featlab import constructed
from featlab.attacks import L2, PGD
from featlab.engine import devices
from featlab.experiments.lab import Study
from featlab.experiments.plan import Piece
from featlab.experiments.presets import PRESETS as LABS
from featlab.experiments.presets import Preset as LabPreset
from featlab.experiments.presets import cost
from featlab.experiments.reports import Report, report_of
from featlab.experiments.settings import Fit
from featlab.inputs.checks import known
from featlab.models import architectures
from featlab.training import Recipe, accuracy
from featlab.transfer import Examples, Rate, craft

_RELATIVES = ("cnn", *architectures.RELATIVES)
EXAMPLES = ("untargeted", "targeted", "noise", "from robust")
FIVE = tuple(architectures.FIGURE3)
# targets that featlab carries, trained by the laptop preset with seed 0
RELEASED = ("cnn", "residual", "mixer", "mlp")


@dataclass(frozen=True)
class Preset:
    """Everything that a run of Figure 3 depends on, but the seed.

    lab            its teacher is the source, its D_det the training set; its student recipe trains every
                   architecture on D_det
    architectures  those compared
    real           how every architecture is trained on D
    radii, steps   of the attacks whose transfer is measured, l2 in pixels of [0, 1]; the figure shows the
                   radius of D_det
    """

    lab: LabPreset
    architectures: tuple[str, ...] = _RELATIVES
    real: Recipe = Recipe()
    radii: tuple[float, ...] = (0.5, 1.0, 1.5, 2.5)
    steps: int = 20


FOR_DATA = {"cifar10": "cifar10"}
SHORT = Recipe(epochs=4)
# the paper's source is an ordinary, fully trained model: so is the teacher here
_CIFAR = LabPreset(
    data="cifar10",
    model="resnet50",
    student=Recipe(epochs=60, batch=128, lr=0.1, weight_decay=5e-4),
    teacher=Recipe(epochs=60, batch=128, lr=0.1, weight_decay=5e-4, augment=4),
    push=PGD(L2(0.5), steps=100, step=0.1, targeted=True),
    radii=(0.25, 0.5),
)
PRESETS = {
    "laptop": Preset(replace(LABS["laptop"], teacher=Recipe())),
    "quick": Preset(
        replace(LABS["quick"], teacher=SHORT),
        architectures=("cnn", "residual", "mixer", "mlp"),
        real=SHORT,
        steps=10,
    ),
    "cifar10": Preset(
        _CIFAR, architectures=FIVE, real=_CIFAR.model_recipe("teacher"), radii=(0.25, 0.5, 1.0)
    ),
}


class Figure3(Study):
    """One run: figure.target("mlp"), figure.student("mlp"), figure.row("mlp").

    Each is loaded from the store or made.
    """

    presets = PRESETS

    @property
    def source(self) -> nn.Module:
        """The model whose adversarial examples made D_det."""
        return self.lab.model("teacher")

    def setting(self, name: str, on: str) -> str:
        """The text that says how an architecture is trained on "D" or "D_det", down to the images."""
        return self.fit(name, on).setting

    def fit(self, name: str, on: str) -> Fit:
        """How an architecture is trained; its seeds are none of the lab's."""
        known(name, self.preset.architectures, "architecture")
        recipe = self.preset.real if on == "D" else self.preset.lab.student
        seed = 1000 + 100 * self.lab.seed + 2 * (*_RELATIVES, *FIVE).index(name) + (on == "D_det")
        return Fit(f"{name} on {on} of {self.lab.identity}, {recipe}, seed {seed}", name, recipe, seed)

    def _train(self, name: str, on: str) -> nn.Module:
        fit, lineage = self.fit(name, on), self.lab.lineage(on)
        return self.lab.train(f"{name} on {on}", fit, lambda: self.lab.dataset(on), lineage=lineage)

    def target(self, name: str) -> nn.Module:
        """An architecture trained on D, independently of the source."""
        return self._train(name, "D")

    def student(self, name: str) -> nn.Module:
        """The same architecture trained on D_det."""
        return self._train(name, "D_det")

    @cached_property
    def aims(self) -> Tensor:
        """What the targeted attacks aim at, (n,): y + 1, as in D_det."""
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
            made["noise", radius] = made["untargeted", radius].noise(self.lab.seed)
            made["from robust", radius] = craft(self.lab.model("robust"), test, attack)
        return made

    def transfer(self, model: nn.Module) -> dict[str, dict[str, Rate]]:
        """How many examples fool the model: kind of attack -> radius -> rate."""
        rates: dict[str, dict[str, Rate]] = {kind: {} for kind in EXAMPLES}
        for (kind, radius), made in self.crafted.items():
            rates[kind][f"{radius:g}"] = made.rate(model)
        return rates

    def row(self, name: str) -> dict:
        """What one architecture learns, and what it catches."""

        def measure() -> dict:
            target, student, test = self.target(name), self.student(name), self.lab.data[1]
            size = sum(p.numel() for p in target.parameters())
            accuracies = {"D": accuracy(target, test), "D_det": accuracy(student, test)}
            return {"parameters": size, **accuracies, "transfer": self.transfer(target)}

        return self.lab.store.value(f"figure 3 {name}", f"figure 3, {self.identity}, {name}", measure)

    @property
    def identity(self) -> str:
        """What everything that is measured here depends on."""
        return f"{self.preset}, {self.lab.identity} {devices.describe_precision()}"


begin = Figure3


def trainings(figure: Figure3) -> list[Piece]:
    """Each architecture, trained on D."""
    n, passes = len(figure.lab.data[0]), 3 * figure.preset.real.epochs
    names = figure.preset.architectures
    return [Piece(f"{name} on D", passes * n, partial(figure.target, name)) for name in names]


def pieces(figure: Figure3) -> list[Piece]:
    """Everything that `report` needs."""
    lab, p, (n, m) = figure.lab, figure.preset, (len(part) for part in figure.lab.data)
    once, fit = cost(lab.preset, n, m), 3 * lab.preset.student.epochs * n
    found = [Piece(name, once[name], partial(lab.make, name)) for name in ("teacher", "robust", "D_det")]
    found += trainings(figure)
    found += [Piece(f"{name} on D_det", fit, partial(figure.student, name)) for name in p.architectures]
    crafting, rates = 3 * len(p.radii) * 2 * p.steps * m, (len(EXAMPLES) * len(p.radii) + 2) * m
    for i, name in enumerate(p.architectures):  # the first one crafts the examples
        found.append(Piece(f"figure 3 {name}", rates + (not i) * crafting, partial(figure.row, name)))
    return [*found, Piece("figure 3", rates, partial(report, figure))]


def report(figure: Figure3) -> Report:
    """All architectures with everything needed to read them, as it was when it was measured:
    what results/*-figure3-*.json holds.
    """
    setting = f"figure 3 report, {figure.identity}"
    return figure.lab.store.value("figure 3", setting, partial(_measure, figure))


def _measure(figure: Figure3) -> Report:
    """The rows of all architectures, and the source itself as their measure."""
    source, test = figure.source, figure.lab.data[1]
    rows = {name: figure.row(name) for name in figure.preset.architectures}
    itself = {"D": accuracy(source, test), "transfer": figure.transfer(source)}
    radius = f"{figure.preset.lab.push.ball.eps:g}"
    return report_of(figure.preset, figure.lab.seed, rows, radius=radius, source=itself)


def text_table(report: Report) -> str:
    """What each architecture learns and catches, for a terminal."""
    lines = [
        f"{'architecture':<16}{'from D_det':>12}{'caught':>10}   % of test images, at l2 {report['radius']}"
    ]
    for name, row in report["rows"].items():
        caught = row["transfer"]["untargeted"][report["radius"]]
        lines.append(f"{name:<16}{100 * row['D_det']:12.1f}{100 * caught:10.1f}")
    return "\n".join(lines)
