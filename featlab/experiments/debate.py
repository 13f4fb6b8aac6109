"""The debate, measured: each objection's experiment on a Lab's models and sets (notebook 06).

A piece is one experiment, named; `measure_piece(lab, "errors")` loads or makes it, `report` makes them all.
"""

from collections.abc import Callable, Iterator
from functools import partial

from featlab.debate import beyond
from featlab.engine import devices
from featlab.experiments.entries import Entry
from featlab.experiments.lab import Lab
from featlab.experiments.leaks import HALVES, accidental, errors, leak, other_classes
from featlab.experiments.plan import Piece
from featlab.experiments.presets import FOR_DATA, PRESETS, RULES, cost
from featlab.experiments.reports import Report, report_of
from featlab.experiments.shifts import ATTACKED, CUTS, attacks, high_passed_student, shifts
from featlab.experiments.toys import NOISES, SAMPLES, singular_pair, squares_table
from featlab.types import Dataset

__all__ = ["FOR_DATA", "PRESETS", "begin", "pieces", "report", "text_table"]
begin = Lab
PIECES: dict[str, Callable[[Lab], dict]] = {
    "leakage": leak,
    **{f"accidental {name}": partial(accidental, name=name) for name in RULES},
    "errors": errors,
    **{f"other classes {half}": partial(other_classes, half=half) for half in HALVES},
    "squares": squares_table,
    "pair": singular_pair,
    "shifts": shifts,
    **{f"high-pass {cut}": partial(high_passed_student, cut=cut) for cut in CUTS},
    "attacks 1": partial(attacks, radius=1.0),
}


def measure_piece(lab: Lab, name: str) -> dict:
    """One piece, from the lab's store if it is there."""
    setting = f"debate {name} {lab.identity} {devices.describe_precision()}"
    return lab.store.value(name, setting, lambda: PIECES[name](lab))


def costs(lab: Lab) -> dict[str, float]:
    """About how many passes of images through the network each experiment takes, beside what it needs."""
    (n, m), epochs = (len(part) for part in lab.data), lab.preset.student.epochs
    fit, seen = 3 * epochs * n, 3 * m
    strong = 2 * sum((lab.preset.steps, 60, 3 * lab.preset.steps, 30, 30))
    passes = {
        "leakage": 15 * m,
        **{f"accidental {name}": 3 * n + 2 * fit + 4 * m for name in RULES},
        "errors": 3 * n + fit / 4 + 2 * m,
        **{f"other classes {half}": fit + m for half in HALVES},
        "squares": 6 * len(NOISES) * max(SAMPLES),
        "pair": m,
        "shifts": 20 * len(beyond.SHIFTS) * m,
        **{f"high-pass {cut}": fit + m for cut in CUTS},
        "attacks 1": 3 * strong * min(ATTACKED, m),
    }
    return {name: passes[name] + seen for name in PIECES}


def _check_classes(data: Dataset) -> None:
    """Refuse data without ten classes: five of them teach the others."""
    if (classes := data.num_classes) != 10:
        raise ValueError(
            f"the debate's experiments need ten classes, five of which teach the others; got {classes}"
        )


def pieces(lab: Lab) -> list[Piece]:
    """Everything that `report` needs."""
    _check_classes(lab.data[0])
    once = cost(lab.preset, *(len(part) for part in lab.data))
    sets = (*RULES, "D_R")
    needed = (*lab.preset.models(), *sets, *(f"student of {name}" for name in sets))
    made = [Piece(name, once[name], partial(lab.make, name)) for name in needed]
    return made + [
        Piece(name, passes, partial(measure_piece, lab, name)) for name, passes in costs(lab).items()
    ]


def report(lab: Lab) -> Report:
    """All pieces: what results/*-debate-*.json holds."""
    return report_of(lab.preset, lab.seed, {name: measure_piece(lab, name) for name in PIECES})


def text_table(report: Report) -> str:
    """Every accuracy of every experiment, for a terminal."""
    lines = [line for name, row in report["rows"].items() for line in accuracies(name, row)]
    return "\n".join([*lines, "% right, 95 % intervals"])


def accuracies(name: str, found: object) -> Iterator[str]:
    """The accuracies in what was measured, each with the way to it."""
    if isinstance(found, Entry):
        yield f"{name:<52}  {found}"
    elif isinstance(found, dict | list):
        parts = found.items() if isinstance(found, dict) else enumerate(found)
        for key, part in parts:
            yield from accuracies(f"{name}, {key}", part)
