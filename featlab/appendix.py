"""The appendix's further rows: sets begun at noise (D.1), stronger attacks (D.2), robustified test images (D.3), D_det from a robust
model (D.6), another architecture (3.1). Each is loaded from the lab's store or made."""

import math
from collections.abc import Iterator
from dataclasses import replace

from featlab import constructed, engine
from featlab.attacks import L2, PGD
from featlab.presets import FURTHER, cost
from featlab.reproduce import Lab, entry
from featlab.results import provenance
from featlab.training import accuracy
from featlab.types import Dataset

STRENGTHS = (1, 3, 10, 30, 100, 300, 1000, 2500)  # steps of the attack (D.2)
STRONG = 0.1  # share of the test images that the strong attacks are tried on
OTHER = {"cnn": "residual", "residual": "cnn", "resnet18": "vgg16", "resnet50": "resnet18"}  # the other architecture of a preset's model


def other(lab: Lab) -> str:
    """The architecture that is retrained on sets made with the preset's."""
    return OTHER.get(lab.preset.model, "resnet18")


def row(lab: Lab, name: str, kind: str) -> dict:
    """Like lab.row, for a student of another architecture."""
    model, (_, test), p = lab.student(name, kind), lab.data, lab.preset
    attacks = {f"{radius:g}": PGD(L2(radius), steps=p.steps) for radius in p.radii}

    def measure() -> dict:
        return {"clean": entry(accuracy(model, test)), "attacked": {r: entry(accuracy(model, test, a)) for r, a in attacks.items()}}

    return lab.value(f"accuracy of {name} ({kind})", measure)


def strong(lab: Lab) -> int:
    """On how many images the strong attacks are tried."""
    return math.ceil(STRONG * len(lab.data[1]))


def strength(lab: Lab, steps: int) -> str:
    """The name of one attack of D.2."""
    return f"{steps} steps on {strong(lab)} images"


def strengths(lab: Lab) -> dict[str, dict]:
    """D.2: accuracy of the student of D_R under attacks of more and more steps, each of 2.5 eps / steps, at the first radius."""
    model, (_, test), radius = lab.student("D_R"), lab.data, lab.preset.radii[0]

    def measure(steps: int) -> dict:
        return entry(accuracy(model, test[: strong(lab)], PGD(L2(radius), steps=steps)))

    return {str(steps): lab.value(strength(lab, steps), lambda steps=steps: measure(steps)) for steps in STRENGTHS}


def robustified(lab: Lab) -> dict[str, dict]:
    """D.3: the student of D_R on the robust training set, on a robust test set made in the same way, and on the real test set."""
    _, test = lab.data
    setting = f"of the test set {lab.preset.tests or ''}: {lab.setting('D_R')}; {engine.describe_precision()}"
    made = lab.store.dataset("D_R test", setting, lambda: lab.construction("D_R", test))
    sets = {"robust train": lab.dataset("D_R")[: len(test)], "robust test": made, "real test": test}
    return {name: lab.value(f"accuracy on {name}", lambda data=data: on(lab, data)) for name, data in sets.items()}


def on(lab: Lab, data: Dataset) -> dict:
    """The student of D_R on a dataset: clean, and under attack at the first radius."""
    attack = PGD(L2(lab.preset.radii[0]), steps=lab.preset.steps)
    model = lab.student("D_R")
    return {"clean": entry(accuracy(model, data)), "attacked": {f"{attack.ball.eps:g}": entry(accuracy(model, data, attack))}}


def directions(lab: Lab) -> dict[str, dict]:
    """D.6: students of D_det made with the ordinary teacher and with the robust model, on real images labelled y and labelled y + 1."""
    _, test = lab.data
    shifted = replace(test, labels=constructed.next_labels(test.labels, test.num_classes))

    def measure(name: str) -> dict:
        model = lab.student(name)
        return {"y": entry(accuracy(model, test)), "y + 1": entry(accuracy(model, shifted))}

    return {name: lab.value(f"direction of {name}", lambda name=name: measure(name)) for name in ("D_det", "D_det from robust")}


def sections(lab: Lab) -> dict:
    """Which function measures which section of the report."""
    kind = other(lab)
    rows = {name: lambda name=name: lab.row(name) for name in ("D_R", "D_NR", "D_R from noise", "D_NR from noise")}
    rows |= {f"{name} ({kind})": lambda name=name: row(lab, name, kind) for name in ("D", "D_R", "D_NR")}
    return {
        "rows": lambda: {name: measure() for name, measure in rows.items()},
        "strengths": lambda: strengths(lab),
        "robustified": lambda: robustified(lab),
        "directions": lambda: directions(lab),
    }


def costs(lab: Lab) -> dict[str, float]:
    """Passes of images through the network of each further piece, for the bar (reproduce.cost)."""
    p, (train, test), kind = lab.preset, lab.data, other(lab)
    n, m, once = len(train), len(test), cost(p, len(train), len(test))
    passes = {name: once["D_det" if "det" in name else "D_R"] for name in FURTHER}
    passes |= {f"student of {name}": 3 * p.recipe(name).epochs * n for name in FURTHER}
    passes |= {f"student of {name} ({kind})": 3 * p.recipe(name).epochs * n for name in ("D", "D_R", "D_NR")}
    passes |= {strength(lab, steps): 2 * steps * strong(lab) for steps in STRENGTHS}
    needed = ("standard", "teacher", "robust", "D_R", "D_NR", "D_det", "student of D_R", "student of D_NR", "student of D_det")
    return passes | {name: once[name] for name in needed if name in once} | {"D_R test": 2 * p.inversion[0] * m}


def pieces(lab: Lab) -> Iterator[str]:
    """Make or load every piece of `report`, and yield what is made at last."""
    sets = ("D_R", "D_NR", "D_det", *FURTHER)
    for piece in (*lab.preset.models(), *sets, *(f"student of {name}" for name in sets)):
        lab.make(piece)
        yield piece
    for name in ("D", "D_R", "D_NR"):
        lab.student(name, other(lab))
        yield f"student of {name} ({other(lab)})"
    for measure in sections(lab).values():
        measure()
    yield from (strength(lab, steps) for steps in STRENGTHS)
    yield "D_R test"


def report(lab: Lab) -> dict:
    """All sections, with everything needed to read them: what results/*-appendix-*.json holds."""
    settings = {"preset": str(lab.preset), "seed": lab.seed, "radius": lab.preset.radii[0], "other": other(lab), "strong on": strong(lab)}
    measured = {name: measure() for name, measure in sections(lab).items()}
    return settings | {"provenance": lab.value("appendix", provenance)} | measured | {"seconds": lab.store.seconds}


def cells(*entries: dict) -> str:
    """Accuracies for a terminal, with their intervals."""
    return "".join(f"{100 * e['value']:7.1f} ({100 * e['low']:4.1f} to {100 * e['high']:4.1f})" for e in entries)


def text_table(report: dict) -> str:
    """All sections for a terminal."""
    rows = report["rows"] | {f"D_R on {name}": row for name, row in report["robustified"].items()}
    lines = [f"{name:<24}" + cells(row["clean"], *row["attacked"].values()) for name, row in rows.items()]
    lines += [f"D_R, {steps} steps".ljust(24) + cells(e) for steps, e in report["strengths"].items()]
    lines += [f"{name}: y, y + 1".ljust(24) + cells(*row.values()) for name, row in report["directions"].items()]
    return "\n".join([*lines, "% right, 95 % intervals: clean, then under attack"])
