"""What a run costs, what is pending, the appendix's rows and the sweep of recipes, on a handful of images."""

import runpy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import patches
from test_machines import TINY

import featlab as fl
from featlab import __main__ as command
from featlab import appendix, claims, constructed, engine, presets, reproduce, results, scale, sweep
from featlab.results import Store, silent

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with engine.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


@pytest.fixture(scope="module")
def report(lab):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appendix, "STRENGTHS", (1, 3))
        assert sorted(appendix.costs(lab)) == sorted(appendix.pieces(lab))
        return appendix.report(lab)


def test_the_appendix_has_all_its_sections(report):
    rows = ["D_R", "D_NR", "D_R from noise", "D_NR from noise", "D (residual)", "D_R (residual)", "D_NR (residual)"]
    assert list(report["rows"]) == rows and list(report["strengths"]) == ["1", "3"]
    assert list(report["robustified"]) == ["robust train", "robust test", "real test"]
    assert {"date", "device", "torch"} <= set(report["provenance"]) and report["radius"] == TINY.radii[0]
    assert "y, y + 1" in appendix.text_table(report)


def test_sets_begun_at_noise_differ_from_those_begun_at_images_in_nothing_else(lab):
    images, noise = lab.dataset("D_R"), lab.dataset("D_R from noise")
    assert torch.equal(images.labels, noise.labels) and not torch.equal(images.images, noise.images)
    by_hand = fl.robustify(lab.model("robust"), lab.data[0], steps=2, step=1.0, start="noise", seed=0)
    assert torch.equal(noise.images, by_hand.images)


def test_robust_test_images_are_test_images_made_like_the_training_set(lab, report):
    model, test = lab.student("D_R"), lab.data[1]
    made = fl.robustify(lab.model("robust"), test, steps=2, step=1.0, seed=0)
    attack = fl.PGD(fl.L2(TINY.radii[0]), steps=TINY.steps)
    entries = report["robustified"]["robust test"]
    assert entries["clean"]["value"] == pytest.approx(float(fl.accuracy(model, made)), abs=1e-4)
    assert entries["attacked"]["0.5"]["value"] == pytest.approx(float(fl.accuracy(model, made, attack)), abs=1e-4)


def test_directions_count_who_says_y_and_who_says_the_next(lab, report):
    test = lab.data[1]
    for name, row in report["directions"].items():
        said = fl.predict(lab.student(name), test.images)
        assert row["y"]["value"] == pytest.approx((said == test.labels).float().mean().item(), abs=1e-4)
        assert row["y + 1"]["value"] == pytest.approx((said == (test.labels + 1) % 10).float().mean().item(), abs=1e-4)
    by_hand = fl.mislabel(lab.model("robust"), lab.data[0], constructed.next_labels, TINY.push)
    assert torch.equal(lab.dataset("D_det from robust").images, by_hand.images)


def test_the_paper_makes_d_rand_with_its_standard_model(lab):
    assert lab.model("teacher").head.weight.equal(lab.model("standard").head.weight)
    assert "teacher" not in reproduce.costs(lab) and lab.setting("teacher") == lab.setting("standard")


def test_a_student_follows_its_own_recipe(lab, monkeypatch):
    seen = {}
    monkeypatch.setattr(lab, "_trained", lambda name, setting, data, recipe, **more: seen.update({name: (setting, recipe)}))
    lab.student("D_rand"), lab.student("D_det")
    assert seen["student of D_rand"][1].lr == 0.02 and "lr=0.02" in seen["student of D_rand"][0]
    assert seen["student of D_det"][1] == TINY.student


def test_the_setting_of_a_piece_names_every_choice_that_it_depends_on():
    changes = {"decay": False, "inversion": (3, 1.0), "defence": presets.SMALL, "inner": fl.PGD(fl.L2(0.9), steps=1)}
    settings = {fl.Lab(replace(TINY, **{name: value})).setting("D_R") for name, value in changes.items()}
    assert len(settings | {fl.Lab(TINY).setting("D_R")}) == 5


