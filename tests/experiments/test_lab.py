"""A lab makes each piece once, from the pieces that it needs, as its preset says."""

from dataclasses import replace

import pytest
from test_machines import TINY

import featlab as fl
from featlab.engine import devices
from featlab.experiments import presets, reproduce
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


def test_the_paper_makes_d_rand_with_its_standard_model(lab):
    assert lab.model("teacher").head.weight.equal(lab.model("standard").head.weight)
    assert "teacher" not in [piece.name for piece in reproduce.pieces(lab)] and lab.setting(
        "teacher"
    ) == lab.setting("standard")


def test_a_student_follows_its_own_recipe(lab, monkeypatch):
    seen = {}
    monkeypatch.setattr(
        lab, "train", lambda name, fit, data, **more: seen.update({name: (fit.setting, fit.recipe)})
    )
    lab.student("D_rand"), lab.student("D_det")
    assert seen["student of D_rand"][1].lr == 0.02 and "lr=0.02" in seen["student of D_rand"][0]
    assert seen["student of D_det"][1] == TINY.student


def test_the_setting_of_a_piece_names_every_choice_that_it_depends_on():
    changes = {
        "decay": False,
        "inversion": (3, 1.0),
        "defence": presets.SMALL,
        "inner": fl.PGD(fl.L2(0.9), steps=1),
    }
    settings = {fl.Lab(replace(TINY, **{name: value})).setting("D_R") for name, value in changes.items()}
    assert len(settings | {fl.Lab(TINY).setting("D_R")}) == 5


@pytest.mark.parametrize("ask, says", [
    (lambda lab: fl.Lab("huge"), "unknown preset 'huge'.*" + ".*".join(presets.PRESETS)),
    (lambda lab: lab.model("D_R"), "unknown model 'D_R'.*standard.*robust"),
    (lambda lab: lab.dataset("D_X"), "unknown dataset 'D_X'.*D_R.*D_det"),
    (lambda lab: lab.student("D_X"), "unknown .*'D_X'.*D_R.*D_det"),
    (lambda lab: lab.row("D_X"), "unknown .*'D_X'.*D_R.*D_det"),
])  # fmt: skip
def test_unknown_names_are_refused_with_the_known_before_any_work(ask, says, tmp_path):
    lab = fl.Lab(store=fl.Store(tmp_path))
    with pytest.raises(ValueError, match=says):
        ask(lab)
    assert not list(tmp_path.iterdir())
