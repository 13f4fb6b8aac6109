"""What leaks into wrong labels and teaches: robust features, accidental signal, what a model thinks."""

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from featlab.debate import leakage, wrong_labels
from featlab.experiments.lab import Lab
from featlab.experiments.presets import RULES
from featlab.models import build
from featlab.training import Recipe, accuracy, predict, train
from featlab.types import Dataset

CERTIFIED = 0.5  # l2: the radius within which the linear classifier's predictions must stand still
TRAINED = 1.5  # l2: what the linear classifier is trained against
TRAINED_RADII = (0.0, 0.75, TRAINED)  # and weaker ones
EARLY = Recipe(epochs=1, lr=0.2, weight_decay=5e-4)  # the young model whose errors are taken
_FEW = Recipe(epochs=30, lr=0.1)  # for sets of a few hundred images
HALVES = {"even": (0, 2, 4, 6, 8), "odd": (1, 3, 5, 7, 9), "first": (0, 1, 2, 3, 4), "last": (5, 6, 7, 8, 9)}
# whose images a half's model labels
LABELLER = {"even": "odd", "odd": "even", "first": "last", "last": "first"}


def early(lab: Lab) -> nn.Module:
    """The model trained for one epoch on D."""
    data = lab.data[0]
    return train(build(lab.preset.model, data), data, seed=100 + 10 * lab.seed, recipe=EARLY)


def fresh(lab: Lab, data: Dataset, recipe: Recipe | None = None, shift: int = 0) -> nn.Module:
    """A fresh model trained normally on `data`, by default like the lab's students."""
    model, seed = build(lab.preset.model, data), 103 + 10 * lab.seed + shift
    return train(model, data, seed=seed, recipe=recipe or lab.preset.student)


def leak(lab: Lab) -> dict:
    """Robust feature leakage: linear models on the robust outputs alone, beside the full networks;
    and the price of more robustness.
    """
    train_data, test = lab.data
    shifted = replace(test, labels=(test.labels + 1) % test.num_classes)
    rows = {}
    for eps in TRAINED_RADII:
        robust = leakage.robust_linear(train_data, eps, seed=lab.seed)
        row: dict[str, Any] = {"clean": accuracy(robust, test)}
        row["constant"] = round(leakage.certified_share(robust, test.images, CERTIFIED), 4)
        for name in RULES:
            model = leakage.on_features(robust, lab.dataset(name), seed=lab.seed)
            row[name] = {"right": accuracy(model, test), "next": accuracy(model, shifted)}
        rows[f"{eps:g}"] = row
    return {"eps": rows, "full": {name: accuracy(lab.student(name), test) for name in RULES}}


def accidental(lab: Lab, name: str) -> dict:
    """The leakage-only control of D_rand, D_other or D_det; the accidental images alone; the genuine set;
    and that without them.
    """
    train_data, test = lab.data
    made = lab.dataset(name)
    targets = made.labels
    clean = targets == (train_data.labels if name == "D_rand" else predict(early(lab), train_data.images))
    eps = lab.preset.push.ball.eps
    control = wrong_labels.accidental_only(train_data, targets, clean, eps=eps, seed=lab.seed)
    alone = fresh(lab, replace(train_data, labels=targets)[clean], _FEW)
    return {
        "share": round(clean.float().mean().item(), 4),
        "control": accuracy(fresh(lab, control), test),
        "alone": accuracy(alone, test),
        "genuine": accuracy(lab.student(name), test),
        "without": accuracy(fresh(lab, made[~clean]), test),
    }


def errors(lab: Lab) -> dict:
    """Wallace: a fresh model that sees only the images that an early model gets wrong,
    with the wrong labels.
    """
    data, test = lab.data
    model = early(lab)
    wrong = wrong_labels.errors_of(model, data)
    return {
        "early": accuracy(model, test),
        "images": len(wrong),
        "student": accuracy(fresh(lab, wrong), test),
    }


def other_classes(lab: Lab, half: str) -> dict:
    """Wallace: a model of half the classes labels images of the other half; a fresh model learns from these,
    and is tested on the first.
    """
    data, test = (wrong_labels.only(part, HALVES[half]) for part in lab.data)
    teacher = fresh(lab, data)
    strangers = wrong_labels.only(lab.data[0], HALVES[LABELLER[half]])
    unseen = wrong_labels.labelled_by(teacher, strangers, data.classes)
    student = fresh(lab, unseen, shift=1)
    return {
        "teacher": accuracy(teacher, test),
        "labels": torch.bincount(unseen.labels, minlength=len(data.classes)).tolist(),
        "student": accuracy(student, test),
    }
