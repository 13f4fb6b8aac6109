"""One run of the experiment of sections 3.1 and 3.2: models, constructed datasets, students, accuracies.

A `Lab` makes each piece when it is first asked for, from the pieces it needs, and keeps it in a Store: asking
again loads it.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from featlab import constructed, models
from featlab.attacks import L2, PGD
from featlab.constructed import Inversion, parts_of_mislabel, parts_of_robustify
from featlab.constructed.inversion import beginnings
from featlab.data import load
from featlab.engine import devices
from featlab.experiments.presets import (
    BASIS,
    EXTRA_ROWS,
    FURTHER,
    MATCHED,
    MODELS,
    PRESETS,
    PUSHED,
    ROWS,
    STATIC,
    UNPERTURBED,
    UNTRAINED,
    Preset,
    choose,
)
from featlab.experiments.progress import bar
from featlab.experiments.settings import SETS, STUDENT, Fit, Settings
from featlab.experiments.store import Store
from featlab.inputs.checks import Size, instance, known, sides, whole
from featlab.models import Classifier
from featlab.parts import Construction
from featlab.training import Training, accuracy
from featlab.types import Dataset


class Lab:
    """One run of the experiment: lab.model("robust"), lab.dataset("D_R"), lab.student("D_R"), lab.row("D_R"),
    lab.table().

    Each is loaded from the store or made, and what it needs before it. `size` is for a folder of images: see
    load. Without a store of your own it is featlab's cache folder, and a bar shows what is made.

    An unknown preset, model, set or row is refused with a ValueError that names those there are.
    """

    def __init__(
        self,
        preset: Preset | str = "laptop",
        *,
        seed: int = 0,
        size: Size | None = None,
        store: Store | None = None,
    ):
        self.preset = choose(preset, PRESETS)
        self.seed, self.size = whole(seed, "seed"), size
        if size is not None:
            sides(size)
        store = Store(progress=bar) if store is None else store
        self.store = instance(store, Store, "store must be a Store, such as fl.Store(folder)")
        self.last: tuple[str, Dataset] | None = None  # the set made last: what follows is a training on it

    @cached_property
    def data(self) -> tuple[Dataset, Dataset]:
        """D: train, test."""
        train, test = load(self.preset.data, size=self.size)
        return train[: self.preset.images or len(train)], test[: self.preset.tests or len(test)]

    @property
    def settings(self) -> Settings:
        """How each network and each set is made."""
        return Settings(self.preset, self.seed, self.data[0].fingerprint)

    def setting(self, name: str) -> str:
        """The text that says how a network or a set is made, down to the images: "robust", "D_R",
        "student of D_R".
        """
        return self.settings.of(name)

    def train(self, name: str, fit: Fit, data: Callable[[], Dataset], *, lineage: str = "") -> Classifier:
        """A network trained as `fit` says on what `data()` gives, from the store if it is there."""

        def begin(model: Classifier) -> Training:
            return Training(model, data(), attack=fit.attack, recipe=fit.recipe, seed=fit.seed)

        fresh = models.build(fit.model, self.data[0])
        return self.store.model(name, fit.setting, fresh, begin, lineage=lineage)

    def model(self, name: str) -> Classifier:
        """A model trained on D: "standard", "robust" (adversarially),
        "teacher" (its adversarial examples make D_rand and D_det); or "untrained", with its first weights.
        """
        if known(name, (*MODELS, UNTRAINED), "model") == UNTRAINED:
            return untrained(self.settings.model(name), self.data[0])
        if name == "teacher" and self.preset.teacher is None:
            name = "standard"
        return self.train(name, self.settings.model(name), lambda: self.data[0])

    def dataset(self, name: str) -> Dataset:
        """A training set: "D", one of the constructed ones (those of the appendix too), or a control."""
        train, _ = self.data
        if known(name, ("D", *SETS, *EXTRA_ROWS), "dataset") == "D":
            return train
        if name in BASIS:
            return self.relative(name)
        if name in UNPERTURBED:
            model, images = self.model("teacher"), self.images(name)
            return constructed.mislabel(model, images, UNPERTURBED[name], None, seed=self.seed)
        if self.last is None or self.last[0] != name:
            setting = f"{self.setting(name)}{self.lineage(name)}; {devices.describe_precision()}"
            made = self.store.dataset(name, setting, lambda: self.construction(name, self.images(name)))
            self.last = name, made
        return self.last[1]

    def images(self, name: str) -> Dataset:
        """The images that a set is made of: the training set's, or static."""
        train, _ = self.data
        return constructed.static(len(train), like=train, seed=self.seed) if name in STATIC else train

    def relative(self, name: str) -> Dataset:
        """A set made of another one: poison, the images of D_det with their true labels; or the images of D
        moved towards the x_0 of D_R as far in pixels as those of D_R are from them.
        """
        train, basis = self.data[0], self.dataset(BASIS[name])
        if name == "poison":
            return replace(basis, labels=train.labels, report={})
        moved = L2.norm(basis.pixels - train.pixels)
        return constructed.blended(train, beginnings(train, "images", self.seed), moved)

    def lineage(self, name: str) -> str:
        """What the setting of a constructed set, and of what is trained on it, says more:
        whether it comes from a released network.
        """
        name = BASIS.get(name, name)
        if name not in MATCHED | PUSHED:
            return ""
        source = (MATCHED | PUSHED)[name][0]
        self.model(source)
        return self.store.lineage(self.setting(source))

    def construction(self, name: str, data: Dataset) -> Construction:
        """How the set `name` is made, of any images: the training set's, or the test set's (appendix D.3)."""
        p, seed = self.preset, self.seed
        if name in PUSHED:
            model, rule = PUSHED[name]
            return parts_of_mislabel(self.model(model), data, rule, p.push, seed=seed)
        (model, start), (steps, step) = MATCHED[name], p.inversion
        inversion = Inversion(steps, step, p.decay, start)
        return parts_of_robustify(self.model(model), data, inversion, seed=seed)

    def student(self, name: str, kind: str = "") -> Classifier:
        """A fresh model trained normally on a training set, evaluated elsewhere on the real test set; "D"
        gives the standard model.

        kind  another architecture than the preset's, by its name
        """
        if name == "D" and not kind:
            return self.model("standard")
        fit, label = self.settings.student(name, kind), f"{STUDENT}{label_of(name, kind)}"
        return self.train(label, fit, lambda: self.dataset(name), lineage=self.lineage(name))

    def row(self, name: str, kind: str = "") -> dict:
        """Accuracy on the real test set, clean and under attack at each radius, with 95 % intervals."""
        known(name, (*ROWS, *FURTHER, *EXTRA_ROWS), "row")
        model = self.model("robust") if name == "robust" else self.student(name, kind)
        test, p = self.data[1], self.preset

        def measure() -> dict:
            attacks = {f"{radius:g}": PGD(L2(radius), steps=p.steps) for radius in p.radii}
            attacked = {radius: accuracy(model, test, attack) for radius, attack in attacks.items()}
            return {"clean": accuracy(model, test), "attacked": attacked}

        return self.value(f"accuracy of {label_of(name, kind)}", measure)

    def value(self, name: str, measure: Callable[[], object]) -> Any:
        """What `measure` gives for this preset and seed, once."""
        return self.store.value(name, f"{self.identity} {name} {devices.describe_precision()}", measure)

    @property
    def identity(self) -> str:
        """What everything that is measured in this lab depends on: the preset, the contents of its images,
        the seed.
        """
        train, test = self.data
        return f"{self.preset} of {train.fingerprint} and {test.fingerprint} seed {self.seed}"

    def source(self, piece: str) -> str:
        """Where a network such as "student of D_det" is from: released with featlab, kept in the cache,
        or trained here.
        """
        self.make(piece)
        return self.store.sources[self.setting(piece)]

    def make(self, piece: str) -> Classifier | Dataset | dict:
        """Make or load a piece by its name: "robust", "D_R", "student of D_R", "accuracy of D_R"."""
        instance(piece, str, "a piece is asked for by its name, such as 'D_R' or 'student of D_R'")
        what, _, name = piece.rpartition(" of ")
        if what == "student":
            return self.student(name)
        if what == "accuracy":
            return self.row(name)
        return self.model(name) if name in MODELS else self.dataset(name)

    def table(self) -> dict[str, dict]:
        """All rows, in the order of the paper, and those beside them."""
        return {name: self.row(name) for name in self.preset.rows}


class Study:
    """An experiment on the networks of a lab. Its preset, which has the lab's, is one of `presets` or a name;
    what else it is given (seed, size, store) is the lab's.
    """

    presets: ClassVar[dict[str, Any]]

    def __init__(self, preset: Any = "laptop", **of_lab: Any):
        self.preset = choose(preset, self.presets)
        self.lab = Lab(self.preset.lab, **of_lab)


def untrained(fit: Fit, data: Dataset) -> Classifier:
    """A network that is ready for images like these, with its first weights."""
    model = models.build(fit.model, data)
    models.initialise(model, fit.seed)
    model.to(data.device).standardise(data.images)
    model.trained.fill_(True)
    return model.eval()


def label_of(name: str, kind: str = "") -> str:
    """What a student of another architecture is called: "D_R (residual)"."""
    return f"{name} ({kind})" if kind else name
