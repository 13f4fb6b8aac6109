"""Robust to what: three models under shifts that no attack made (Gilmer and Hendrycks), on high frequencies
alone, and under attacks stronger than those that evaluate.
"""

from collections.abc import Callable

from torch import Tensor, nn

from featlab.attacks import L2, PGD
from featlab.debate import beyond
from featlab.debate.stronger import APGD, Worst, standing
from featlab.engine import seeds
from featlab.experiments.entries import Entry
from featlab.experiments.lab import Lab
from featlab.experiments.leaks import fresh
from featlab.training import accuracy

FALL = 0.6  # the standard model's accuracy at which shifts are matched
CUTS = (12, 14)  # the frequencies below are taken away
ATTACKED = 1000  # test images under the strong attacks


def rivals(lab: Lab) -> dict[str, nn.Module]:
    """The models of D, of D_R, and the adversarially trained one."""
    return {"D": lab.model("standard"), "D_R": lab.student("D_R"), "robust": lab.model("robust")}


def shifts(lab: Lab) -> dict:
    """Gilmer and Hendrycks: each shift at the severity at which the standard model falls to FALL,
    for three models.
    """
    models, test, rows = rivals(lab), lab.data[1], {}
    for name in beyond.SHIFTS:
        severity = beyond.matched(models["D"], test, name, FALL)
        data = beyond.corrupted(test, name, severity)
        right = {m: accuracy(model, data) for m, model in models.items()}
        rows[name] = {"severity": round(severity, 4), **right}
    return {"rows": rows, "clean": {m: accuracy(model, test) for m, model in models.items()}}


def high_passed_student(lab: Lab, cut: int) -> dict:
    """A model trained and tested on images without the frequencies below `cut`."""
    data, test = (beyond.high_passed(part, cut) for part in lab.data)
    return {"student": accuracy(fresh(lab, data), test)}


def attackers(radius: float, steps: int) -> dict[str, Callable]:
    """The attack used to evaluate, and stronger ones, of an l2 radius in pixels of [0, 1]."""
    ball = L2(radius)
    return {
        f"PGD, {steps} steps": PGD(ball, steps=steps),
        "PGD, 60 steps": PGD(ball, steps=60),
        "PGD, 3 random starts": Worst((PGD(ball, steps=steps, random_start=True),) * 3),
        "APGD, cross-entropy": APGD(ball, steps=30),
        "APGD, DLR": APGD(ball, steps=30, loss="ratio"),
    }


def attacks(lab: Lab, radius: float) -> dict:
    """Accuracy of three models under each attack of an l2 radius in pixels, and under the worst of all, and
    what D_R gains over D, image by image.
    """
    test, strong = lab.data[1][:ATTACKED], attackers(radius, lab.preset.steps)
    with seeds.drawing(lab.seed):
        stands = {name: standing(model, test, strong) for name, model in rivals(lab).items()}
    rows = {
        attack: {name: round(stood[attack].float().mean().item(), 4) for name, stood in stands.items()}
        for attack in stands["D"]
    }
    gain = {attack: paired(stands["D_R"][attack], stands["D"][attack]) for attack in rows}
    return {"rows": rows, "gain": gain, "n": len(test)}


def paired(a: Tensor, b: Tensor) -> Entry:
    """The mean of a - b over the same images, a and b (n,), with its 95 % interval."""
    difference = a.double() - b.double()
    mean, spread = difference.mean().item(), 1.96 * difference.std().item() / len(a) ** 0.5
    return Entry(mean, mean - spread, mean + spread)
