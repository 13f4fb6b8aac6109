"""The rows beside the paper's, alone: the controls that its table lacks, poison, and learning from static.

`reproduce` has them in its table as well; this measures them with D only, for who wants nothing else.
"""

from dataclasses import replace
from functools import partial

from featlab.experiments.lab import Lab
from featlab.experiments.plan import Piece
from featlab.experiments.presets import BASIS, EXTRA_ROWS, FOR_DATA, PRESETS, cost
from featlab.experiments.reports import Report, report_of
from featlab.experiments.reproduce import needs

__all__ = ["FOR_DATA", "PRESETS", "begin", "pieces", "report", "text_table"]
begin = Lab
TABLE = ("D", *EXTRA_ROWS)


def pieces(lab: Lab) -> list[Piece]:
    """Everything that is made for these rows, in the order of its making."""
    passes = cost(replace(lab.preset, beside=EXTRA_ROWS), *(len(part) for part in lab.data))
    rows = [piece for row in TABLE for piece in needs(row)]
    names = [*lab.preset.models(), *BASIS.values(), *rows]
    return [Piece(name, passes[name], partial(lab.make, name)) for name in names]


def report(lab: Lab) -> Report:
    """All rows: what results/*-beside-*.json holds."""
    rows = {name: lab.row(name) for name in TABLE}
    return report_of(lab.preset, lab.seed, rows, seconds=lab.store.seconds)


def text_table(report: Report) -> str:
    """The rows for a terminal."""
    lines = [f"{name:<20}{row['clean']!s:>22}" for name, row in report["rows"].items()]
    return "\n".join([*lines, "% of real test images, 95 % intervals"])
