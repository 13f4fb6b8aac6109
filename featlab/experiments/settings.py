"""How each network and each set of a run is made: its text, down to images and seed, which is its cache key.

Every network has a seed of its own, so that no two begin at the same weights.
"""

from dataclasses import dataclass

from featlab.attacks import PGD
from featlab.experiments.presets import (
    BASIS,
    CONSTRUCTED,
    CONTROLS,
    EXTRA_ROWS,
    FURTHER,
    MATCHED,
    MODELS,
    PUSHED,
    STATIC,
    UNPERTURBED,
    UNTRAINED,
    Preset,
)
from featlab.inputs.checks import known
from featlab.training import Recipe

STUDENT = "student of "
SETS = (*CONSTRUCTED, *CONTROLS, *FURTHER)
# training sets of students: a student's seed follows from the place of its set
TAUGHT = (*SETS, "D", *EXTRA_ROWS)


@dataclass(frozen=True)
class Fit:
    """How a network is trained: all but its data, which `setting` names.

    model    its architecture, by name
    attack   the inner attack of adversarial training
    """

    setting: str
    model: str
    recipe: Recipe
    seed: int
    attack: PGD | None = None


@dataclass(frozen=True)
class Settings:
    """The settings of a run: settings.of("robust"), settings.of("D_R"), settings.of("student of D_R").

    images  the fingerprint of D's training images
    """

    preset: Preset
    seed: int
    images: str

    def of(self, name: str) -> str:
        """The text that says how a network or a set is made."""
        if name.startswith(STUDENT):
            return self.student(name.removeprefix(STUDENT)).setting
        return self.model(name).setting if name in (*MODELS, UNTRAINED) else self.dataset(name)

    @property
    def source(self) -> str:
        """What is trained on D, and on which images."""
        p = self.preset
        return f"{p.model} on {p.data}[:{p.images or ''}] {self.images}"

    def model(self, name: str) -> Fit:
        """How a network is trained on D: "standard", "teacher" (which may be the standard one), "robust"; or
        that one is not trained at all.
        """
        p = self.preset
        if name == UNTRAINED:
            seed = 1099 + 100 * self.seed
            return Fit(f"{self.source}, untrained, seed {seed}", p.model, p.student, seed)
        name = "standard" if name == "teacher" and p.teacher is None else known(name, MODELS, "model")
        seed = 10 * self.seed + MODELS.index(name)
        recipe, attack = p.model_recipe(name), p.inner if name == "robust" else None
        how = f"{recipe}, {attack}" if attack else f"{recipe}"
        return Fit(f"{self.source}, {how}, seed {seed}", p.model, recipe, seed, attack)

    def dataset(self, name: str) -> str:
        """How a training set is made of D: constructed, or a control."""
        p, seed = self.preset, self.seed
        if known(name, (*SETS, *EXTRA_ROWS), "dataset") in BASIS:
            return f"{name} of ({self.dataset(BASIS[name])})"
        if name in MATCHED:
            model, start = MATCHED[name]
            constant = "" if p.decay else " constant"
            begun = "" if start == "images" else f" from {start}"
            return f"robustify {p.inversion}{constant} seed {seed}{begun} from ({self.of(model)})"
        static = " of static" if name in STATIC else ""
        if name in PUSHED:
            model, rule = PUSHED[name]
            return f"mislabel {rule.__name__} {p.push} seed {seed}{static} from ({self.of(model)})"
        return f"mislabel {UNPERTURBED[name].__name__} unperturbed seed {seed}{static} of {self.source}"

    def student(self, name: str, kind: str = "") -> Fit:
        """How a fresh network is trained on a training set; `kind` is another architecture than the preset's.

        The sets of the table have the seeds between the models of this run and those of the next.
        """
        p, number = self.preset, 3 + TAUGHT.index(known(name, TAUGHT, "training set"))
        seed = 10 * self.seed + number if number < 10 and not kind else 1000 + 100 * self.seed + number
        data = f"{p.data} {self.images}" if name == "D" else self.dataset(name)
        model, recipe = kind or p.model, p.recipe(name)
        return Fit(f"{model} on ({data}), {recipe}, seed {seed}", model, recipe, seed)