def test_a_sweep_varies_one_recipe_and_makes_the_set_once(lab, monkeypatch):
    monkeypatch.setattr(sweep, "CHANGES", ({}, {"lr": 0.5}, {"augment": 1}, {"lr": 1}))
    made = []
    count = Store(lab.store.folder, lambda items, label, total: made.append(label) or items)
    monkeypatch.setattr(sweep, "PUSHES", ({"steps": 3},))
    monkeypatch.setattr(sweep, "ANOTHER", {})
    whole = fl.Lab(TINY, store=count)
    assert sorted(sweep.costs(whole, "D_rand")) == sorted(sweep.pieces(whole, "D_rand"))
    assert all(one.data is whole.data and one.last is None for one in sweep.labs(whole, "D_rand").values())
    report = sweep.report(whole, "D_rand")
    assert {one["differs"]: one["clean"] for one in report["tried"]} == {name: row["clean"] for name, row in count.values.items()}
    recipes = [one["recipe"] for one in report["tried"]]
    assert [(r["lr"], r["augment"]) for r in recipes] == [(0.02, 0), (0.01, 0), (0.02, 1), (0.02, 0)]
    push = f"push {replace(TINY.push, steps=3)}"
    assert {label for label in made if label.startswith("D_rand")} <= {"D_rand", f"D_rand, {push}"}
    students = ["student of D_rand" + end for end in ("", ", lr 0.01", ", augment 1", f", {push}")]
    assert [label for label in made if label.startswith("student")] == students
    assert report["tried"][0]["clean"] == lab.row("D_rand")["clean"]
    table = sweep.text_table(report)
    assert "as the preset has it" in table and "lr 0.01" in table and "augment 1" in table


def test_a_sweep_tries_longer_ways_and_another_architecture_to_the_same_set():
    ten = presets.PRESETS["ten-minutes"]
    ways = {row: list(sweep.constructions(ten, row).values()) for row in ("D_R", "D_det", "robust")}
    assert [(p.inversion, p.decay) for p in ways["D_R"]] == [((300, 0.5), True), ((1000, 0.1), False), (ten.inversion, True)]
    assert ways["D_det"][0].push == fl.PGD(fl.L2(0.5), steps=100, step=0.1, targeted=True)
    assert [p.model for p in ways["D_det"]] == ["resnet18", "resnet50"] and [p.model for p in ways["robust"]] == ["resnet50"]
    with pytest.raises(ValueError, match=r"unknown row 'D_X'.*D_R.*D_det control"):
        sweep.labs(fl.Lab(TINY), "D_X")


def test_the_sweep_of_the_robust_model_varies_its_defence():
    recipe = sweep.recipes(presets.PRESETS["ten-minutes"], "robust")[1]
    changed = sweep.variant(presets.PRESETS["ten-minutes"], "robust", recipe)
    assert changed.defence == recipe and changed.student == presets.PRESETS["ten-minutes"].student


