"""A statement of the paper or of its debate, what was measured of it, and the verdict that the rule gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from featlab.experiments.ledger import theory
from featlab.experiments.reports import LAPTOP, RESULTS, read
from featlab.intervals import Runs

HOLDS, PART, NOT = "holds", "holds in part", "does not hold here"
PENDING, BEYOND = "not measured here", "cannot be tested here"
VERDICTS = (HOLDS, PART, NOT, PENDING, BEYOND)
THEORY, TREND = "theory", "trend"


@dataclass(frozen=True)
class Statement:
    """One sentence, and what decides about it: `measured` must be more (or, with `less`, less) than `than`.

    where     in the paper ("3.1", "eq. (7)", "D.6"), or whose of the debate
    claim     the sentence
    function  that computes it, by its name inside featlab
    cell      a notebook's number and words of the code cell that shows it: "04: lab.student("
    measured  "report: key/key/..." in results/, `*` for the mean over a table; or "theory: name"
    than      another such place (the control), or a number
    by        how much more at least; below 0, how much less is admitted
    pending   why it is not measured yet
    beyond    why it cannot be tested here
    """

    where: str
    claim: str
    function: str
    cell: str
    measured: str = ""
    than: str | float = 0.0
    less: bool = False
    by: float = 0.0
    pending: str = ""
    beyond: str = ""


@dataclass(frozen=True)
class Judged:
    """A statement as the ledger shows it, with the reason where nothing was measured.

    value     the mean over seeds, or an exact number
    interval  95 %, over seeds; of one run that over its images, of a correlation that over architectures;
              None for an exact number
    control   what the value is compared with
    seeds     how many; 0 for an exact number
    """

    where: str
    claim: str
    function: str
    cell: str
    value: float | None
    interval: tuple[float, float] | None
    control: float | None
    seeds: int
    verdict: str
    source: str
    reason: str = ""


def runs_at(place: str) -> list[Any]:
    """The numbers at a place of the stored reports, one a seed; none if no report of that name is stored."""
    name, _, keys = place.partition(": ")
    if name == THEORY:
        return [theory.EXACT[keys]()]
    if name == TREND:
        return [theory.TRENDS[keys]()]
    paths = sorted(RESULTS.glob(f"{name}-seed*.json"))
    return [at(_report(path, path.stat().st_mtime_ns), keys.split("/")) for path in paths]


@cache
def _report(path: Path, written: int) -> Any:
    """A stored report, read once as long as its file stays as it is."""
    return read(path)


def at(found: Any, keys: list[str]) -> Any:
    """What lies at the end of these keys; `*` is the mean over all entries of a table."""
    if not keys:
        return found
    key, *rest = keys
    if key == "*":
        each = [float(at(part, rest)) for part in found.values()]
        return sum(each) / len(each)
    return at(found[int(key)] if isinstance(found, list) else found[key], rest)


def _interval(numbers: list[Any]) -> tuple[float, float] | None:
    """That of the mean over seeds, or of one run's images."""
    return _runs(numbers).interval or getattr(numbers[0], "interval", None)


def judge(statement: Statement, numbers: list[Any], controls: list[Any] | float) -> str:
    """What the rule says: the statement holds if the difference lies beyond `by` with its whole interval, and
    in part if only its value does.

    Seeds are paired where both sides have the same number of them. One run shows no spread over seeds, so it
    holds in part at best; what is exact needs no interval.
    """
    sign = -1.0 if statement.less else 1.0
    value = _runs(numbers)
    ends: tuple[float, ...] | None
    if isinstance(controls, list) and len(controls) == len(numbers) > 1:
        difference = value - _runs(controls)
        mean, ends = difference.value, difference.interval
    else:
        level = _runs(controls).value if isinstance(controls, list) else controls
        found = _interval(numbers)
        mean, ends = value.value - level, found and tuple(end - level for end in found)
    beyond = [sign * number - statement.by for number in (mean, *(ends or ()))]
    alone = len(numbers) == 1 and statement.measured.partition(": ")[0] not in (THEORY, TREND)
    if min(beyond) > 0 and not alone:
        return HOLDS
    return PART if beyond[0] > 0 else NOT


def _runs(numbers: list[Any]) -> Runs:
    return Runs(tuple(map(float, numbers)))


def finding(statement: Statement) -> Judged:
    """The statement with its stored numbers and its verdict."""
    said = (statement.where, statement.claim, statement.function, statement.cell)
    if statement.pending or statement.beyond:
        words = PENDING if statement.pending else BEYOND
        return Judged(*said, None, None, None, 0, words, "", statement.pending or statement.beyond)
    numbers = runs_at(statement.measured)
    controls = runs_at(statement.than) if isinstance(statement.than, str) else float(statement.than)
    if not numbers or controls == []:
        missing = next(_missing(statement))
        return Judged(*said, None, None, None, 0, PENDING, "", f"results/ holds no {missing}-seed*.json yet")
    control = _runs(controls).value if isinstance(controls, list) else controls
    judged = judge(statement, numbers, controls)
    return Judged(
        *said,
        _runs(numbers).value,
        _interval(numbers),
        control,
        _seeds(statement),
        judged,
        statement.measured,
    )


def _seeds(statement: Statement) -> int:
    """How many seeds the number is of; the correlations are those of Figure 3."""
    name = statement.measured.partition(": ")[0]
    if name == THEORY:
        return 0
    return len(list(RESULTS.glob(f"{LAPTOP}-figure3-seed*.json" if name == TREND else f"{name}-seed*.json")))


def _missing(statement: Statement) -> Iterator[str]:
    """The names of reports that a statement needs and results/ lacks."""
    for place in (statement.measured, statement.than):
        if isinstance(place, str) and not runs_at(place):
            yield place.partition(": ")[0]
