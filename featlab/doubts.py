"""The debate, measured: each objection's experiment on a Lab's models and sets, as json (notebook 06).

A piece is one experiment, named; `measure(lab, "errors")` loads or makes it, `study` makes them all.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from featlab import engine
from featlab.attacks import L2, PGD, Linf
from featlab.debate import beyond, bugs, ensembles, leakage, wrong_labels
from featlab.debate.stronger import APGD, Worst, standing
from featlab.models import build
from featlab.reproduce import RULES, Lab, entry
from featlab.results import provenance
from featlab.training import Recipe, accuracy, predict, train
from featlab.types import Dataset

CERTIFIED, TRAINED = 0.5, 1.5  # l2: where the linear classifier's predictions must stand still; against what it is trained
EARLY = Recipe(epochs=1, lr=0.2, weight_decay=5e-4)  # the young model whose errors are taken
FEW = Recipe(epochs=30, lr=0.1)  # for sets of a few hundred images
HALVES = {"even": (0, 2, 4, 6, 8), "odd": (1, 3, 5, 7, 9), "first": (0, 1, 2, 3, 4), "last": (5, 6, 7, 8, 9)}
LABELLER = {"even": "odd", "odd": "even", "first": "last", "last": "first"}  # whose images a half's model labels
SAMPLES, NOISES, PIXEL_RADIUS = (400, 8000), (0.0, 0.1, 0.2), 0.05
PAIR = (2, 4)  # pullover and coat
FALL = 0.6  # the standard model's accuracy at which shifts are matched
CUTS = (12, 14)
ATTACKED = 1000  # test images under the strong attacks


def early(lab: Lab) -> torch.nn.Module:
    """The model trained for one epoch on D."""
    data = lab.data[0]
    return train(build(lab.preset.model, data), data, seed=100 + 10 * lab.seed, recipe=EARLY)


def fresh(lab: Lab, data: Dataset, recipe: Recipe | None = None, shift: int = 0) -> torch.nn.Module:
    """A fresh model trained normally on `data`, by default like the lab's students."""
    return train(build(lab.preset.model, data), data, seed=103 + 10 * lab.seed + shift, recipe=recipe or lab.preset.student)


def leaked(lab: Lab) -> dict:
    """Robust feature leakage: linear models on the robust outputs alone, beside the full networks; and the price of more robustness."""
    train_data, test = lab.data
    shifted = replace(test, labels=(test.labels + 1) % test.num_classes)
    rows = {}
    for eps in (0.0, 0.75, TRAINED):
        robust = leakage.robust_linear(train_data, eps, seed=lab.seed)
        rows[f"{eps:g}"] = row = {"clean": entry(accuracy(robust, test))}
        row["constant"] = round(leakage.certified_share(robust, test.images, CERTIFIED), 4)
        for name in RULES:
            model = leakage.on_features(robust, lab.dataset(name), seed=lab.seed)
            row[name] = {"right": entry(accuracy(model, test)), "next": entry(accuracy(model, shifted))}
    return {"eps": rows, "full": {name: entry(accuracy(lab.student(name), test)) for name in RULES}}


def accidental(lab: Lab, name: str) -> dict:
    """The leakage-only control of D_rand, D_other or D_det; the accidental images alone; the genuine set; and that without them."""
    train_data, test = lab.data
    made = lab.dataset(name)
    targets = made.labels
    clean = targets == (train_data.labels if name == "D_rand" else predict(early(lab), train_data.images))
    control = wrong_labels.accidental_only(train_data, targets, clean, eps=lab.preset.push.ball.eps, seed=lab.seed)
    alone = fresh(lab, replace(train_data, labels=targets)[clean], FEW)
    return {
        "share": round(clean.float().mean().item(), 4),
        "control": entry(accuracy(fresh(lab, control), test)),
        "alone": entry(accuracy(alone, test)),
        "genuine": entry(accuracy(lab.student(name), test)),
        "without": entry(accuracy(fresh(lab, made[~clean]), test)),
    }


def errors(lab: Lab) -> dict:
    """Wallace: a fresh model that sees only the images that an early model gets wrong, with the wrong labels."""
    data, test = lab.data
    model = early(lab)
    wrong = wrong_labels.errors_of(model, data)
    return {"early": entry(accuracy(model, test)), "images": len(wrong), "student": entry(accuracy(fresh(lab, wrong), test))}


def other_classes(lab: Lab, half: str) -> dict:
    """Wallace: a model of half the classes labels images of the other half; a fresh model learns from these, and is tested on the first."""
    data, test = (wrong_labels.only(part, HALVES[half]) for part in lab.data)
    teacher = fresh(lab, data)
    unseen = wrong_labels.labelled_by(teacher, wrong_labels.only(lab.data[0], HALVES[LABELLER[half]]), data.classes)
    counts = torch.bincount(unseen.labels, minlength=len(data.classes)).tolist()
    student = fresh(lab, unseen, shift=1)
    return {"teacher": entry(accuracy(teacher, test)), "labels": counts, "student": entry(accuracy(student, test))}


