"""The converse of section 3.3 (Nakkiran 2019): what do images teach that are pushed by perturbations made *not* to transfer?

The same source, images, labels, radius and steps as D_det. Only the goal of the push differs: it spares three independently trained models.
"""

from torch import nn

from featlab import constructed, engine, models
from featlab.constructed import mislabelling, next_labels
from featlab.figure3 import Figure3
from featlab.reproduce import entry
from featlab.results import provenance
from featlab.training import Training, accuracy
from featlab.transfer import Selective, craft
from featlab.types import Dataset

WEIGHTS = (0.0, 0.1)  # of sparing; 0 is D_det
SPARED = 3  # models


class Converse:
    """D_det of a Figure 3 and its selective twins: converse.dataset(1.0), converse.student(1.0), converse.row(1.0), converse.report()."""

    def __init__(self, figure: Figure3):
        self.figure, self.lab, self.store = figure, figure.lab, figure.store

    def _trained(self, name: str, setting: str, data: Dataset, seed: int) -> nn.Module:
        p = self.lab.preset
        setting = self._setting(f"{setting}, {p.student}, seed {seed}")
        build = models.build(p.model, self.lab.data[0])
        return self.store.model(name, setting, build, lambda model: Training(model, data, recipe=p.student, seed=seed))

    def _setting(self, what: str) -> str:
        return f"{what}; converse of {self.lab.preset} seed {self.lab.seed}; {engine.describe_precision()}"

    def spared(self) -> list[nn.Module]:
        """Models of the source's architecture, trained on D independently of it and of each other."""
        seeds = [2000 + 100 * self.lab.seed + i for i in range(SPARED)]
        return [self._trained(f"spared {i}", "spared", self.lab.data[0], seed) for i, seed in enumerate(seeds)]

    def attack(self, weight: float) -> Selective:
        """The push of D_det, with this weight on sparing."""
        push = self.lab.preset.push
        return Selective(push.ball, push.steps, push.step, targeted=True, spared=tuple(self.spared()) if weight else (), weight=weight)

    def dataset(self, weight: float) -> Dataset:
        """The training images, pushed and labelled y + 1."""
        if not weight:
            return self.lab.dataset("D_det")
        attack = self.attack(weight)

        def begin() -> constructed.Construction:
            return mislabelling(self.figure.source, self.lab.data[0], next_labels, attack, seed=self.lab.seed)

        return self.store.dataset(f"D_det sparing {weight:g}", self._setting(repr(attack)), begin)

    def student(self, weight: float) -> nn.Module:
        """A fresh model of the source's architecture trained on such a set; with the same first weights and order for each."""
        return self._trained(f"student sparing {weight:g}", f"student of {weight:g}", self.dataset(weight), 2050 + 100 * self.lab.seed)

    def row(self, weight: float) -> dict:
        """On test images: whom the push fools, and how far it pulls them towards t all the same. And what a student learns."""

        def measure() -> dict:
            test, student = self.lab.data[1], self.student(weight)
            made = craft(self.figure.source, test, self.attack(weight), self.figure.aims)
            noise = made.noise(self.lab.seed)
            strangers = {kind: self.figure.target(kind) for kind in self.figure.preset.architectures}
            pulls = {"source": made.pull(self.figure.source), **{kind: made.pull(model) for kind, model in strangers.items()}}
            return {
                "source": entry(made.rate(self.figure.source)),
                "spared": [entry(made.rate(model)) for model in self.spared()],
                "strangers": {kind: entry(made.rate(model)) for kind, model in strangers.items()},
                "pull": {kind: round(pull, 3) for kind, pull in pulls.items()},
                "pull of noise": {kind: round(noise.pull(model), 3) for kind, model in strangers.items()},
                "student": entry(accuracy(student, test)),
                "student says y + 1": entry(accuracy(student, Dataset(test.images, self.figure.aims, test.classes))),
            }

        return self.store.value(f"converse {weight:g}", self._setting(f"row {weight:g}, {self.figure.preset}"), measure)

    def report(self) -> dict:
        """All weights: what results/*-converse-*.json holds."""
        rows = {f"{weight:g}": self.row(weight) for weight in WEIGHTS}
        settings = {"lab": str(self.lab.preset), "spared": SPARED}
        return {"seed": self.lab.seed, "preset": settings, "provenance": provenance(), "rows": rows}