@pytest.mark.parametrize("command_line", [["appendix"], ["sweep", "--row", "D_det"]])
def test_the_commands_write_their_tables(command_line, lab, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(presets.PRESETS, "tiny", TINY)
    monkeypatch.setattr(appendix, "STRENGTHS", (1, 3))
    monkeypatch.setattr(sweep, "CHANGES", ({},))
    monkeypatch.setattr(sweep, "ANOTHER", {})
    monkeypatch.setenv("FEATLAB_CACHE", str(lab.store.folder))
    assert command.main([*command_line, "--preset", "tiny", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("fashion-mnist-tiny-*-seed0.json"))) == 1 and "wrote" in capsys.readouterr().out


def test_the_report_says_what_each_stage_took(lab):
    assert list(lab.pieces())
    whole = lab.report()
    assert all(piece in whole["stages"] for piece in reproduce.costs(lab)) and whole["peak"] > 0
    assert all(s["share"] >= 0 and s["seconds"] >= 0 and s["pflop"] > 0 for s in whole["stages"].values())
    assert "share" in command.stage_table(whole)


# the cost


def test_the_stages_add_up_to_the_whole_and_grow_with_what_they_count():
    for name, forward in (("ten-minutes", scale.FORWARD["resnet18"]), ("paper", scale.FORWARD["resnet50"])):
        p = presets.PRESETS[name]
        assert sum(scale.work(p, forward).values()) == pytest.approx(sum(presets.cost(p, 50000, 10000).values()) * forward / 1e15)
    base, more = (scale.work(scale.varied(p, epochs=30, inversion=n), 1e9) for n in (150, 300))
    assert more["D_R and D_NR"] == pytest.approx(2 * base["D_R and D_NR"])
    assert {k: v for k, v in more.items() if k != "D_R and D_NR"} == {k: v for k, v in base.items() if k != "D_R and D_NR"}


def test_an_accuracy_takes_the_passes_that_are_counted(lab, monkeypatch):
    model, (_, test), forward, through = lab.model("standard"), lab.data, [], engine.Frozen.__call__
    monkeypatch.setattr(engine.Frozen, "__call__", lambda self, x: forward.append(len(x)) or through(self, x))
    right = round(fl.accuracy(model, test) * len(test))
    for radius in TINY.radii:
        fl.accuracy(model, test, fl.PGD(fl.L2(radius), steps=TINY.steps))
    backward = right * TINY.steps * len(TINY.radii)
    assert 0 < right < len(test) and sum(forward) + backward == presets.measuring(TINY, len(test), right)


def test_what_is_not_measured_is_pending():
    assert scale.stored("cifar10-nonsense") == []
    assert scale.beside([]) == scale.holding([]) == {}
    assert list(scale.papers()) == list(presets.ROWS) and scale.papers()["D_rand"] == f"{100 * claims.PAPER['D_rand'][0]:.0f} / 0"
    reports = results.measured("fashion-mnist-laptop")
    measured = scale.beside(reports)
    assert list(measured) == list(presets.ROWS) and all(0 <= float(part) <= 100 for cell in measured.values() for part in cell.split(" / "))
    agree = [sum(claim["agrees"] for claim in report["claims"]) for report in reports]
    assert sum(scale.holding(reports).values()) == sum(agree) and len(scale.holding(reports)) == len(claims.CLAIMS)


def test_a_table_has_every_row_of_every_column_and_pending_where_one_lacks_it():
    lines = scale.table({"a": {"x": "1", "y": "22"}, "b": {}, "c": {"z": "3"}}, head="row").splitlines()
    assert [line.split() for line in lines] == [
        ["row", "a", "b", "c"],
        ["x", "1", *["pending"] * 2],
        ["y", "22", *["pending"] * 2],
        ["z", *["pending"] * 2, "3"],
    ]
    assert len({len(line) for line in lines}) == 1
    assert scale.table({"a": {"x": "1"}, "b": {}}, lacking="-").split() == ["a", "b", "x", "1", "-"]


def test_stored_measurements_are_read_as_they_were_written():
    report = results.measured("fashion-mnist-laptop-appendix")[0]
    cells = scale.further("fashion-mnist-laptop")
    clean, attacked = (100 * e["value"] for e in (report["rows"]["D_NR"]["clean"], report["rows"]["D_NR"]["attacked"]["0.5"]))
    assert cells["D_NR"] == f"{clean:.1f} / {attacked:.1f}" and len(cells) == 7 + 4 + 3 + 2
    rows = scale.kept("attacks-cnn")["rows"]
    faster = rows["featlab"]["image-steps/s"] / rows["authors"]["image-steps/s"]
    assert scale.peers("cnn")["featlab"].startswith(f"{faster:.1f} x") and scale.peers("cnn")["authors"].startswith("1.0 x")
    made = scale.kept("attacks-cnn")["provenance"]
    assert scale.made("attacks-cnn", "nonsense") == f"attacks-cnn: {made['date']}, {made['device']}, torch {made['torch']}"
    assert len(scale.precisions("quick")) == 4 and {name.split(",")[0] for name in scale.speeds("cpu")} >= {"cnn"}
    for nothing in (scale.peers("nonsense"), scale.speeds("tpu"), scale.precisions("x"), scale.further("x"), scale.tried("x", "D_R")):
        assert nothing == {}


def test_the_cost_explorer_shows_what_its_knobs_say():
    from featlab.widgets_scale import CostExplorer

    explorer = CostExplorer()
    total = lambda: sum(explorer.bars.data[0].x)  # noqa: E731
    before = total()
    assert before == pytest.approx(sum(explorer.work().values()) * 1000 / 200 / 60)
    explorer.speed.value = 400
    assert total() == pytest.approx(before / 2)
    explorer.network.value = "ResNet-50"
    assert total() == pytest.approx(before / 2 * 2.60 / 1.11)
    assert "hours" not in explorer.verdict.value and explorer.message.value == ""
    explorer.epochs.value, explorer.inversion.value, explorer.speed.value = 150, 1000, 20
    assert "hours" in explorer.verdict.value
    assert len(explorer.twin.layout.sliders[0].steps) == 5


def test_strips_carry_cifar10_unchanged(tmp_path, monkeypatch):
    from featlab import data, files

    splits = {}
    for split, n in (("train", 1500), ("test", 500)):
        part = patches(n, channels=3, classes=10, size=32, seed=n)
        splits |= {f"{split}_images": part.images, f"{split}_labels": part.labels.to(torch.uint8)}
    monkeypatch.setattr(data, "_fetch", lambda name: splits)
    strips = runpy.run_path(str(ROOT / "benchmarks" / "strips.py"))
    strips["SIZES"].update(train=1500, test=500)
    strips["main"]("write", str(tmp_path / "all"))
    for path in ("train/002.webp", "train_labels.npy"):
        (tmp_path / "rest" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / path).rename(tmp_path / "rest" / path)
    monkeypatch.setattr(data, "_fetch", lambda name: pytest.fail("downloaded"))
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "there"))
    strips["main"]("read", str(tmp_path / "all"))
    assert files.read_tensors(tmp_path / "there" / "data" / "cifar10.safetensors", "cifar10") is None
    strips["main"]("read", str(tmp_path / "rest"))
    train, test = fl.load("cifar10", device="cpu")
    assert torch.equal(train.images, splits["train_images"]) and torch.equal(test.labels, splits["test_labels"].long())
