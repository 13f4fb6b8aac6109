"""The appendix's further rows: sets begun at noise (D.1), stronger attacks (D.2), robustified test images
(D.3), D_det from a robust model (D.6), another architecture (3.1).

Each is loaded from the lab's store or made.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from featlab import constructed
from featlab.attacks import L2, PGD
from featlab.engine import devices
from featlab.experiments.entries import Entry
from featlab.experiments.lab import Lab, label_of
from featlab.experiments.plan import Piece
from featlab.experiments.presets import FOR_DATA, FURTHER, PRESETS, PUSHED, cost, passes_of_accuracy
from featlab.experiments.reports import Report, provenance, report_of
from featlab.training import accuracy
from featlab.types import Dataset

__all__ = ["FOR_DATA", "PRESETS", "begin", "pieces", "report", "text_table"]
begin = Lab
STRENGTHS = (1, 3, 10, 30, 100, 300, 1000, 2500)  # steps of the attack (D.2)
STRONG = 0.1  # share of the test images that the strong attacks are tried on
# the other architecture of a preset's model
OTHER = {"cnn": "residual", "residual": "cnn", "resnet18": "vgg16", "resnet50": "resnet18"}
BEGUN = ("D_R", "D_NR", "D_R from noise", "D_NR from noise")  # rows: begun at images, begun at noise
RETAUGHT = ("D", "D_R", "D_NR")  # rows of the other architecture


def other(lab: Lab) -> str:
    """The architecture that is retrained on sets made with the preset's."""
    return OTHER.get(lab.preset.model, "resnet18")


def strong_images(lab: Lab) -> int:
    """On how many images the strong attacks are tried."""
    return math.ceil(STRONG * len(lab.data[1]))


def strength(lab: Lab, steps: int) -> str:
    """The name of one attack of D.2."""
    return f"{steps} steps on {strong_images(lab)} images"


def accuracy_after(lab: Lab, steps: int) -> dict:
    """D.2: accuracy of the student of D_R under an attack of so many steps, each of 2.5 eps / steps,
    at the first radius.
    """
    model, (_, test), radius = lab.student("D_R"), lab.data, lab.preset.radii[0]
    attack = PGD(L2(radius), steps=steps)
    return lab.value(strength(lab, steps), lambda: accuracy(model, test[: strong_images(lab)], attack))


def robust_test(lab: Lab) -> Dataset:
    """D.3: a robust test set, made as the robust training set is."""
    _, test = lab.data
    setting = f"of the test set {test.fingerprint}: {lab.setting('D_R')}; {devices.describe_precision()}"
    return lab.store.dataset("D_R test", setting, lambda: lab.construction("D_R", test))


_SETS: dict[str, Callable[[Lab], Dataset]] = {
    "robust train": lambda lab: lab.dataset("D_R")[: len(lab.data[1])],
    "robust test": robust_test,
    "real test": lambda lab: lab.data[1],
}


def on_set(lab: Lab, name: str) -> dict:
    """D.3: the student of D_R on one of three sets: clean, and under attack at the first radius."""
    attack = PGD(L2(lab.preset.radii[0]), steps=lab.preset.steps)
    model, data = lab.student("D_R"), _SETS[name](lab)

    def measure() -> dict:
        attacked = {f"{attack.ball.eps:g}": accuracy(model, data, attack)}
        return {"clean": accuracy(model, data), "attacked": attacked}

    return lab.value(f"accuracy on {name}", measure)


_DIRECTIONS = ("D_det", "D_det from robust")


def _direction(lab: Lab, name: str) -> dict[str, dict]:
    """D.6: the student of a D_det, made with the ordinary teacher or with the robust model,
    on real images labelled y and labelled y + 1.
    """
    _, test = lab.data
    shifted = replace(test, labels=constructed.next_labels(test.labels, test.num_classes))

    def measure() -> dict:
        model = lab.student(name)
        return {"y": accuracy(model, test), "y + 1": accuracy(model, shifted)}

    return lab.value(f"direction of {name}", measure)


