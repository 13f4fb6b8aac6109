"""Presets: everything that a run of the experiment depends on but the seed, and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from featlab import constructed
from featlab.attacks import L2, PGD
from featlab.inputs.checks import instance, known
from featlab.training import Recipe

RULES = {
    "D_rand": constructed.random_labels,
    "D_other": constructed.other_labels,
    "D_det": constructed.next_labels,
}
CONSTRUCTED = ("D_R", "D_NR", *RULES)
CONTROLS = {f"{name} control": RULES[name] for name in ("D_rand", "D_det")}  # the rule of each
ROWS = ("D", "robust", *CONSTRUCTED, *CONTROLS)
# of uniform noise instead of D's images
STATIC = ("D_static", "D_static control", "D_static untrained")
# beside the paper's rows: controls that they lack, the mirror of D_det, and what static teaches
EXTRA_ROWS = ("D_other control", "poison", *STATIC, "D_R blend", "D_R untrained")
UNPERTURBED = CONTROLS | {
    "D_other control": RULES["D_other"],
    "D_static control": RULES["D_rand"],
}
BASIS = {"poison": "D_det", "D_R blend": "D_R"}  # sets made of another one
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
    "D_other control": "the labels of D_other on unperturbed images",
    "poison": "the images of D_det with their true labels (Fowl et al. 2021)",
    "D_static": "uniform noise pushed towards a random label, labelled so (Kumano et al. 2024)",
    "D_static control": "the labels of D_static on unperturbed noise",
    "D_static untrained": "the noise pushed by a network that was not trained",
    "D_R blend": "images moved straight towards x_0, as far in pixels as D_R's are from x",
    "D_R untrained": "images matched to the features of a network that was not trained",
}
UNTRAINED = "untrained"  # a network with its first weights
# how each set is made: the model whose features are matched and where the search begins; the model that is
# pushed against and the rule
MATCHED = {
    f"{name}{end}": (model, start)
    for end, start in (("", "images"), (" from noise", "noise"))
    for name, model in (("D_R", "robust"), ("D_NR", "standard"))
} | {"D_R untrained": (UNTRAINED, "images")}
PUSHED = {name: ("teacher", rule) for name, rule in RULES.items()} | {
    "D_det from robust": ("robust", constructed.next_labels),
    "D_static": ("standard", constructed.random_labels),
    "D_static untrained": (UNTRAINED, constructed.random_labels),
}
FURTHER = ("D_R from noise", "D_NR from noise", "D_det from robust")  # appendix D.1, D.6
MODELS = ("standard", "teacher", "robust")


@dataclass(frozen=True)
class Preset:
    """Everything that a run of the experiment depends on, but the seed.

    Radii and steps are l2, in pixels of [0, 1].

    images        training images used, 0 for all
    tests         test images used, 0 for all
    student       how the standard model and each fresh model are trained
    teacher       how the model is trained whose adversarial examples make D_rand and D_det; None: it is the
                  standard model, as in the paper
    defence       how the robust model is trained, under the attack `inner`
    inversion     steps and first step of robustify
    push          the targeted attack of mislabel
    radii, steps  of the attack under which accuracy is measured
    decay         whether the steps of robustify grow shorter
    students      recipes of the students that need one of their own: (("D_rand", Recipe(...)), ...)
    beside        rows of the table beside the paper's; no key depends on them
    """

    data: str = "fashion-mnist"
    model: str = "cnn"
    images: int = 0
    tests: int = 0
    student: Recipe = Recipe()
    teacher: Recipe | None = Recipe(epochs=2, lr=0.2, weight_decay=5e-4)
    defence: Recipe = Recipe(epochs=4, lr=0.2, weight_decay=5e-4)
    inner: PGD = PGD(L2(1.0), steps=5)
    inversion: tuple[int, float] = (30, 1.2)
    push: PGD = PGD(L2(1.5), steps=15, targeted=True)
    radii: tuple[float, ...] = (0.5, 1.0)
    steps: int = 20
    decay: bool = True
    students: tuple[tuple[str, Recipe], ...] = ()
    beside: tuple[str, ...] = field(default=EXTRA_ROWS, repr=False)

    @property
    def rows(self) -> tuple[str, ...]:
        """The training sets that the table compares."""
        return (*ROWS, *self.beside)

    def recipe(self, row: str) -> Recipe:
        """How the student of a training set is trained."""
        return dict(self.students).get(row, self.student)

    def models(self) -> tuple[str, ...]:
        """The models trained on D."""
        return MODELS if self.teacher else ("standard", "robust")

    def model_recipe(self, model: str) -> Recipe:
        """How a model is trained on D; without a recipe of its own the teacher is the standard one."""
        teacher = self.teacher or self.student
        return {"standard": self.student, "teacher": teacher, "robust": self.defence}[model]


def wrong_labels(recipe: Recipe, **changes: Any) -> tuple[tuple[str, Recipe], ...]:
    """The same recipe for every set whose labels are random, and for its control."""
    return tuple((row, replace(recipe, **changes)) for row in ("D_rand", "D_other", "D_rand control"))


# the defaults of the authors' library: 150 epochs, a tenth of the rate after 50 and after 100; the rates for
# D_rand and D_det, and no augmentation for D_det, are those with which published replications succeeded
_PAPER = Recipe(
    epochs=150, batch=128, lr=0.1, schedule="step", weight_decay=5e-4, augment=4, colour=0.25, turn=2.0
)
_PLAIN = replace(_PAPER, augment=0, colour=0.0, turn=0.0)
# one-cycle in batches of 500
BRIEF = Recipe(epochs=30, batch=500, lr=0.4, weight_decay=5e-4, augment=4)
SMALL = Recipe(epochs=8, batch=125, lr=0.2, weight_decay=1e-3)

PRESETS = {
    "laptop": Preset(),
    "quick": Preset(images=5000, tests=1000, inversion=(20, 1.8), steps=10),
    "small": Preset(
        data="cifar10",
        model="residual",
        images=10000,
        tests=2000,
        student=SMALL,
        defence=Recipe(epochs=6, lr=0.2, weight_decay=5e-4),
        inner=PGD(L2(0.5), steps=5),
        inversion=(30, 0.8),
        push=PGD(L2(0.75), steps=15, targeted=True),
        radii=(0.25, 0.5),
    ),
    # the way of the next one on so few images that it only shows that all of it runs: minutes on a CPU
    "trial": Preset(
        data="cifar10",
        model="resnet18",
        images=200,
        tests=100,
        student=replace(BRIEF, epochs=2, batch=50),
        teacher=None,
        defence=replace(BRIEF, epochs=1, batch=50, lr=0.2, average=0.5),
        inner=PGD(L2(0.5), steps=2),
        inversion=(5, 0.5),
        push=PGD(L2(0.5), steps=5, targeted=True),
        radii=(0.25, 0.5),
        steps=3,
        beside=(),
    ),
    "ten-minutes": Preset(
        data="cifar10",
        model="resnet18",
        student=BRIEF,
        teacher=None,
        defence=replace(BRIEF, lr=0.2, average=0.995),
        inner=PGD(L2(0.5), steps=5, step=0.15),
        inversion=(150, 0.5),
        push=PGD(L2(0.5), steps=30, targeted=True),
        radii=(0.25, 0.5),
        students=(
            *wrong_labels(BRIEF, lr=0.04),
            ("D_det", replace(BRIEF, lr=0.2, augment=0)),
            ("D_det control", replace(BRIEF, lr=0.2, augment=0)),
        ),
        beside=(),
    ),
    "paper": Preset(
        data="cifar10",
        model="resnet50",
        student=_PAPER,
        teacher=None,
        defence=_PAPER,
        inner=PGD(L2(0.5), steps=7, step=0.1),
        inversion=(1000, 0.1),
        push=PGD(L2(0.5), steps=100, step=0.1, targeted=True),
        radii=(0.25, 0.5),
        steps=100,
        decay=False,
        students=(*wrong_labels(_PAPER, lr=0.01), ("D_det", _PLAIN), ("D_det control", _PLAIN)),
        beside=(),
    ),
}


def choose(preset: Any, presets: Mapping[str, Any]) -> Any:
    """The preset of this name, or the preset itself, which must be of the kind of these."""
    if isinstance(preset, str):
        return presets[known(preset, presets, "preset")]
    kind = type(next(iter(presets.values())))
    return instance(preset, kind, f"preset must be a Preset, or one of {', '.join(presets)}")


# the preset of a dataset where none is named
FOR_DATA = {"fashion-mnist": "laptop", "cifar10": "ten-minutes"}


def passes_of_accuracy(p: Preset, images: int, right: int) -> int:
    """Passes that an accuracy takes: all images as they are, and once more for each radius;
    those that are right are attacked.
    """
    radii = len(p.radii)
    return images * (1 + radii) + right * radii * (2 * p.steps + 1)


def cost(p: Preset, train: int, test: int) -> dict[str, float]:
    """Passes of images through the network, forward or backward, that each piece takes:
    what a progress bar counts in.
    """
    inner, push, inversion = p.inner.steps, p.push.steps, p.inversion[0]
    pieces: dict[str, float] = {name: 3 * p.model_recipe(name).epochs * train for name in p.models()}
    pieces["robust"] += 2 * inner * p.defence.epochs * train
    pieces |= {name: 2 * inversion * train for name in ("D_R", "D_NR")} | {
        name: 2 * push * train for name in RULES
    }
    pieces |= {name: 2 * push * train for name in p.beside if name in PUSHED}
    pieces |= {name: 2 * inversion * train for name in p.beside if name in MATCHED}
    taught = (*CONSTRUCTED, *CONTROLS, *p.beside)
    pieces |= {f"student of {name}": 3 * p.recipe(name).epochs * train for name in taught}
    return pieces | {f"accuracy of {row}": passes_of_accuracy(p, test, test) for row in p.rows}
