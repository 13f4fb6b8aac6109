"""The debate's pieces are those of its report, and its table says every accuracy."""

import pytest
from small import TINY

import featlab as fl
from featlab.experiments import debate
from featlab.experiments.entries import Entry


@pytest.fixture
def lab(tmp_path):
    return fl.Lab(TINY, store=fl.Store(tmp_path, released=False))


def test_every_piece_has_a_cost_and_what_it_needs_comes_before(lab):
    names = [piece.name for piece in debate.pieces(lab)]
    assert names[-len(debate.PIECES) :] == list(debate.PIECES) and len(set(names)) == len(names)
    assert {"standard", "D_R", "student of D_det"} <= set(names)
    assert all(passes > 0 for passes in debate.costs(lab).values())


def test_a_piece_is_measured_once(lab, monkeypatch):
    calls = []
    monkeypatch.setitem(debate.PIECES, "pair", lambda lab: calls.append(lab) or {"right": 0.5})
    assert debate.measure_piece(lab, "pair") == debate.measure_piece(lab, "pair") == {"right": 0.5}
    assert len(calls) == 1


def test_the_stored_debates_have_every_piece():
    for report in fl.measured("debate"):
        assert list(report["rows"]) == list(debate.PIECES)


def test_the_table_finds_accuracies_however_deep_they_lie():
    one = Entry(0.5, 0.4, 0.6, 40)
    report = {"rows": {"squares": {"rows": [{"n": 400, "fit": one}]}, "errors": {"early": one}}}
    lines = debate.text_table(report).splitlines()
    assert lines[0].startswith("squares, rows, 0, fit") and lines[1].startswith("errors, early")
    assert "50.0 (40.0 to 60.0)" in lines[0] and len(lines) == 3
