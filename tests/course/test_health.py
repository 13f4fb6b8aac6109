"""setup says what computes, and doctor finds what is missing and says how to mend it."""

import sys
import types

import numpy as np
import pytest
import torch

import featlab as fl
from featlab.course import health


@pytest.fixture(autouse=True)
def same_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_setup_makes_every_draw_repeatable_and_prints_one_line(capsys):
    draws = []
    for _ in range(2):
        fl.setup(seed=3)
        draws.append((torch.rand(1).item(), np.random.rand()))
    lines = capsys.readouterr().out.splitlines()
    assert draws[0] == draws[1] and len(lines) == 4
    assert all(word in lines[0] for word in ("featlab", "thread", "seed 3")) and "reproduce" in lines[1]


@pytest.mark.parametrize(
    ("files", "share"), [({"cpu.max": "150000 100000\n"}, 1.5), ({"cpu.max": "max 100000\n"}, None)]
)
def test_a_containers_share_of_the_machine_is_seen(files, share, tmp_path, monkeypatch):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(health, "CONTROL_GROUPS", tmp_path)
    assert health._quota() == share


def test_the_older_kind_of_container_too(tmp_path, monkeypatch):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    monkeypatch.setattr(health, "CONTROL_GROUPS", tmp_path)
    assert health.cores() == 1


def test_setup_never_takes_more_threads_than_there_are_cores(monkeypatch, capsys):
    monkeypatch.setattr(health, "cores", lambda: 1)
    torch.set_num_threads(2)
    fl.setup()
    assert torch.get_num_threads() == 1 and "1 thread," in capsys.readouterr().out


def test_on_colab_the_widget_manager_is_enabled(monkeypatch, capsys):
    enabled = []
    output = types.SimpleNamespace(enable_custom_widget_manager=lambda: enabled.append(True))
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    fl.setup()
    assert enabled == [True]


def test_the_doctor_knows_every_dependency_with_its_floor():
    floors = health.required()
    assert {"torch", "plotly", "ipywidgets", "anywidget", "numpy"} <= set(floors) and floors[
        "anywidget"
    ] == "0.9.13"


def test_the_doctor_finds_what_is_missing_old_or_right(monkeypatch):
    versions = {"old": "1.9.3", "right": "2.10.0rc1"}

    def version(name):
        if name not in versions:
            raise health.metadata.PackageNotFoundError
        return versions[name]

    monkeypatch.setattr(health.metadata, "version", version)
    missing, old, right = (health.package(name, "1.10") for name in ("missing", "old", "right"))
    assert "pip install" in missing.mend and "pip install" in old.mend and "older than 1.10" in old.found
    assert right.mend == "" and "->" not in str(right)


def test_the_doctor_says_so_when_nothing_can_be_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "cache"))
    assert health.cache().mend == ""
    monkeypatch.setattr(health.os, "access", lambda *_: False)
    assert "FEATLAB_CACHE" in health.cache().mend


def test_the_doctor_prints_a_verdict(monkeypatch, capsys):
    monkeypatch.setattr(
        health, "examine", lambda: [health.Finding("a", "1"), health.Finding("b", "missing", "install b")]
    )
    fl.doctor()
    assert capsys.readouterr().out.endswith("To mend: b.\n")
    monkeypatch.setattr(health, "examine", lambda: [health.Finding("a", "1")])
    fl.doctor()
    assert capsys.readouterr().out.endswith("Nothing is missing.\n")
