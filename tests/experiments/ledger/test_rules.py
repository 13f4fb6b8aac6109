"""The rule: a difference with its whole interval holds, its value alone in part; one run never holds."""

import json

import pytest

from featlab.experiments.entries import Entry
from featlab.experiments.ledger import rules
from featlab.experiments.ledger.rules import HOLDS, NOT, PART, PENDING, Statement, finding, judge


def more(**changes) -> Statement:
    return Statement("1", "A is more than B.", "f", "00: a", "runs: a", "runs: b", **changes)


@pytest.mark.parametrize(
    "numbers, controls, expected",
    [
        ([0.5, 0.6, 0.55], [0.1, 0.2, 0.15], HOLDS),
        ([0.5, 0.6, 0.1], [0.45, 0.3, 0.2], PART),
        ([0.1, 0.2, 0.15], [0.5, 0.6, 0.55], NOT),
        ([0.1, 0.5, 0.9], [0.09, 0.49, 0.89], HOLDS),  # pairs: the same difference each time
        ([0.5, 0.52, 0.51], 0.4, HOLDS),
        ([0.3, 0.6, 0.5], 0.4, PART),
        ([0.5, 0.52, 0.51], [0.4], HOLDS),  # one run of the control: a level
    ],
)
def test_the_verdict_follows_the_interval_of_pairs_or_of_the_value(numbers, controls, expected):
    assert judge(more(), numbers, controls) == expected


def test_less_turns_the_rule_around_and_by_moves_it():
    numbers, controls = [0.1, 0.11, 0.12], [0.5, 0.52, 0.49]
    assert judge(more(less=True), numbers, controls) == HOLDS
    assert judge(more(less=True, by=0.45), numbers, controls) == NOT
    assert judge(more(by=-0.45), numbers, controls) == HOLDS  # not much less


def test_one_run_holds_in_part_at_best_but_an_exact_number_holds():
    assert judge(more(), [Entry(0.5, 0.49, 0.51)], [Entry(0.1, 0.09, 0.11)]) == PART
    exact = Statement("4", "A.", "f", "02: a", "theory: a", 0.4)
    assert judge(exact, [0.5], 0.4) == HOLDS and judge(exact, [0.3], 0.4) == NOT
    trend = Statement("3.3", "A.", "f", "05: a", "trend: a", 0.0)
    assert judge(trend, [Entry(0.8, -0.1, 0.9)], 0.0) == PART
    assert judge(trend, [Entry(0.8, 0.1, 0.9)], 0.0) == HOLDS


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Three reports in a folder of their own."""
    monkeypatch.setattr(rules, "RESULTS", tmp_path)
    for seed, a in enumerate((0.5, 0.6, 0.55)):
        report = {
            "a": {"x": {"value": a, "low": a - 0.1, "high": a + 0.1, "n": 10}, "y": 2 * a},
            "b": [0.1, 0.2],
        }
        (tmp_path / f"runs-seed{seed}.json").write_text(json.dumps(report))
    return tmp_path


def test_a_place_is_read_key_by_key_and_a_star_is_a_mean(stored):
    assert rules.runs_at("runs: a/x") == [0.5, 0.6, 0.55]
    assert rules.runs_at("runs: b/1") == [0.2] * 3
    assert rules.runs_at("runs: a/*") == pytest.approx([0.75, 0.9, 0.825])
    assert rules.runs_at("none: a") == []


def test_a_finding_has_what_was_stored(stored):
    found = finding(Statement("1", "A.", "f", "00: a", "runs: a/x", "runs: b/0"))
    assert (found.value, found.control, found.seeds) == (pytest.approx(0.55), pytest.approx(0.1), 3)
    assert found.verdict == HOLDS and found.interval[0] < 0.55 < found.interval[1]


def test_a_finding_changes_with_its_file(stored):
    one = Statement("1", "A.", "f", "00: a", "runs: b/0")
    assert finding(one).value == pytest.approx(0.1)
    for seed in range(3):
        path = stored / f"runs-seed{seed}.json"
        path.write_text(path.read_text().replace("[0.1, 0.2]", "[0.7, 0.2]"))
    assert finding(one).value == pytest.approx(0.7)


def test_what_is_not_stored_is_not_measured(stored):
    found = finding(Statement("1", "A.", "f", "00: a", "runs: a/x", "absent: b"))
    assert found.verdict == PENDING and "absent-seed*.json" in found.reason
    assert finding(Statement("1", "A.", "f", "00: a", pending="later")).reason == "later"
