"""A sweep varies one recipe, or one way to make a set, and shares what variants have in common."""

from dataclasses import replace

import pytest
from test_machines import TINY

import featlab as fl
from featlab.engine import devices
from featlab.experiments import presets, sweep
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


def test_a_sweep_varies_one_recipe_and_makes_the_set_once(lab, monkeypatch):
    monkeypatch.setattr(sweep, "CHANGES", ({}, {"lr": 0.5}, {"augment": 1}, {"lr": 1}))
    made = []
    count = Store(lab.store.folder, lambda items, label, total: made.append(label) or items)
    monkeypatch.setattr(sweep, "PUSHES", ({"steps": 3},))
    monkeypatch.setattr(sweep, "ANOTHER", {})
    whole = fl.Lab(TINY, store=count)
    pieces = sweep.pieces(whole, "D_rand")
    assert len({piece.name for piece in pieces}) == len(pieces)
    for piece in pieces:
        piece.make()
    assert all(
        one.data is whole.data and one.last is None for one in sweep.variant_labs(whole, "D_rand").values()
    )
    report = sweep.report(whole, "D_rand")
    assert {name: one["clean"] for name, one in report["rows"].items()} == {
        name: row["clean"] for name, row in count.values.items()
    }
    recipes = [one["recipe"] for one in report["rows"].values()]
    assert [(r["lr"], r["augment"]) for r in recipes] == [(0.02, 0), (0.01, 0), (0.02, 1), (0.02, 0)]
    push = f"push {replace(TINY.push, steps=3)}"
    assert {label for label in made if label.startswith("D_rand")} <= {"D_rand", f"D_rand, {push}"}
    students = ["student of D_rand" + end for end in ("", ", lr 0.01", ", augment 1", f", {push}")]
    assert [label for label in made if label.startswith("student")] == students
    assert report["rows"][sweep.OWN]["clean"] == lab.row("D_rand")["clean"]
    table = sweep.text_table(report)
    assert "as the preset has it" in table and "lr 0.01" in table and "augment 1" in table


def test_a_sweep_tries_longer_ways_and_another_architecture_to_the_same_set():
    ten = presets.PRESETS["ten-minutes"]
    ways = {row: list(sweep.constructions(ten, row).values()) for row in ("D_R", "D_det", "robust")}
    assert [(p.inversion, p.decay) for p in ways["D_R"]] == [
        ((300, 0.5), True),
        ((1000, 0.1), False),
        (ten.inversion, True),
    ]
    assert ways["D_det"][0].push == fl.PGD(fl.L2(0.5), steps=100, step=0.1, targeted=True)
    assert [p.model for p in ways["D_det"]] == ["resnet18", "resnet50"] and [
        p.model for p in ways["robust"]
    ] == ["resnet50"]
    with pytest.raises(ValueError, match=r"unknown row 'D_X'.*D_R.*D_det control"):
        sweep.variant_labs(fl.Lab(TINY), "D_X")


def test_the_sweep_of_the_robust_model_varies_its_defence():
    recipe = sweep.recipes(presets.PRESETS["ten-minutes"], "robust")[1]
    changed = sweep.variation_of(presets.PRESETS["ten-minutes"], "robust", recipe)
    assert changed.defence == recipe and changed.student == presets.PRESETS["ten-minutes"].student
