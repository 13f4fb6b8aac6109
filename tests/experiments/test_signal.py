"""Equations (4), (7), (8) on a handful of images: sets and controls are what they are called."""

import json

import pytest
import torch
from small import TINY

import featlab as fl
from featlab.experiments import entries, reports, signal
from featlab.experiments.entries import Entry
from featlab.experiments.lab import Lab


@pytest.fixture
def run(tmp_path):
    return signal.SetSignal(Lab(TINY, store=fl.Store(tmp_path, released=False)))


def test_a_control_has_the_labels_of_its_set_on_the_images_that_its_making_began_with(run):
    for name in signal.SOURCES:
        made, control = run.dataset(name), run.control(name)
        assert made.labels.equal(control.labels)
        assert (made.pixels - control.pixels).flatten(1).norm(dim=1).gt(0).any()
    pushed = run.dataset("D_det").report["length"]
    moved = (run.dataset("D_det").pixels - run.control("D_det").pixels).flatten(1).norm(dim=1)
    torch.testing.assert_close(moved, pushed)
    matched = run.dataset("D_R").report["length"]
    moved = (run.dataset("D_R").pixels - run.control("D_R").pixels).flatten(1).norm(dim=1)
    torch.testing.assert_close(moved, matched, rtol=1e-4, atol=1e-4)


def test_a_gain_is_what_the_set_has_beyond_its_control(run):
    row = run.row("D_rand")
    assert list(row) == list(signal.FAMILIES)
    for found in row.values():
        assert isinstance(found["gain"], Entry) and found["gain"].n == 60
        assert found["gain"] == pytest.approx(found["usefulness"] - found["control"], abs=2e-4)
        for entry in found.values():
            assert entry.interval[0] <= entry <= entry.interval[1]
    assert set(run.row("D")["teacher"]) == {"usefulness"}


def test_the_independent_network_has_a_seed_of_its_own(run):
    seeds = [signal.independent_seed(seed) for seed in range(10)]
    assert len(set(seeds)) == 10
    model = run.network("independent")
    assert all(
        not model.head.weight.equal(run.network(name).head.weight)
        for name in signal.FAMILIES[1:]
        if name != "independent"
    )


def test_the_figure_gets_a_set_s_own_network(run):
    report = entries.parse(json.dumps(entries.plain(signal.report(run))))
    spans, rows = signal.figure_spans([report]), report["rows"]
    made_with = spans["D_R"][signal.CALLED[1]]["usefulness"]
    assert made_with[0] == rows["D_R"]["robust"]["usefulness"]
    assert spans["D_det"][signal.CALLED[1]]["control"][0] == rows["D_det"]["teacher"]["control"]
    assert list(spans["D"]) == [signal.CALLED[0], signal.CALLED[2]]


STORED = [reports.read(path) for path in reports.RESULTS.glob(f"{reports.LAPTOP}-signal-seed*.json")]


@pytest.mark.parametrize("report", STORED)
def test_the_stored_signs_are_those_of_equations_4_7_and_8(report):
    rows = report["rows"]
    # (4): what the robust model uses is useful in D_R
    assert rows["D_R"]["robust"]["usefulness"].interval[0] > 0.5
    # (7): D_rand's usefulness is that of non-robust features
    assert rows["D_rand"]["teacher"]["usefulness"] > 3 * rows["D_rand"]["robust linear"]["usefulness"]
    # (8): robust features point to the wrong class, those of the teacher to the label
    assert rows["D_det"]["robust linear"]["usefulness"].interval[1] < 0
    assert rows["D_det"]["teacher"]["usefulness"].interval[0] > 0