def squares(lab: Lab) -> dict:
    """Nakkiran: few or many samples, with and without label noise; accuracy on true labels, clean and under a small linf attack."""
    seed, rows = 10 * lab.seed, []
    test, attack = bugs.squares(1000, seed=seed + 2), PGD(Linf(PIXEL_RADIUS), steps=20)
    for n in SAMPLES:
        for noise in NOISES:
            model = bugs.fitted(n, label_noise=noise, passes=2 * max(SAMPLES), seed=seed)
            fit = accuracy(model, bugs.squares(n, label_noise=noise, seed=seed + 1))
            cells = {"fit": entry(fit), "clean": entry(accuracy(model, test)), "attacked": entry(accuracy(model, test, attack))}
            rows.append({"n": n, "noise": noise, **cells})
    return {"rows": rows}


def pair(lab: Lab) -> dict:
    """Goh: the ensemble of non-robust singular vectors and a containment, in closed form; and what D_det made with each teaches."""
    points = ensembles.Pair.of(lab.data[0], PAIR)
    test = ensembles.Pair.of(lab.data[1], PAIR, points.centre)
    vectors, (eps, push) = ensembles.singular(points), (CERTIFIED, lab.preset.push.ball.eps)
    mixed = ensembles.containment(points.m, ensembles.useless(vectors, points), points, 0.5)
    rows = {}
    for name, a in {"ensemble": ensembles.ensemble(vectors, points, eps), "containment": mixed}.items():
        learned = ensembles.student_of_det(a, points, push)
        shares = {"right": ensembles.right(a, test), "student": ensembles.right(learned, test)}
        numbers = {"rho": ensembles.usefulness(a, points).item(), "gamma": ensembles.usefulness(a, points, eps).item(), **shares}
        rows[name] = {key: round(value, 4) for key, value in numbers.items()}
    robust = int((ensembles.usefulness(vectors, points, eps) > 0).sum())
    return {"rows": rows, "robust vectors": robust, "vectors": len(vectors), "n": len(test.y)}


def trained(lab: Lab) -> dict[str, torch.nn.Module]:
    """The models of D, of D_R, and the adversarially trained one."""
    return {"D": lab.model("standard"), "D_R": lab.student("D_R"), "robust": lab.model("robust")}


def shifts(lab: Lab) -> dict:
    """Gilmer and Hendrycks: each shift at the severity at which the standard model falls to FALL, for three models."""
    models, test, rows = trained(lab), lab.data[1], {}
    for name in beyond.SHIFTS:
        severity = beyond.matched(models["D"], test, name, FALL)
        data = beyond.corrupted(test, name, severity)
        rows[name] = {"severity": round(severity, 4), **{m: entry(accuracy(model, data)) for m, model in models.items()}}
    return {"rows": rows, "clean": {m: entry(accuracy(model, test)) for m, model in models.items()}}


def high_pass(lab: Lab, cut: int) -> dict:
    """A model trained and tested on images without the frequencies below `cut`."""
    data, test = (beyond.high_passed(part, cut) for part in lab.data)
    return {"student": entry(accuracy(fresh(lab, data), test))}


def attackers(radius: float, steps: int) -> dict[str, Callable]:
    """The attack used to evaluate, and stronger ones."""
    ball = L2(radius)
    return {
        f"PGD, {steps} steps": PGD(ball, steps=steps),
        "PGD, 60 steps": PGD(ball, steps=60),
        "PGD, 3 random starts": Worst((PGD(ball, steps=steps, random_start=True),) * 3),
        "APGD, cross-entropy": APGD(ball, steps=30),
        "APGD, DLR": APGD(ball, steps=30, loss="ratio"),
    }


def attacks(lab: Lab, radius: float) -> dict:
    """Accuracy of three models under each attack and under the worst of all, and what D_R gains over D, image by image."""
    test = lab.data[1][:ATTACKED]
    with engine.drawing(lab.seed):
        stands = {m: standing(model, test, attackers(radius, lab.preset.steps)) for m, model in trained(lab).items()}
    rows = {name: {m: round(got[name].float().mean().item(), 4) for m, got in stands.items()} for name in stands["D"]}
    return {"rows": rows, "gain": {name: paired(stands["D_R"][name], stands["D"][name]) for name in rows}, "n": len(test)}


def paired(a: Tensor, b: Tensor) -> dict[str, float]:
    """The mean of a - b over the same images, with its 95 % interval."""
    difference = a.double() - b.double()
    mean, spread = difference.mean().item(), 1.96 * difference.std().item() / len(a) ** 0.5
    return {"value": round(mean, 4), "low": round(mean - spread, 4), "high": round(mean + spread, 4)}


PIECES: dict[str, Callable[[Lab], dict]] = {
    "leakage": leaked,
    **{f"accidental {name}": partial(accidental, name=name) for name in RULES},
    "errors": errors,
    **{f"other classes {half}": partial(other_classes, half=half) for half in HALVES},
    "squares": squares,
    "pair": pair,
    "shifts": shifts,
    **{f"high-pass {cut}": partial(high_pass, cut=cut) for cut in CUTS},
    "attacks 1": partial(attacks, radius=1.0),
}


def measure(lab: Lab, name: str) -> dict:
    """One piece, from the lab's store if it is there."""
    setting = f"debate {name} {lab.preset} seed {lab.seed} {engine.describe_precision()}"
    return lab.store.value(name, setting, lambda: PIECES[name](lab))


def study(lab: Lab) -> dict:
    """All pieces: what results/*-debate-*.json holds."""
    return {"seed": lab.seed, "provenance": provenance(), "pieces": {name: measure(lab, name) for name in PIECES}}
