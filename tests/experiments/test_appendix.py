"""The appendix's rows on a handful of images: sets, strong attacks, robust test images, directions."""

import pytest
import torch
from test_machines import TINY

import featlab as fl
from featlab import constructed
from featlab.engine import devices
from featlab.experiments import appendix, reports
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


@pytest.fixture(scope="module")
def report(lab):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(appendix, "STRENGTHS", (1, 3))
        for piece in appendix.pieces(lab):
            piece.make()
        return appendix.report(lab)


def test_the_appendix_has_all_its_sections(report):
    rows = [
        "D_R",
        "D_NR",
        "D_R from noise",
        "D_NR from noise",
        "D (residual)",
        "D_R (residual)",
        "D_NR (residual)",
    ]
    assert list(report["rows"]) == rows and list(report["strengths"]) == ["1", "3"]
    assert list(report["robustified"]) == ["robust train", "robust test", "real test"]
    assert {"date", "device", "torch"} <= set(report["provenance"]) and report["radius"] == TINY.radii[0]
    assert "y, y + 1" in appendix.text_table(report)


def test_sets_begun_at_noise_differ_from_those_begun_at_images_in_nothing_else(lab):
    images, noise = lab.dataset("D_R"), lab.dataset("D_R from noise")
    assert torch.equal(images.labels, noise.labels) and not torch.equal(images.images, noise.images)
    by_hand = fl.robustify(
        lab.model("robust"), lab.data[0], fl.Inversion(steps=2, step=1.0, start="noise"), seed=0
    )
    assert torch.equal(noise.images, by_hand.images)


def test_robust_test_images_are_test_images_made_like_the_training_set(lab, report):
    model, test = lab.student("D_R"), lab.data[1]
    made = fl.robustify(lab.model("robust"), test, fl.Inversion(steps=2, step=1.0), seed=0)
    attack = fl.PGD(fl.L2(TINY.radii[0]), steps=TINY.steps)
    entries = report["robustified"]["robust test"]
    assert float(entries["clean"]) == pytest.approx(float(fl.accuracy(model, made)), abs=1e-4)
    assert float(entries["attacked"]["0.5"]) == pytest.approx(
        float(fl.accuracy(model, made, attack)), abs=1e-4
    )


def test_directions_count_who_says_y_and_who_says_the_next(lab, report):
    test = lab.data[1]
    for name, row in report["directions"].items():
        said = fl.predict(lab.student(name), test.images)
        assert float(row["y"]) == pytest.approx((said == test.labels).float().mean().item(), abs=1e-4)
        assert float(row["y + 1"]) == pytest.approx(
            (said == (test.labels + 1) % 10).float().mean().item(), abs=1e-4
        )
    by_hand = fl.mislabel(lab.model("robust"), lab.data[0], constructed.next_labels, TINY.push)
    assert torch.equal(lab.dataset("D_det from robust").images, by_hand.images)


def test_what_the_appendix_found_on_clothes():
    report = reports.measured("fashion-mnist-laptop-appendix")[0]
    clean = {name: row["clean"] for name, row in report["rows"].items()}
    lost = {name: clean[name] - clean[f"{name} from noise"] for name in ("D_R", "D_NR")}
    assert 0 < lost["D_R"] < lost["D_NR"]
    strong = report["strengths"]
    assert strong["1"] > strong["30"] and strong["30"] - strong["2500"] < 0.03
    seen = {name: row["clean"] for name, row in report["robustified"].items()}
    under = [row["attacked"]["0.5"] for row in report["robustified"].values()]
    assert seen["robust train"] > seen["real test"] and max(under) - min(under) < 0.06
    usual, robust = report["directions"]["D_det"], report["directions"]["D_det from robust"]
    assert usual["y"] > usual["y + 1"] and robust["y"] < robust["y + 1"]
    rows = {name: report["rows"][f"{name} ({report['other']})"] for name in ("D", "D_R", "D_NR")}
    assert max(rows, key=lambda name: rows[name]["attacked"]["0.5"]) == "D_R"
