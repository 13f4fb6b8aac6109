"""The evidence of sections 3.1 and 3.2 as one experiment: models, constructed datasets, retraining, accuracy with intervals.

A `Lab` makes each piece when it is first asked for, from the pieces it needs, and keeps it in a Store: asking again loads it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import cached_property

from torch import nn

from featlab import claims, constructed, engine, models, parallel, speed
from featlab.attacks import L2, PGD
from featlab.constructed import mislabelling, robustifying
from featlab.data import load
from featlab.presets import CONSTRUCTED, CONTROLS, FURTHER, MATCHED, MODELS, PRESETS, PUSHED, ROWS, RULES, Preset, cost, measuring
from featlab.results import Store, provenance
from featlab.training import Accuracy, Recipe, Training, accuracy
from featlab.types import Dataset


def known(name: str, names: Iterable[str], what: str) -> str:
    """The name, if it is one of the names."""
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}: choose one of {', '.join(names)}")
    return name


class Lab:
    """One run of the experiment: lab.model("robust"), lab.dataset("D_R"), lab.student("D_R"), lab.row("D_R"), lab.table().

    Each is loaded from the store or made, and what it needs before it.
    """

    def __init__(self, preset: Preset | str = "laptop", *, seed: int = 0, store: Store | None = None):
        self.preset = PRESETS[known(preset, PRESETS, "preset")] if isinstance(preset, str) else preset
        self.seed, self.store = seed, store or Store()
        self.last: tuple[str, Dataset] | None = None  # the set made last: what follows is a training on it

    @cached_property
    def data(self) -> tuple[Dataset, Dataset]:
        """D: train, test."""
        train, test = load(self.preset.data)
        return train[: self.preset.images or len(train)], test[: self.preset.tests or len(test)]

    def _trained(
        self, name: str, setting: str, data: Callable[[], Dataset], recipe: Recipe, *, seed: int, attack: PGD | None = None, kind: str = ""
    ) -> nn.Module:
        def begin(model: nn.Module) -> Training:
            return Training(model, data(), attack=attack, recipe=recipe, seed=seed)

        fresh = models.build(kind or self.preset.model, self.data[0])
        return self.store.model(name, f"{setting}; {engine.describe_precision()}", fresh, begin)

    def setting(self, name: str) -> str:
        """The text that says how the piece `name` is made, down to the images."""
        p, seed = self.preset, self.seed
        source = f"{p.model} on {p.data}[:{p.images or ''}]"
        if name == "teacher" and p.teacher is None:
            name = "standard"
        if name in MODELS:
            recipe = {"standard": p.student, "teacher": p.teacher, "robust": f"{p.defence}, {p.inner}"}[name]
            return f"{source}, {recipe}, seed {10 * seed + MODELS.index(name)}"
        if name in MATCHED:
            model, start = MATCHED[name]
            how = f"{p.inversion}{'' if p.decay else ' constant'} seed {seed}{'' if start == 'images' else ' from ' + start}"
            return f"robustify {how} from ({self.setting(model)})"
        if name in PUSHED:
            model, rule = PUSHED[name]
            return f"mislabel {rule.__name__} {p.push} seed {seed} from ({self.setting(model)})"
        return f"mislabel {RULES[name.split()[0]].__name__} unperturbed seed {seed} of {source}"

    def model(self, name: str) -> nn.Module:
        """A model trained on D: "standard", "robust" (adversarially), "teacher" (its adversarial examples make D_rand and D_det)."""
        p = self.preset
        if known(name, MODELS, "model") == "teacher" and p.teacher is None:
            name = "standard"
        recipe, attack = {"standard": p.student, "teacher": p.teacher, "robust": p.defence}[name], p.inner if name == "robust" else None
        seed = 10 * self.seed + MODELS.index(name)
        return self._trained(name, self.setting(name), lambda: self.data[0], recipe, seed=seed, attack=attack)

    def dataset(self, name: str) -> Dataset:
        """A training set: "D", one of the constructed ones (those of the appendix too), or a control."""
        train, _ = self.data
        if name == "D":
            return train
        known(name, ("D", *CONSTRUCTED, *CONTROLS, *FURTHER), "dataset")
        if name in CONTROLS:
            return constructed.mislabel(self.model("teacher"), train, RULES[name.split()[0]], None, seed=self.seed)
        if self.last is None or self.last[0] != name:
            setting = f"{self.setting(name)}; {engine.describe_precision()}"
            self.last = name, self.store.dataset(name, setting, lambda: self.construction(name, train))
        return self.last[1]

    def construction(self, name: str, data: Dataset) -> constructed.Construction:
        """How the set `name` is made, of any images: the training set's, or the test set's (appendix D.3)."""
        if name in PUSHED:
            model, rule = PUSHED[name]
            return mislabelling(self.model(model), data, rule, self.preset.push, seed=self.seed)
        (model, start), (steps, step) = MATCHED[name], self.preset.inversion
        return robustifying(self.model(model), data, steps=steps, step=step, decay=self.preset.decay, start=start, seed=self.seed)

    def student(self, name: str, kind: str = "") -> nn.Module:
        """A fresh model trained normally on a training set, evaluated elsewhere on the real test set; "D" gives the standard model.

        kind  another architecture than the preset's, by its name
        """
        if name == "D" and not kind:
            return self.model("standard")
        order = (*CONSTRUCTED, *CONTROLS, *FURTHER, "D")
        recipe, number = self.preset.recipe(name), 3 + order.index(known(name, order, "training set"))
        seed = 10 * self.seed + number if number < 10 and not kind else 1000 + 100 * self.seed + number
        setting = self.setting(name) if name != "D" else f"{self.preset.data}[:{self.preset.images or ''}]"
        setting = f"{kind or self.preset.model} on ({setting}), {recipe}, seed {seed}"
        label = f"student of {name}" + (f" ({kind})" if kind else "")
        return self._trained(label, setting, lambda: self.dataset(name), recipe, seed=seed, kind=kind)

    def row(self, name: str) -> dict:
        """Accuracy on the real test set, clean and under attack at each radius, with 95 % intervals."""
        known(name, (*ROWS, *FURTHER), "row")
        attacks = {f"{radius:g}": PGD(L2(radius), steps=self.preset.steps) for radius in self.preset.radii}

        model, (_, test) = self.model("robust") if name == "robust" else self.student(name), self.data

        def measure() -> dict:
            attacked = {radius: entry(accuracy(model, test, attack)) for radius, attack in attacks.items()}
            return {"clean": entry(accuracy(model, test)), "attacked": attacked}

        return self.value(f"accuracy of {name}", measure)

    def value(self, name: str, measure: Callable[[], object]) -> object:
        """What `measure` gives for this preset and seed, once."""
        return self.store.value(name, f"{self.preset} seed {self.seed} {name} {engine.describe_precision()}", measure)

    def make(self, piece: str) -> nn.Module | Dataset | dict:
        """Make or load a piece by its name: "robust", "D_R", "student of D_R", "accuracy of D_R"."""
        what, _, name = piece.rpartition(" of ")
        ask = {"student": self.student, "accuracy": self.row}.get(what) or (self.model if name in MODELS else self.dataset)
        return ask(name)

    def pieces(self) -> Iterator[str]:
        """Make or load every piece, one after the other, and yield its name."""
        for piece in (*self.preset.models(), *(piece for name in ROWS for piece in needed(name))):
            self.make(piece)
            yield piece

    def table(self) -> dict[str, dict]:
        """All rows, in the order of the paper."""
        return {name: self.row(name) for name in ROWS}

    def report(self) -> dict:
        """The table with everything needed to read it, as it was when it was measured: what results/*.json holds."""
        return self.value("report", self._report)

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
            "stages": self.stages(),
            "peak": round(peak() / speed.GIGA),
        }

    def stages(self) -> dict[str, dict[str, float]]:
        """Of each piece that was made: seconds, operations (10^15), share of the measured matrix-product peak."""
        each = speed.flops(models.build(self.preset.model, self.data[0]).to(engine.device()), self.data[0].images.shape[1:])
        passes, best = cost(self.preset, *(len(part) for part in self.data)), peak()
        for name in ROWS:  # only the images that are right are attacked
            clean = self.row(name)["clean"]
            passes[f"accuracy of {name}"] = measuring(self.preset, clean["n"], round(clean["value"] * clean["n"]))
        took = {name: seconds for name, seconds in self.store.seconds.items() if name in passes}
        work = {name: passes[name] * each for name in took}
        return {
            name: {"seconds": s, "pflop": round(work[name] / speed.PETA, 6), "share": round(work[name] / max(s, 0.01) / best, 4)}
            for name, s in took.items()
        }


def peak() -> float:
    """Operations a second of large matrix products on all devices that share the work."""
    return parallel.world() * speed.peak(engine.device().type)


def needed(row: str) -> tuple[str, ...]:
    """The pieces of a row, in the order of their making, after the models trained on D."""
    made = ((row,) if row in (*MATCHED, *PUSHED) else ()) + (() if row in ("D", "robust") else (f"student of {row}",))
    return (*made, f"accuracy of {row}")


def costs(lab: Lab) -> dict[str, float]:
    """Passes of images through the network that each piece takes."""
    return cost(lab.preset, *(len(part) for part in lab.data))


def columns(row: dict) -> dict[str, tuple[float, float, float]]:
    """A row as bars: "clean" or "l2 radius" -> (value, low, high)."""
    entries = {"clean": row["clean"], **{f"under l2 {radius}": e for radius, e in row["attacked"].items()}}
    return {name: (e["value"], e["low"], e["high"]) for name, e in entries.items()}


def entry(value: Accuracy) -> dict[str, float]:
    """An accuracy for a json file."""
    low, high = value.interval
    return {"value": round(float(value), 4), "low": round(low, 4), "high": round(high, 4), "n": value.n}
