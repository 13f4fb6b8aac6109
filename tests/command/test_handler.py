"""One handler for every experiment: the same options, one bar over all pieces,
and what an unfinished run leaves.
"""

import json
import re
from dataclasses import replace

import pytest
from small import TINY

import featlab as fl
from featlab import __main__ as command
from featlab.command import handler, runs
from featlab.engine import devices
from featlab.engine.clock import TimeIsUp
from featlab.experiments import appendix, debate, figure3, presets, spectra, sweep, teachers
from featlab.experiments.registry import EXPERIMENTS

TINIER = replace(TINY, model="cnn")
SHORT = ("errors", "pair", "high-pass 12")  # of the debate


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Every experiment on a handful of images, as a preset that is called tiny."""
    taught = fl.Recipe(epochs=6, lr=0.1)
    some = replace(TINIER, images=300, tests=100, student=taught, teacher=taught)
    small = figure3.Preset(some, ("cnn", "mlp"), taught, radii=(0.5, 1.5), steps=1)
    measured = spectra.Preset(replace(TINIER, model="cnn64"), (0.0, 0.5))
    for room, preset in ((presets, TINIER), (teachers, TINIER), (figure3, small), (spectra, measured)):
        monkeypatch.setitem(room.PRESETS, "tiny", preset)
    monkeypatch.setattr(appendix, "STRENGTHS", (1, 3))
    monkeypatch.setattr(teachers, "EPOCHS", (1, 2))
    monkeypatch.setattr(sweep, "CHANGES", ({}, {"lr": 0.5}))
    monkeypatch.setattr(debate, "PIECES", {name: debate.PIECES[name] for name in SHORT})
    with devices.precision("float32"):
        yield


@pytest.fixture
def bars(monkeypatch):
    """The bars that commands drew: what was shown as being made, and whether the end was reached."""
    drawn = []

    class Seen(runs.WorkBar):
        def __init__(self, costs):
            super().__init__(costs)
            self.planned, self.made = dict(costs), []
            drawn.append(self)

        def __call__(self, items, label, total):
            self.made.append(label)
            yield from super().__call__(items, label, total)

    monkeypatch.setattr(runs, "WorkBar", Seen)
    return drawn


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_runs_under_one_bar_and_leaves_one_report(name, bars, tmp_path, capsys):
    words = [name, "--preset", "tiny", "--seed", "1", "--out", str(tmp_path), "--stop-after", "1h", "--yes"]
    assert command.main(words) == 0
    (bar,) = bars
    assert set(bar.planned) <= set(bar.made), "what is planned is made under its own name"
    assert bar.bar.n == pytest.approx(bar.bar.total, rel=1e-6) and not bar.costs
    (path,) = tmp_path.glob("*.json")
    report = json.loads(path.read_text())
    assert "tiny" in path.name and "seed1" in path.name and report["seed"] == 1 and "preset" in report
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert len(lines) > 3 and [k for k, line in enumerate(lines) if line.startswith("wrote ")] < [
        len(lines) - 2
    ]
    assert str(path) in said and "earlier run" not in said
    assert command.main(words) == 0
    assert f"All {len(bar.planned)} pieces were there from an earlier run." in capsys.readouterr().out


@pytest.mark.parametrize("name", ["debate", "spectra"])
def test_when_the_time_is_up_what_was_measured_is_kept_and_the_next_start_goes_on(
    name, tmp_path, monkeypatch, capsys
):
    words = [name, "--preset", "tiny", "--out", str(tmp_path), "--stop-after", "1h"]
    look, left = runs.Deadline.look, [4]

    def up(self, seconds):
        left[0] -= 1
        if left[0] < 0:
            raise TimeIsUp
        return look(self, seconds)

    monkeypatch.setattr(runs.Deadline, "look", up)
    assert command.main(words) == 75
    (path,) = tmp_path.glob("*.json")
    assert "partial" in path.name and json.loads(path.read_text())["seconds"]
    left[0] = 10**9
    capsys.readouterr()
    assert command.main(words) == 0
    assert re.search(r"Found \d of \d+ pieces from an earlier run; going on", capsys.readouterr().err)
    assert ["partial" in path.name for path in tmp_path.glob("*.json")] == [False]


def test_other_data_reach_every_experiment(monkeypatch):
    for experiment in EXPERIMENTS.values():
        _, preset = runs.choose_preset("tiny", "cifar10", experiment.room)
        assert handler.lab_of(preset).data == "cifar10"


def test_an_experiment_that_needs_ten_classes_says_so(monkeypatch):
    four = fl.load("fashion-mnist")[0]
    few = four[four.labels < 4]
    few = fl.Dataset(few.images, few.labels, few.classes[:4])
    monkeypatch.setattr(fl.Lab, "data", property(lambda self: (few, few)))
    with pytest.raises(ValueError, match=r"ten classes.* got 4"):
        debate.pieces(debate.begin(TINIER, seed=0, size=None))


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_the_help_names_every_preset(experiment):
    assert all(name in experiment.presets for name in experiment.room.PRESETS if name != "tiny")
