"""The table at the end of the debate is computed from the stored studies."""

import copy

import pytest

import featlab as fl
from featlab.debate import table


def test_every_cell_of_the_table_is_computed_from_the_stored_studies():
    studies = fl.experiments.reports.measured("fashion-mnist-laptop-debate")
    before = table.Table(studies)
    assert len(before.rows) == len(table.OBJECTIONS) and "<table" in before._repr_html_()
    changed = copy.deepcopy(studies)
    for study in changed:
        study["rows"]["leakage"]["eps"]["1.5"]["D_det"]["right"] = 0.77
    assert "77 %" in table.Table(changed).rows[0][2] and "77 %" not in before.rows[0][2]


STUDIES = [
    {
        "rows": {
            "errors": {"student": right},
            "pair": {"rho": right / 2},
            "squares": {
                "rows": [
                    {"n": 400, "noise": 0.2, "attacked": right},
                    {"n": 8000, "noise": 0.2, "attacked": 0.9},
                ]
            },
        }
    }
    for right in (0.6, 0.7, 0.2)
]


def test_a_number_over_the_seeds_is_mean_least_and_greatest():
    assert table.span(STUDIES, "errors", "student") == pytest.approx((0.5, 0.2, 0.7))
    assert table.span(STUDIES, "pair", "rho") == pytest.approx((0.25, 0.1, 0.35))
    assert table.toy(STUDIES, 400, 0.2, "attacked") == pytest.approx((0.5, 0.2, 0.7))
    assert table.toy(STUDIES, 8000, 0.2, "attacked") == pytest.approx((0.9, 0.9, 0.9))


def test_a_span_is_said_in_per_cent_and_a_gain_in_points():
    assert table.percent((0.67, 0.64, 0.7)) == "67 % (64 to 70)"
    assert table.percent((0.16, 0.16, 0.16)) == "16 %"
    assert table.in_points((0.205, 0.182, 0.221)) == "20.5 points (18.2 to 22.1)"


def test_a_cell_that_holds_markup_is_shown_as_text(monkeypatch):
    row = table.Row("<script>", *(lambda studies: "<b>x</b>",) * 3)
    monkeypatch.setattr(table, "OBJECTIONS", (row,))
    shown = table.Table(STUDIES)._repr_html_()
    assert "<script>" not in shown and "<b>" not in shown and "&lt;script&gt;" in shown
