"""What a run costs, what is pending, the appendix's rows and the sweep of recipes, on a handful of images."""

import runpy
from pathlib import Path

import pytest
import torch
from small import patches
from test_machines import TINY

import featlab as fl
from featlab import __main__ as command
from featlab.engine import devices
from featlab.experiments import appendix, claims, presets, reports, reproduce, scale, sweep
from featlab.experiments.progress import silent
from featlab.experiments.store import Store

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


@pytest.mark.parametrize("command_line", [["appendix"], ["sweep", "--row", "D_det"]])
def test_the_commands_write_their_tables(command_line, lab, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(presets.PRESETS, "tiny", TINY)
    monkeypatch.setattr(appendix, "STRENGTHS", (1, 3))
    monkeypatch.setattr(sweep, "CHANGES", ({},))
    monkeypatch.setattr(sweep, "ANOTHER", {})
    monkeypatch.setenv("FEATLAB_CACHE", str(lab.store.folder))
    assert command.main([*command_line, "--preset", "tiny", "--out", str(tmp_path)]) == 0
    assert (
        len(list(tmp_path.glob("fashion-mnist-tiny-*-seed0.json"))) == 1
        and "wrote" in capsys.readouterr().out
    )


def test_the_report_says_what_each_stage_took(lab):
    for piece in reproduce.pieces(lab):
        piece.make()
    whole = reproduce.report(lab)
    assert all(piece.name in whole["stages"] for piece in reproduce.pieces(lab)) and whole["peak"] > 0
    assert all(s["share"] >= 0 and s["seconds"] >= 0 and s["pflop"] > 0 for s in whole["stages"].values())
    assert "share" in reproduce.stage_table(whole)


# the cost


def test_the_stages_add_up_to_the_whole_and_grow_with_what_they_count():
    for name, forward in (("ten-minutes", scale.FORWARD["resnet18"]), ("paper", scale.FORWARD["resnet50"])):
        p = presets.PRESETS[name]
        assert sum(scale.work(p, forward).values()) == pytest.approx(
            sum(presets.cost(p, 50000, 10000).values()) * forward / 1e15
        )
    base, more = (scale.work(scale.variation(p, epochs=30, inversion=n), 1e9) for n in (150, 300))
    assert more["D_R and D_NR"] == pytest.approx(2 * base["D_R and D_NR"])
    assert {k: v for k, v in more.items() if k != "D_R and D_NR"} == {
        k: v for k, v in base.items() if k != "D_R and D_NR"
    }


def test_what_is_not_measured_is_pending():
    assert scale.runs_of("cifar10-nonsense") == []
    assert scale.means([]) == scale.agreements([]) == {}
    assert (
        list(scale.papers()) == list(presets.ROWS)
        and scale.papers()["D_rand"] == f"{100 * claims.PAPER['D_rand'][0]:.0f} / 0"
    )
    stored = reports.measured("fashion-mnist-laptop")
    measured = scale.means(stored)
    assert list(measured) == list(presets.ROWS) and all(
        0 <= part <= 1 for cell in measured.values() for part in cell
    )
    small = scale.means(reports.measured("cifar10-small"))
    assert list(small) == list(presets.ROWS)
    assert all(0 <= part <= 1 for cell in small.values() for part in cell)
    agree = [sum(claim["agrees"] for claim in report["claims"]) for report in stored]
    assert sum(scale.agreements(stored).values()) == sum(agree) and len(scale.agreements(stored)) == len(
        claims.CLAIMS
    )


def test_a_table_has_every_row_of_every_column_and_pending_where_one_lacks_it():
    lines = scale.table({"a": {"x": "1", "y": "22"}, "b": {}, "c": {"z": "3"}}, head="row").splitlines()
    assert [line.split() for line in lines] == [
        ["row", "a", "b", "c"],
        ["x", "1", *["pending"] * 2],
        ["y", "22", *["pending"] * 2],
        ["z", *["pending"] * 2, "3"],
    ]
    assert len({len(line) for line in lines}) == 1
    assert "12.3 / -" in scale.table({"a": {"x": (0.1234, None)}})
    assert scale.table({"a": {"x": "1"}, "b": {}}, lacking="-").split() == ["a", "b", "x", "1", "-"]


def test_stored_measurements_are_read_as_they_were_written():
    report = reports.measured("fashion-mnist-laptop-appendix")[0]
    cells = scale.appendix("fashion-mnist-laptop")
    row = report["rows"]["D_NR"]
    assert cells["D_NR"] == (row["clean"], row["attacked"]["0.5"]) and len(cells) == 7 + 4 + 3 + 2
    assert cells["D_R, 10-step attack"] == (None, report["strengths"]["10"])
    rows = scale.result("attacks-cnn")["rows"]
    faster = rows["featlab"]["image-steps/s"] / rows["authors"]["image-steps/s"]
    assert scale.peers("cnn")["featlab"].startswith(f"{faster:.1f} x") and scale.peers("cnn")[
        "authors"
    ].startswith("1.0 x")
    made = scale.result("attacks-cnn")["provenance"]
    assert (
        scale.origins("attacks-cnn", "nonsense")
        == f"attacks-cnn: {made['date']}, {made['device']}, torch {made['torch']}"
    )
    assert len(scale.precisions("quick")) == 4 and {name.split(",")[0] for name in scale.speeds("cpu")} >= {
        "cnn"
    }
    for nothing in (
        scale.peers("nonsense"),
        scale.speeds("tpu"),
        scale.precisions("x"),
        scale.appendix("x"),
        scale.variants_of("x", "D_R"),
    ):
        assert nothing == {}


# what notebook 07 says in words about the stored tables: if a new measurement breaks one of these, the text
# must change


def attacked(cells, name):
    """Accuracy under attack, %."""
    return 100 * cells[name][-1]


def test_the_papers_run_is_more_than_ten_times_the_short_one():
    paper, short = (
        sum(scale.work(presets.PRESETS[name], scale.FORWARD[network]).values())
        for name, network in (("paper", "resnet50"), ("ten-minutes", "resnet18"))
    )
    assert paper > 10 * short


@pytest.mark.parametrize("setting", ["cifar10-small", "cifar10-ten-minutes", "cifar10-paper"])
def test_no_stored_stage_is_faster_than_its_floor(setting):
    for report in scale.runs_of(setting):
        assert all(0 <= stage["share"] <= 1 for stage in report["stages"].values())


def test_bfloat16_does_not_change_what_students_learn():
    right = scale.students_of("quick")
    for name in ("D_R", "D_rand"):
        assert abs(right[f"{name}, float32"] - right[f"{name}, bfloat16 convolutions"]) < 0.02


def test_what_the_sweep_of_the_small_recipe_found():
    robust, wrong = (scale.variants_of("cifar10-small", row) for row in ("D_R", "D_det"))
    own = attacked(robust, "as the preset has it")
    assert attacked(robust, "augment 4") > own + 3 and attacked(robust, "epochs 16") < own - 3
    clean = {change: 100 * cell[0] for change, cell in wrong.items()}
    assert max(clean["augment 4"], clean["model cnn"]) <= 10 < clean["as the preset has it"]


def test_what_the_appendix_found_on_cifar10():
    cells = scale.appendix("cifar10-small")
    right, shown = (100 * part for part in cells["D_det from robust, y / y + 1"])
    sets = "robust train", "robust test", "real test"
    learned, fresh, real = (attacked(cells, f"D_R, on {name}") for name in sets)
    assert shown > 5 * right and learned > fresh + 5 and abs(fresh - real) < 3
    assert attacked(cells, "D_R (other network)") < attacked(cells, "D (other network)")


def test_the_cost_explorer_shows_what_its_knobs_say():
    from featlab.widgets.scale import CostExplorer

    explorer = CostExplorer()
    total = lambda: sum(explorer.bars.data[0].x)  # noqa: E731
    before = total()
    assert before == pytest.approx(sum(explorer.work().values()) * 1000 / 200 / 60)
    explorer.speed.value = 400
    assert total() == pytest.approx(before / 2)
    explorer.network.value = "ResNet-50"
    assert total() == pytest.approx(before / 2 * 2.60 / 1.11)
    assert "hours" not in explorer.verdict.value and explorer.message.value == ""
    before = total()
    explorer.inversion.value = 1000
    assert total() > 1.5 * before and explorer.message.value == ""
    explorer.epochs.value, explorer.inversion.value, explorer.speed.value = 150, 1000, 20
    assert "hours" in explorer.verdict.value
    assert len(explorer.twin.layout.sliders[0].steps) == 5


def test_strips_carry_cifar10_unchanged(tmp_path, monkeypatch):
    from featlab import data
    from featlab.engine import files

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
    assert torch.equal(train.images, splits["train_images"]) and torch.equal(
        test.labels, splits["test_labels"].long()
    )
