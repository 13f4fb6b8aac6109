"""The ledger: every statement of the paper and of its debate, with what was measured and the verdict by rule.

Statements stand in one module for each part of the paper, as data. No number is typed: each is read from
results/, or computed in closed form (`theory`).
"""

from featlab.experiments.ledger.appendix import APPENDIX_D
from featlab.experiments.ledger.comments import COMMENTS
from featlab.experiments.ledger.from_data import FROM_DATA
from featlab.experiments.ledger.later import LATER
from featlab.experiments.ledger.rules import VERDICTS, Judged, Statement, finding
from featlab.experiments.ledger.section2 import SECTION_2
from featlab.experiments.ledger.section4 import SECTION_4
from featlab.experiments.ledger.strangers import STRANGERS
from featlab.experiments.ledger.wrong_labels import WRONG_LABELS
from featlab.inputs.markup import escaped

__all__ = ["STATEMENTS", "Judged", "Ledger", "Statement", "ledger"]
STATEMENTS: tuple[Statement, ...] = (
    *SECTION_2,
    *FROM_DATA,
    *WRONG_LABELS,
    *STRANGERS,
    *SECTION_4,
    *APPENDIX_D,
    *COMMENTS,
    *LATER,
)
HEAD = ("where", "claim", "verdict", "measured", "function", "notebook cell")


class Ledger(tuple[Judged, ...]):
    """The rows, which print as text and show as a table in a notebook."""

    def __str__(self) -> str:
        return "\n\n".join(map(written_row, self)) + f"\n\n{self.counts}"

    @property
    def counts(self) -> str:
        """How many statements have which verdict."""
        found = [(word, sum(row.verdict == word for row in self)) for word in VERDICTS]
        return f"{len(self)} statements: " + ", ".join(f"{n} {word}" for word, n in found if n)

    def __repr__(self) -> str:
        return f"a ledger of {self.counts}; print() shows it"

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{word}</th>" for word in HEAD)
        cell = "<td style='text-align:left;vertical-align:top;white-space:normal'>{}</td>".format
        lines = [
            (row.where, row.claim, row.verdict, evidence(row), f"featlab.{row.function}", row.cell)
            for row in self
        ]
        body = "".join("<tr>" + "".join(cell(escaped(word)) for word in line) + "</tr>" for line in lines)
        return f"<p>{escaped(self.counts)}</p><table><tr>{head}</tr>{body}</table>"


def _three_digits(value: float) -> str:
    """A number for people: three digits."""
    return f"{value:.3g}"


def evidence(row: Judged) -> str:
    """What was measured, in a line: the value, its interval, what it is compared with, how many seeds."""
    if row.value is None:
        return row.reason
    interval = "" if row.interval is None else " ({} to {})".format(*map(_three_digits, row.interval))
    seeds = f", {row.seeds} seed{'s' * (row.seeds != 1)}" if row.seeds else ", exact"
    return f"{_three_digits(row.value)}{interval} against {_three_digits(row.control or 0)}{seeds}"


def written_row(row: Judged) -> str:
    """A row as text, for a terminal."""
    where = f"[{row.where}] {row.claim}"
    return f"{where}\n  {row.verdict}: {evidence(row)}\n  featlab.{row.function}; notebook {row.cell}"


def ledger() -> Ledger:
    """Every statement of the paper and of its debate: fl.ledger()[0].verdict, print(fl.ledger()).

    Each row has where, claim, function, cell, value, interval, control, seeds, verdict, source and reason.
    A value is the mean over the stored seeds, a fraction unless the claim says otherwise. A report that
    results/ lacks makes its rows "not measured here"; a damaged one is refused with a ValueError or KeyError.
    """
    return Ledger(map(finding, STATEMENTS))
