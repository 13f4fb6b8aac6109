"""The ledger says nothing that is not stored: functions and cells exist, values are those of results/, and
verdicts follow from the rule.
"""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest

import featlab as fl
from featlab import __main__ as command
from featlab.experiments.ledger import STATEMENTS, Ledger, evidence
from featlab.experiments.ledger.rules import BEYOND, NOT, PENDING, VERDICTS

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = {path.name[:2]: path for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
IDS = [f"{i} {s.where}" for i, s in enumerate(STATEMENTS)]


@pytest.fixture(scope="module")
def rows():
    return fl.ledger()


def cells(number: str) -> list[str]:
    """The code cells of a notebook."""
    found = json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]


def test_there_is_a_row_for_every_statement_and_they_are_many(rows):
    assert len(rows) == len(STATEMENTS) >= 75
    assert len({row.claim for row in rows}) == len(rows)
    assert {row.verdict for row in rows} <= set(VERDICTS)


@pytest.mark.parametrize("statement", STATEMENTS, ids=IDS)
def test_the_function_of_a_statement_exists(statement):
    module, _, name = f"featlab.{statement.function}".rpartition(".")
    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("statement", STATEMENTS, ids=IDS)
def test_the_cell_of_a_statement_exists(statement):
    number, words = statement.cell.split(": ", 1)
    assert any(words in cell for cell in cells(number))


@pytest.mark.parametrize("statement", STATEMENTS, ids=IDS)
def test_a_statement_is_a_sentence_that_is_measured_or_says_why_not(statement):
    assert statement.claim[0].isupper() and statement.claim.endswith(".")
    assert sum(map(bool, (statement.measured, statement.pending, statement.beyond))) == 1


def test_a_value_is_the_mean_of_what_is_stored(rows):
    checked = 0
    for row in rows:
        name, _, keys = row.source.partition(": ")
        if not row.seeds or name == "trend" or "*" in keys:
            continue
        values = []
        for path in (ROOT / "results").glob(f"{name}-seed*.json"):
            found = json.loads(path.read_text())
            for key in keys.split("/"):
                found = found[int(key)] if isinstance(found, list) else found[key]
            values.append(found["value"] if isinstance(found, dict) else found)
        assert len(values) == row.seeds and row.value == pytest.approx(sum(values) / len(values))
        checked += 1
    assert checked > 60


def test_one_seed_holds_in_part_at_best_and_what_was_not_measured_says_why(rows):
    for row in rows:
        if row.verdict in (PENDING, BEYOND):
            assert row.reason and row.value is None and evidence(row) == row.reason
        else:
            assert not row.reason and row.value is not None
        if row.seeds == 1:
            assert row.verdict != "holds"


def test_failures_are_shown(rows):
    assert sum(row.verdict == NOT for row in rows) >= 5


def test_it_prints_every_row_and_shows_as_a_table_whose_words_are_text(rows, capsys):
    assert command.main(["ledger"]) == 0
    said = capsys.readouterr().out
    assert all(row.claim in said for row in rows) and rows.counts in said
    page = rows._repr_html_()
    assert page.count("<tr>") == len(rows) + 1
    assert re.sub(r"<[^<>]*>", "", page).count("<") == 0
    assert repr(rows).startswith(f"a ledger of {len(rows)} statements")


def test_a_ledger_of_some_rows_counts_these(rows):
    assert Ledger(rows[:1]).counts.startswith("1 statements")
