"""Equations (4), (7) and (8): what each set says about its labels, through features that a person may see
and through those of networks.

Five families of ten features: the outputs of a robust linear classifier, and the logits of the robust model
(of which D_R is made), of the standard model (D_NR), of the teacher (D_rand, D_other, D_det) and of an
independent network, of which nothing is made. A control has the labels of its set on the images that its
making began with: those of D, or for D_R and D_NR the images x_0.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from torch import nn

from featlab.constructed.inversion import beginnings
from featlab.debate import leakage
from featlab.engine import devices
from featlab.experiments.entries import Entry
from featlab.experiments.lab import Lab
from featlab.experiments.plan import Piece
from featlab.experiments.presets import CONSTRUCTED, FOR_DATA, MATCHED, PRESETS, PUSHED, Preset, cost
from featlab.experiments.reports import Report, report_of, spread
from featlab.experiments.settings import Fit
from featlab.features.signal import signal, standardise_classes
from featlab.types import Dataset

__all__ = ["FOR_DATA", "PRESETS", "SetSignal", "begin", "pieces", "report", "text_table"]
IMAGES = 3000  # of the training set, that the sets are made of here
WITHSTANDS = 1.5  # l2: what the robust linear classifier is trained against
SOURCES = {name: (MATCHED | PUSHED)[name][0] for name in CONSTRUCTED}  # whose features made each set
_NETWORKS = ("robust", "standard", "teacher", "independent")
FAMILIES = ("robust linear", *_NETWORKS)
# what a figure calls the families of a set: what people see, what the making used, what transfers
CALLED = (
    "visible: a robust linear classifier",
    "the network that made the set",
    "invisible: an independent standard network",
)


class SetSignal:
    """The sets of a lab, made of its first images, and the features that look at them: run.row("D_rand")."""

    def __init__(self, lab: Lab):
        self.lab = lab

    @cached_property
    def data(self) -> Dataset:
        """The images of D that the sets are made of."""
        return self.lab.data[0][:IMAGES]

    def network(self, family: str) -> nn.Module:
        """A network of the lab, or one that made no set."""
        if family == "robust linear":
            return leakage.robust_linear(self.lab.data[0], WITHSTANDS, seed=self.lab.seed)
        if family != "independent":
            return self.lab.model(family)
        p, seed = self.lab.preset, independent_seed(self.lab.seed)
        setting = f"{self.lab.settings.source}, {p.student}, seed {seed}"
        fit = Fit(setting, p.model, p.student, seed)
        return self.lab.train("independent", fit, lambda: self.lab.data[0])

    @cached_property
    def features(self) -> dict:
        """Each family, standardised under D."""
        return {name: standardise_classes(self.network(name).eval(), self.data) for name in FAMILIES}

    def dataset(self, name: str) -> Dataset:
        """A set, made of these images."""
        if name == "D":
            return self.data
        of = f"of {self.data.fingerprint}: {self.lab.setting(name)}{self.lab.lineage(name)}"
        setting = f"{of}; {devices.describe_precision()}"
        return self.lab.store.dataset(name, setting, lambda: self.lab.construction(name, self.data))

    def control(self, name: str) -> Dataset:
        """The labels of a set on the images that its making began with."""
        labels = self.dataset(name).labels
        if name in MATCHED:
            return replace(self.data, images=beginnings(self.data, "images", self.lab.seed), labels=labels)
        return replace(self.data, labels=labels)

    def row(self, name: str) -> dict[str, dict[str, Any]]:
        """How useful each family is under a set and under its control, and the difference, image by image."""
        return self.lab.value(f"signal of {name}", partial(self._measure, name))

    def _measure(self, name: str) -> dict[str, dict[str, Any]]:
        found = {}
        for family, f in self.features.items():
            useful = signal(f, self.dataset(name))
            found[family] = {"usefulness": useful}
            if name != "D":
                before = signal(f, self.control(name))
                found[family] |= {"control": before, "gain": useful - before}
        return found


def independent_seed(seed: int) -> int:
    """The training seed of the independent network of a run."""
    return 1090 + 100 * seed


def begin(preset: Preset, **of_lab: Any) -> SetSignal:
    """The experiment on a preset of the lab."""
    return SetSignal(Lab(preset, **of_lab))


def pieces(run: SetSignal) -> list[Piece]:
    """Everything that `report` needs, in the order of its making."""
    lab, n, m = run.lab, *(len(part) for part in run.lab.data)
    once = cost(lab.preset, n, m)
    found = [Piece(name, once[name], partial(lab.make, name)) for name in lab.preset.models()]
    found.append(Piece("independent", once["standard"], partial(run.network, "independent")))
    share = len(run.data) / n
    found += [Piece(name, share * once[name], partial(run.dataset, name)) for name in CONSTRUCTED]
    looks = 2 * len(FAMILIES) * len(run.data)
    return found + [Piece(f"signal of {row}", looks, partial(run.row, row)) for row in ("D", *CONSTRUCTED)]


def report(run: SetSignal) -> Report:
    """All sets: what results/*-signal-*.json holds."""
    rows = {name: run.row(name) for name in ("D", *CONSTRUCTED)}
    lab = run.lab
    return report_of(lab.preset, lab.seed, rows, sources=dict(SOURCES), seconds=lab.store.seconds)


def figure_spans(reports: Sequence[Report]) -> dict[str, dict[str, dict[str, tuple[float, float, float]]]]:
    """What the figure of the signals shows: for each set the robust linear features, those of the network
    that made it, and those of the independent one, each (value, low, high).

    The interval is that of one report over its images; over several, least and greatest.
    """
    found = {}
    for name in reports[0]["rows"]:
        source = reports[0]["sources"].get(name)
        kinds = zip(CALLED, ("robust linear", source, "independent"), strict=True)
        found[name] = {
            kind: {
                part: _span([report["rows"][name][family][part] for report in reports])
                for part in ("usefulness", "control")
                if part in reports[0]["rows"][name][family]
            }
            for kind, family in kinds
            if family
        }
    return found


def _span(entries: Sequence[Entry]) -> tuple[float, float, float]:
    """One number with its interval, or the mean of several with least and greatest."""
    return (float(entries[0]), *entries[0].interval) if len(entries) == 1 else spread(entries)


def text_table(report: Report) -> str:
    """Usefulness under each set and, in brackets, under its control, for a terminal."""
    lines = [f"{'':<10}" + "".join(f"{family:>16}" for family in FAMILIES)]
    for name, row in report["rows"].items():
        lines.append(f"{name:<10}" + "".join(f"{_cell(row[family]):>16}" for family in FAMILIES))
    return "\n".join(
        [*lines, "mean over the classes of E[y f], f standardised under D (in brackets: control)"]
    )


def _cell(found: dict[str, Entry]) -> str:
    """'.47 (-.01)'"""
    control = f" ({found['control']:+.2f})" if "control" in found else ""
    return f"{found['usefulness']:+.2f}{control}"