def pieces(lab: Lab) -> list[Piece]:
    """Everything that `report` needs, in the order of its making."""
    return [*networks_and_sets(lab), *relatives(lab), *_measurements(lab)]


def networks_and_sets(lab: Lab) -> list[Piece]:
    """The models of D, the sets, their students, and the rows of the preset's architecture."""
    p, n, m = lab.preset, *(len(part) for part in lab.data)
    once = cost(p, n, m)
    passes = {name: once[name] for name in p.models()}
    sets = ("D_R", "D_NR", "D_det", *FURTHER)
    passes |= {name: once["D_det" if name in PUSHED else "D_R"] for name in sets}
    passes |= {f"student of {name}": 3 * p.recipe(name).epochs * n for name in sets}
    passes |= {f"accuracy of {name}": passes_of_accuracy(p, m, m) for name in BEGUN}
    return [Piece(name, number, partial(lab.make, name)) for name, number in passes.items()]


def relatives(lab: Lab) -> Iterator[Piece]:
    """The students of the other architecture, and their rows."""
    p, n, m, kind = lab.preset, *(len(part) for part in lab.data), other(lab)
    for name in RETAUGHT:
        label = label_of(name, kind)
        fit = 3 * p.recipe(name).epochs * n
        yield Piece(f"student of {label}", fit, partial(lab.student, name, kind))
        yield Piece(f"accuracy of {label}", passes_of_accuracy(p, m, m), partial(lab.row, name, kind))


def _measurements(lab: Lab) -> Iterator[Piece]:
    """What is measured beside the rows, and the robust test set."""
    p, m = lab.preset, len(lab.data[1])
    for steps in STRENGTHS:
        yield Piece(strength(lab, steps), 2 * steps * strong_images(lab), partial(accuracy_after, lab, steps))
    yield Piece("D_R test", 2 * p.inversion[0] * m, partial(robust_test, lab))
    for name in _SETS:
        yield Piece(f"accuracy on {name}", 2 * m + 2 * p.steps * m, partial(on_set, lab, name))
    for name in _DIRECTIONS:
        yield Piece(f"direction of {name}", 2 * m, partial(_direction, lab, name))


def report(lab: Lab) -> Report:
    """All sections, with everything needed to read them: what results/*-appendix-*.json holds."""
    kind = other(lab)
    rows = {name: lab.row(name) for name in BEGUN}
    rows |= {label_of(name, kind): lab.row(name, kind) for name in RETAUGHT}
    found = report_of(
        lab.preset,
        lab.seed,
        rows,
        strengths={str(steps): accuracy_after(lab, steps) for steps in STRENGTHS},
        robustified={name: on_set(lab, name) for name in _SETS},
        directions={name: _direction(lab, name) for name in _DIRECTIONS},
        radius=lab.preset.radii[0],
        other=kind,
        strong_on=strong_images(lab),
        seconds=lab.store.seconds,
    )
    # the date and the machine of the measuring, which may have been before this run
    return {**found, "provenance": lab.value("appendix", provenance)}


def _cells(*accuracies: Entry) -> str:
    """Accuracies for a terminal, with their intervals."""
    return "".join(f"{accuracy!s:>22}" for accuracy in accuracies)


def text_table(report: Report) -> str:
    """All sections for a terminal."""
    rows = report["rows"] | {f"D_R on {name}": row for name, row in report["robustified"].items()}
    lines = [f"{name:<24}" + _cells(row["clean"], *row["attacked"].values()) for name, row in rows.items()]
    lines += [f"D_R, {steps} steps".ljust(24) + _cells(e) for steps, e in report["strengths"].items()]
    lines += [
        f"{name}: y, y + 1".ljust(24) + _cells(*row.values()) for name, row in report["directions"].items()
    ]
    return "\n".join([*lines, "% right, 95 % intervals: clean, then under attack"])
