"""The debate's toys, whose answers are known: squares that need no texture (Nakkiran),
and a pair of classes in closed form (Goh).
"""

from featlab.attacks import PGD, Linf
from featlab.debate import bugs, ensembles
from featlab.experiments.lab import Lab
from featlab.training import accuracy

SAMPLES, NOISES = (400, 8000), (0.0, 0.1, 0.2)  # of the squares
PIXEL_RADIUS = 0.05  # linf
PAIR = (2, 4)  # pullover and coat
FRAGILE = 0.5  # l2: a singular vector that is not useful within it joins the ensemble


def squares_table(lab: Lab) -> dict:
    """Nakkiran: few or many samples, with and without label noise; accuracy on true labels,
    clean and under a small linf attack.
    """
    seed, rows = 10 * lab.seed, []
    test, attack = bugs.squares(1000, seed=seed + 2), PGD(Linf(PIXEL_RADIUS), steps=20)
    for n in SAMPLES:
        for noise in NOISES:
            model = bugs.fitted(n, label_noise=noise, passes=2 * max(SAMPLES), seed=seed)
            fit = accuracy(model, bugs.squares(n, label_noise=noise, seed=seed + 1))
            cells = {
                "fit": fit,
                "clean": accuracy(model, test),
                "attacked": accuracy(model, test, attack),
            }
            rows.append({"n": n, "noise": noise, **cells})
    return {"rows": rows}


def singular_pair(lab: Lab) -> dict:
    """Goh: the ensemble of non-robust singular vectors and a containment, in closed form;
    and what D_det made with each teaches.
    """
    points = ensembles.Pair.of(lab.data[0], PAIR)
    test = ensembles.Pair.of(lab.data[1], PAIR, points.centre)
    vectors, push = ensembles.singular(points), lab.preset.push.ball.eps
    features = {
        "ensemble": ensembles.ensemble(vectors, points, FRAGILE),
        "containment": ensembles.containment(points.m, ensembles.useless(vectors, points), points, 0.5),
    }
    rows = {}
    for name, a in features.items():
        numbers = {
            "rho": ensembles.pair_usefulness(a, points).item(),
            "gamma": ensembles.pair_usefulness(a, points, FRAGILE).item(),
            "right": ensembles.right(a, test),
            "student": ensembles.right(ensembles.student_of_det(a, points, push), test),
        }
        rows[name] = {key: round(value, 4) for key, value in numbers.items()}
    robust = int((ensembles.pair_usefulness(vectors, points, FRAGILE) > 0).sum())
    return {"rows": rows, "robust vectors": robust, "vectors": len(vectors), "n": len(test.y)}
