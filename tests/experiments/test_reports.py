"""Reports have one form; stored ones are found by name, and where there are none,
the command that measures them is said.
"""

import json

import pytest
import torch

import featlab as fl
from featlab.experiments import entries, presets, reports
from featlab.experiments.entries import Entry

STORED = sorted(reports.RESULTS.glob("*-seed*.json"))
FORM = ("seed", "preset", "provenance", "rows")


@pytest.mark.parametrize(
    "name, command",
    [
        ("fashion-mnist-laptop", "reproduce"),
        ("cifar10-small-appendix", "appendix"),
        ("fashion-mnist-laptop-spectra", "spectra"),
        ("spectra", "spectra"),
        ("cifar10-small-sweep-D_rand control", "sweep --row 'D_rand control'"),
    ],
)
def test_the_command_is_the_one_that_writes_reports_of_this_name(name, command, tmp_path, monkeypatch):
    monkeypatch.setattr(reports, "RESULTS", tmp_path)
    with pytest.raises(FileNotFoundError, match=f"python -m featlab {command} --out"):
        reports.measured(name)


def test_every_command_is_known():
    from featlab.experiments.registry import EXPERIMENTS

    assert {"reproduce", "sweep", *reports.STUDIES} == set(EXPERIMENTS)


STUDIED = [study for study in reports.STUDIES if list(reports.RESULTS.glob(f"{reports.LAPTOP}-{study}-*"))]


@pytest.mark.parametrize("study", STUDIED)
def test_a_study_is_found_by_its_name_alone(study):
    assert fl.measured(study) == fl.measured(f"fashion-mnist-laptop-{study}")


def leaves(value: object):
    """Every number and word in a report."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_stored_report_has_the_one_form_and_is_written_as_it_was_read(path, tmp_path):
    report = reports.read(path)
    assert tuple(report)[:4] == FORM
    assert all(isinstance(text, str) for text in (*report["preset"].values(), *report["provenance"].values()))
    assert all(isinstance(row, dict) for row in report["rows"].values())
    measured = [one for one in leaves(report["rows"]) if isinstance(one, Entry)]
    assert all(one.interval[0] <= one <= one.interval[1] for one in measured)
    assert measured or "spectra" in path.name
    reports.write_once(tmp_path / path.name, report)
    assert (tmp_path / path.name).read_text() == path.read_text()


def test_a_report_of_now_has_the_form_and_what_only_its_experiment_writes():
    accuracy = fl.training.Accuracy(3, 10)
    stages = {"D": {"seconds": 1.5}}
    report = reports.report_of(presets.PRESETS["quick"], 7, {"D": {"clean": accuracy}}, stages=stages)
    assert tuple(report) == (*FORM, "stages")
    assert report["seed"] == 7 and report["preset"]["images"] == "5000"
    json.dumps(entries.plain(report))


def test_the_form_is_what_the_type_requires():
    assert set(FORM) == reports.Report.__required_keys__


def test_over_seeds_gives_mean_least_and_greatest():
    rows = reports.over_seeds(
        [{"rows": {"D": {"clean": v, "attacked": {"0.5": v / 2}}}} for v in (0.2, 0.4, 0.9)]
    )
    assert rows["D"]["clean"] == pytest.approx((0.5, 0.2, 0.9))
    assert rows["D"]["under l2 0.5"] == pytest.approx((0.25, 0.1, 0.45))


def test_results_that_are_not_there_say_how_to_make_them():
    with pytest.raises(FileNotFoundError, match="python -m featlab reproduce"):
        reports.measured("fashion-mnist-nonsense")


def test_stored_results_are_complete():
    stored = reports.measured("fashion-mnist-laptop")
    assert [r["seed"] for r in stored] == [0, 1, 2]
    for report in stored:  # older ones lack what stands beside the paper's rows
        rows = tuple(report["rows"])
        assert rows[: len(presets.ROWS)] == presets.ROWS
        assert set(rows) <= {*presets.ROWS, *presets.EXTRA_ROWS}


def test_provenance_says_where_a_number_comes_from():
    says = reports.provenance()
    assert {"date", "device", "precision", "featlab", "torch", "python"} <= says.keys()
    assert (
        says["torch"] == torch.__version__ and says["precision"] == "float32" and "threads" in says["device"]
    )
    json.dumps(says)
