"""The converse of section 3.3 (Nakkiran 2019): what do images teach that are pushed by perturbations made
*not* to transfer?

The same source, images, labels, radius and steps as D_det. Only the goal of the push differs: it spares three
independently trained models.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import nn

from featlab.constructed import next_labels, parts_of_mislabel
from featlab.engine import devices
from featlab.experiments.figure3 import FOR_DATA, PRESETS, Figure3, Preset, trainings
from featlab.experiments.plan import Piece
from featlab.experiments.presets import cost
from featlab.experiments.reports import Report, report_of
from featlab.experiments.settings import Fit
from featlab.parts import Construction
from featlab.training import accuracy
from featlab.transfer import Selective, craft
from featlab.types import Dataset

__all__ = ["FOR_DATA", "PRESETS", "Converse", "begin", "pieces", "report", "text_table"]
WEIGHTS = (0.0, 0.1)  # of sparing; 0 is D_det
SPARED = 3  # models


class Converse:
    """D_det of a Figure 3 and its selective twins: converse.dataset(1.0), converse.student(1.0),
    converse.row(1.0).
    """

    def __init__(self, figure: Figure3):
        self.figure, self.lab = figure, figure.lab

    def _train(self, name: str, what: str, data: Callable[[], Dataset], seed: int) -> nn.Module:
        """A network of the source's architecture, trained as the lab's students are."""
        p = self.lab.preset
        setting = f"{what}, {p.student}, seed {seed}; converse of {self.lab.identity}"
        fit, lineage = Fit(setting, p.model, p.student, seed), self.lab.lineage("D_det")
        return self.lab.train(name, fit, data, lineage=lineage)

    def setting(self, what: str) -> str:
        """The text that says how a set is made, or what is measured."""
        return f"{what}; converse of {self.lab.identity}; {devices.describe_precision()}"

    def spared(self) -> list[nn.Module]:
        """Models of the source's architecture, trained on D independently of it and of each other."""
        return [
            self._train(f"spared {i}", "spared", lambda: self.lab.data[0], seed)
            for i, seed in enumerate(spared_seeds(self.lab.seed))
        ]

    def attack(self, weight: float) -> Selective:
        """The push of D_det, with this weight on sparing."""
        push = self.lab.preset.push
        return Selective(
            push.ball,
            push.steps,
            push.step,
            targeted=True,
            spared=tuple(self.spared()) if weight else (),
            weight=weight,
        )

    def dataset(self, weight: float) -> Dataset:
        """The training images, pushed and labelled y + 1."""
        if not weight:
            return self.lab.dataset("D_det")
        attack = self.attack(weight)

        def begin() -> Construction:
            return parts_of_mislabel(
                self.figure.source, self.lab.data[0], next_labels, attack, seed=self.lab.seed
            )

        setting = self.setting(repr(attack)) + self.lab.lineage("D_det")
        return self.lab.store.dataset(f"D_det sparing {weight:g}", setting, begin)

    def student(self, weight: float) -> nn.Module:
        """A fresh model of the source's architecture trained on such a set;
        with the same first weights and order for each.
        """
        name, what = f"student sparing {weight:g}", f"student of {weight:g}"
        return self._train(name, what, lambda: self.dataset(weight), student_seed(self.lab.seed))

    def row(self, weight: float) -> dict:
        """On test images: whom the push fools, and how far it pulls them towards t all the same.

        And what a student learns.
        """
        setting = self.setting(f"row {weight:g}, {self.figure.preset}")
        return self.lab.store.value(f"converse {weight:g}", setting, partial(self._measure, weight))

    def _measure(self, weight: float) -> dict:
        figure, test, student = self.figure, self.lab.data[1], self.student(weight)
        made = craft(figure.source, test, self.attack(weight), figure.aims)
        strangers = {kind: figure.target(kind) for kind in figure.preset.architectures}
        noise, everybody = made.noise(self.lab.seed), {"source": figure.source, **strangers}
        shifted = Dataset(test.images, figure.aims, test.classes)
        return {
            "source": made.rate(figure.source),
            "spared": [made.rate(model) for model in self.spared()],
            "strangers": {kind: made.rate(model) for kind, model in strangers.items()},
            "pull": {kind: round(made.pull(model), 3) for kind, model in everybody.items()},
            "pull of noise": {kind: round(noise.pull(model), 3) for kind, model in strangers.items()},
            "student": accuracy(student, test),
            "student says y + 1": accuracy(student, shifted),
        }


def spared_seeds(seed: int) -> list[int]:
    """The training seeds of the spared models of a run."""
    return [2000 + 100 * seed + i for i in range(SPARED)]


def student_seed(seed: int) -> int:
    """The training seed of both students of a run: what differs is their training set."""
    return 2050 + 100 * seed


def begin(preset: Preset, **of_lab: Any) -> Converse:
    """The experiment on a preset of Figure 3."""
    return Converse(Figure3(preset, **of_lab))


def pieces(converse: Converse) -> list[Piece]:
    """Everything that `report` needs, in the order of its making."""
    lab, n, m = converse.lab, *(len(part) for part in converse.lab.data)
    once, fit = cost(lab.preset, n, m), 3 * lab.preset.student.epochs * n
    found = [Piece(name, once[name], partial(lab.make, name)) for name in ("teacher", "D_det")]
    found += trainings(converse.figure)
    found += [Piece(f"spared {i}", fit, converse.spared) for i in range(SPARED)]
    return found + [piece for weight in WEIGHTS for piece in pieces_of(converse, weight)]


def pieces_of(converse: Converse, weight: float) -> Iterator[Piece]:
    """The set of a weight, its student, and what is measured of the two."""
    lab, n, m = converse.lab, *(len(part) for part in converse.lab.data)
    push, others = 2 * lab.preset.push.steps, len(converse.figure.preset.architectures)
    if weight:
        making = (1 + SPARED) * push * n
        yield Piece(f"D_det sparing {weight:g}", making, partial(converse.dataset, weight))
    fit = 3 * lab.preset.student.epochs * n
    yield Piece(f"student sparing {weight:g}", fit, partial(converse.student, weight))
    rates = (push + 3 * others + SPARED) * m
    yield Piece(f"converse {weight:g}", rates, partial(converse.row, weight))


def report(converse: Converse) -> Report:
    """All weights: what results/*-converse-*.json holds."""
    rows = {f"{weight:g}": converse.row(weight) for weight in WEIGHTS}
    return report_of(converse.figure.preset, converse.lab.seed, rows, spared=SPARED)


def text_table(report: Report) -> str:
    """What a student learns, and how many the push fools, for a terminal."""
    lines = [
        f"{'weight of sparing':<20}{'student':>9}{'source':>9}{'strangers':>11}   %, mean of the strangers"
    ]
    for weight, row in report["rows"].items():
        fooled = 100 * sum(row["strangers"].values()) / len(row["strangers"])
        right, source = 100 * row["student"], 100 * row["source"]
        lines.append(f"{weight:<20}{right:9.1f}{source:9.1f}{fooled:11.1f}")
    return "\n".join(lines)
