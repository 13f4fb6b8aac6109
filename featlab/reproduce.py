"""The evidence of sections 3.1 and 3.2 as one experiment: models, constructed datasets, retraining, accuracy with intervals.

A `Lab` makes each piece when it is first asked for, from the pieces it needs, and keeps it in a Store: asking again loads it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property

from torch import nn

from featlab import claims, constructed, engine, models
from featlab.attacks import L2, PGD
from featlab.constructed import mislabelling, robustifying
from featlab.data import load
from featlab.results import Store, provenance
from featlab.training import Accuracy, Recipe, Training, accuracy
from featlab.types import Dataset

RULES = {"D_rand": constructed.random_labels, "D_other": constructed.other_labels, "D_det": constructed.next_labels}
CONSTRUCTED = ("D_R", "D_NR", *RULES)
CONTROLS = ("D_rand control", "D_det control")
ROWS = ("D", "robust", *CONSTRUCTED, *CONTROLS)
MEANING = {
    "D": "the real training set",
    "robust": "the real training set, adversarially (eq. 3)",
    "D_R": "images matched to a robust model's features (3.1)",
    "D_NR": "images matched to a standard model's features (3.1)",
    "D_rand": "images pushed towards a random label t, labelled t (3.2)",
    "D_other": "the same with t other than the true label",
    "D_det": "images pushed towards the next label y + 1, labelled so (3.2)",
    "D_rand control": "the labels of D_rand on unperturbed images",
    "D_det control": "the labels of D_det on unperturbed images",
}


@dataclass(frozen=True)
class Preset:
    """Everything that a run of the experiment depends on, but the seed. Radii and steps are l2, in pixels of [0, 1].

    images        training images used, 0 for all
    tests         test images used, 0 for all
    student       how the standard model and each fresh model are trained
    teacher       how the model is trained whose adversarial examples make D_rand and D_det
    defence       how the robust model is trained, under the attack `inner`
    inversion     steps and first step of robustify
    push          the targeted attack of mislabel
    radii, steps  of the attack under which accuracy is measured
    """

    data: str = "fashion-mnist"
    model: str = "cnn"
    images: int = 0
    tests: int = 0
    student: Recipe = Recipe()
    teacher: Recipe = Recipe(epochs=2, lr=0.2, weight_decay=5e-4)
    defence: Recipe = Recipe(epochs=4, lr=0.2, weight_decay=5e-4)
    inner: PGD = PGD(L2(1.0), steps=5)
    inversion: tuple[int, float] = (30, 1.2)
    push: PGD = PGD(L2(1.5), steps=15, targeted=True)
    radii: tuple[float, ...] = (0.5, 1.0)
    steps: int = 20


PRESETS = {
    "laptop": Preset(),
    "quick": Preset(images=5000, tests=1000, inversion=(20, 1.8), steps=10),
}


def known(name: str, names: Iterable[str], what: str) -> str:
    """The name, if it is one of the names."""
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}: choose one of {', '.join(names)}")
    return name


def cost(p: Preset, train: int, test: int) -> dict[str, float]:
    """Passes of images through the network, forward or backward, that each piece takes: what a progress bar counts in."""
    inner, push, inversion = p.inner.steps, p.push.steps, p.inversion[0]
    pieces = {"standard": 3 * p.student.epochs * train, "teacher": 3 * p.teacher.epochs * train}
    pieces["robust"] = (3 + 2 * inner) * p.defence.epochs * train
    pieces |= {name: 2 * inversion * train for name in ("D_R", "D_NR")} | {name: 2 * push * train for name in RULES}
    pieces |= {f"student of {name}": 3 * p.student.epochs * train for name in (*CONSTRUCTED, *CONTROLS)}
    return pieces | {f"accuracy of {row}": (1 + 2 * p.steps * len(p.radii)) * test for row in ROWS}


class Lab:
    """One run of the experiment: lab.model("robust"), lab.dataset("D_R"), lab.student("D_R"), lab.row("D_R"), lab.table().

    Each is loaded from the store or made, and what it needs before it.
    """

    def __init__(self, preset: Preset | str = "laptop", *, seed: int = 0, store: Store | None = None):
        self.preset = PRESETS[known(preset, PRESETS, "preset")] if isinstance(preset, str) else preset
        self.seed, self.store = seed, store or Store()

    @cached_property
    def data(self) -> tuple[Dataset, Dataset]:
        """D: train, test."""
        train, test = load(self.preset.data)
        return train[: self.preset.images or len(train)], test[: self.preset.tests or len(test)]

    def _trained(
        self, name: str, setting: str, data: Callable[[], Dataset], recipe: Recipe, seed: int, attack: PGD | None = None
    ) -> nn.Module:
        def begin(model: nn.Module) -> Training:
            return Training(model, data(), attack=attack, recipe=recipe, seed=seed)

        return self.store.model(name, f"{setting}; {engine.describe_precision()}", models.build(self.preset.model, self.data[0]), begin)

    def _setting(self, name: str) -> str:
        """The text that says how the piece `name` is made, down to the images."""
        p, seed = self.preset, self.seed
        source = f"{p.model} on {p.data}[:{p.images or ''}]"
        texts = {
            "standard": f"{source}, {p.student}, seed {10 * seed}",
            "teacher": f"{source}, {p.teacher}, seed {10 * seed + 1}",
            "robust": f"{source}, {p.defence}, {p.inner}, seed {10 * seed + 2}",
        }
        inverted = f"robustify {p.inversion} seed {seed}"
        texts |= {"D_R": f"{inverted} from ({texts['robust']})", "D_NR": f"{inverted} from ({texts['standard']})"}
        texts |= {row: f"mislabel {rule.__name__} {p.push} seed {seed} from ({texts['teacher']})" for row, rule in RULES.items()}
        for control in CONTROLS:
            texts[control] = f"mislabel {RULES[control.split()[0]].__name__} unperturbed seed {seed} of {source}"
        return texts[name]

    def model(self, name: str) -> nn.Module:
        """A model trained on D: "standard", "robust" (adversarially), "teacher" (briefly: its adversarial examples make D_rand, D_det)."""
        p, order = self.preset, ("standard", "teacher", "robust")
        recipes = {"standard": p.student, "teacher": p.teacher, "robust": p.defence}
        known(name, order, "model")
        attack = p.inner if name == "robust" else None
        return self._trained(name, self._setting(name), lambda: self.data[0], recipes[name], 10 * self.seed + order.index(name), attack)

    def dataset(self, name: str) -> Dataset:
        """A training set: "D", one of the constructed ones, or a control."""
        train, _ = self.data
        if name == "D":
            return train
        known(name, ("D", *CONSTRUCTED, *CONTROLS), "dataset")
        if name in CONTROLS:
            return constructed.mislabel(self.model("teacher"), train, RULES[name.split()[0]], None, seed=self.seed)

        def begin() -> constructed.Construction:
            if name in RULES:
                return mislabelling(self.model("teacher"), train, RULES[name], self.preset.push, seed=self.seed)
            steps, step = self.preset.inversion
            return robustifying(self.model("robust" if name == "D_R" else "standard"), train, steps=steps, step=step, seed=self.seed)

        return self.store.dataset(name, f"{self._setting(name)}; {engine.describe_precision()}", begin)

    def student(self, name: str) -> nn.Module:
        """A fresh model trained normally on a training set, evaluated elsewhere on the real test set; "D" gives the standard model."""
        if name == "D":
            return self.model("standard")
        known(name, (*CONSTRUCTED, *CONTROLS), "training set")
        seed = 10 * self.seed + 3 + (*CONSTRUCTED, *CONTROLS).index(name)
        setting = f"{self.preset.model} on ({self._setting(name)}), {self.preset.student}, seed {seed}"
        return self._trained(f"student of {name}", setting, lambda: self.dataset(name), self.preset.student, seed)

    def row(self, name: str) -> dict:
        """Accuracy on the real test set, clean and under attack at each radius, with 95 % intervals."""
        known(name, ROWS, "row")
        attacks = {f"{radius:g}": PGD(L2(radius), steps=self.preset.steps) for radius in self.preset.radii}

        model, (_, test) = self.model("robust") if name == "robust" else self.student(name), self.data

        def measure() -> dict:
            attacked = {radius: entry(accuracy(model, test, attack)) for radius, attack in attacks.items()}
            return {"clean": entry(accuracy(model, test)), "attacked": attacked}

        return self.store.value(f"accuracy of {name}", f"{self.preset} seed {self.seed} {name} {engine.describe_precision()}", measure)

    def pieces(self) -> Iterator[str]:
        """Make or load every piece, one after the other, and yield its name."""
        for name in ("standard", "teacher", "robust"):
            self.model(name)
            yield name
        for name in ROWS:
            if name in CONSTRUCTED:
                self.dataset(name)
                yield name
            if name in (*CONSTRUCTED, *CONTROLS):
                self.student(name)
                yield f"student of {name}"
            self.row(name)
            yield f"accuracy of {name}"

    def table(self) -> dict[str, dict]:
        """All rows, in the order of the paper."""
        return {name: self.row(name) for name in ROWS}

    def report(self) -> dict:
        """The table with everything needed to read it, as it was when it was measured: what results/*.json holds."""
        return self.store.value("report", f"{self.preset} seed {self.seed} {engine.describe_precision()}", self._report)

    def _report(self) -> dict:
        rows = self.table()
        middle = f"{self.preset.radii[0]:g}"
        judged = [{"section": c.where, "claim": c.says, "agrees": ok} for c, ok in claims.verdicts(rows, middle)]
        settings = {f.name: str(getattr(self.preset, f.name)) for f in fields(self.preset)}
        return {
            "seed": self.seed,
            "preset": settings,
            "provenance": provenance(),
            "rows": rows,
            "claims": judged,
            "seconds": self.store.seconds,
        }


def columns(row: dict) -> dict[str, tuple[float, float, float]]:
    """A row as bars: "clean" or "l2 radius" -> (value, low, high)."""
    entries = {"clean": row["clean"], **{f"under l2 {radius}": e for radius, e in row["attacked"].items()}}
    return {name: (e["value"], e["low"], e["high"]) for name, e in entries.items()}


def entry(value: Accuracy) -> dict[str, float]:
    """An accuracy for a json file."""
    low, high = value.interval
    return {"value": round(float(value), 4), "low": round(low, 4), "high": round(high, 4), "n": value.n}
