"""Figure 3 and its converse end to end on a handful of images: made once, loaded afterwards,
the trend read from known points.
"""

from dataclasses import replace

import pytest
from small import TINY, patches

import featlab as fl
from featlab import __main__ as command
from featlab.engine import devices
from featlab.experiments import converse, entries, figure3, reports
from featlab.experiments import lab as lab_module
from featlab.experiments.figure3 import Figure3
from featlab.plots import transfer as plots_transfer
from featlab.widgets import transfer as widgets_transfer

ONE = fl.Recipe(epochs=1, lr=0.1)
SMALL = figure3.Preset(
    replace(TINY, images=80, tests=60),
    architectures=("cnn", "mixer", "mlp"),
    real=ONE,
    radii=(0.5, 1.5),
    steps=2,
)


@pytest.fixture(scope="module")
def figure(tmp_path_factory):
    with devices.precision("float32"):
        yield Figure3(SMALL, store=fl.Store(tmp_path_factory.mktemp("store")))


@pytest.fixture(scope="module")
def report(figure):
    return figure3.report(figure)


def test_every_architecture_has_its_two_accuracies_and_all_rates(report):
    assert list(report["rows"]) == list(SMALL.architectures) and report["radius"] == "1.5"
    for row in report["rows"].values():
        assert set(row["transfer"]) == set(figure3.EXAMPLES) and set(row["transfer"]["noise"]) == {
            "0.5",
            "1.5",
        }
        for cell in (
            row["D"],
            row["D_det"],
            *(e for rates in row["transfer"].values() for e in rates.values()),
        ):
            assert 0 <= cell.interval[0] <= cell <= cell.interval[1] <= 1
    assert {"date", "device", "precision"} <= set(report["provenance"])


def test_the_source_is_the_model_that_made_d_det(figure, report):
    test = figure.lab.data[1]
    made = fl.craft(figure.source, test, fl.PGD(fl.L2(1.5), steps=2))
    whom = {"source": figure.source, "mlp": figure.target("mlp")}
    for name, row in {"source": report["source"], "mlp": report["rows"]["mlp"]}.items():
        assert entries.plain(row["transfer"]["untargeted"]["1.5"]) == entries.plain(made.rate(whom[name]))


def test_a_second_run_loads_everything(figure, report, monkeypatch):
    def made(*_args, **_kwargs):
        raise AssertionError("made again")

    monkeypatch.setattr(lab_module, "Training", made)
    monkeypatch.setattr(figure3, "craft", made)
    again = Figure3(SMALL, store=fl.Store(figure.lab.store.folder))
    assert figure3.report(again)["rows"] == report["rows"]


def test_targets_and_students_differ_in_their_training_set_only(figure):
    target, student = figure.target("mlp"), figure.student("mlp")
    assert [p.shape for p in target.parameters()] == [p.shape for p in student.parameters()]
    with pytest.raises(ValueError, match="unknown architecture 'vit'"):
        figure.target("vit")
    with pytest.raises(ValueError, match=r"unknown preset 'huge'.*laptop, quick, cifar10"):
        Figure3("huge")


def test_the_command_writes_what_the_store_holds(figure, report, tmp_path, monkeypatch):
    monkeypatch.setitem(figure3.PRESETS, "quick", SMALL)
    monkeypatch.setattr(converse, "WEIGHTS", (0.0,))
    monkeypatch.setenv("FEATLAB_CACHE", str(figure.lab.store.folder))
    tmp_path = tmp_path / "out"
    assert command.main(["figure3", "--preset", "quick", "--out", str(tmp_path)]) == 0
    assert command.main(["converse", "--preset", "quick", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"fashion-mnist-quick-{what}-seed0.json" for what in ("figure3", "converse")
    }
    with pytest.raises(FileNotFoundError, match="featlab figure3 --out"):
        reports.measured("nothing-figure3")


def test_the_preset_for_cifar10_runs_on_a_few_colour_images_with_small_networks(monkeypatch):
    preset = figure3.PRESETS["cifar10"]
    assert (
        preset.architectures == ("vgg16", "inception", "resnet18", "densenet", "resnet50")
        and preset.lab.model == "resnet50"
    )
    brief, push = replace(ONE, batch=10), replace(preset.lab.push, steps=1)
    lab = replace(preset.lab, model="cnn", student=brief, teacher=brief, defence=brief, push=push)
    figure = Figure3(replace(preset, architectures=("mlp",), lab=lab, real=brief, radii=(0.5,), steps=1))
    figure.lab.data = patches(40, 3, 10, 32), patches(40, 3, 10, 32, seed=1)
    monkeypatch.setattr(
        fl.transfer.Examples,
        "rate",
        lambda made, model: fl.transfer.Rate(int(made.succeeds(model).sum()), len(made.data)),
    )
    rows = figure3.report(figure)["rows"]
    assert rows["mlp"]["parameters"] > 3 * 32 * 32 * 512


@pytest.fixture(scope="module")
def released():
    """The networks of notebook 05 and their first test images."""
    with devices.precision("float32"):
        carried = Figure3("laptop")
        return (
            carried.source,
            {name: carried.target(name) for name in figure3.RELEASED},
            carried.lab.data[1][:150],
        )


def test_the_released_targets_fall_for_the_sources_attack_far_more_than_for_noise(released):
    source, targets, images = released
    made = fl.craft(source, images, fl.PGD(fl.L2(1.5), steps=10))
    assert made.rate(source) > 0.95
    for target in targets.values():
        assert made.rate(target).interval[0] > made.noise().rate(target).interval[1]


# pictures


@pytest.fixture(scope="module")
def explorer(figure):
    with devices.precision("float32"):
        models = {"source": figure.source, "cnn": figure.target("cnn"), "mlp": figure.target("mlp")}
        return widgets_transfer.TransferExplorer(models, figure.lab.data[1], radii=(0, 1, 3), steps=2)


def test_the_matrix_follows_the_radius_and_holds_the_rates(explorer):
    explorer.eps.value = 0
    assert all(value == 0 for row in explorer.figure.data[0].z for value in row)
    explorer.eps.value = 3
    assert explorer.figure.data[0].z[0][0] == pytest.approx(
        100 * explorer.rates[3]["source"]["source"], abs=0.1
    )
    assert explorer.figure.data[0].z[0][0] > 0 and explorer.message.value == ""


def test_the_chosen_images_are_what_they_are_called(explorer):
    explorer.eps.value, explorer.source.value, explorer.target.value = 3, "source", "mlp"
    made, mlp, total = explorer.examples(), explorer.models["mlp"], 0
    for kind in widgets_transfer.SHOWN:
        explorer.kind.value = kind
        found = explorer.chosen()
        total += len(found)
        fooled = (made.succeeds(explorer.models["source"]) & made.succeeds(mlp))[found]
        assert bool(fooled.all()) if kind == "fooled: both" else not bool(fooled.any())
        assert "real <b>" in explorer.opinions.value and ("another" in explorer.opinions.value) == (
            not len(found)
        )
    assert total == int(made.counted(mlp).sum()) and explorer.message.value == ""


def test_the_frame_follows_source_and_target(explorer):
    explorer.source.value, explorer.target.value = "mlp", "cnn"
    assert (explorer.figure.data[1].x, explorer.figure.data[1].y) == (("cnn",), ("mlp",))
    assert "<b>mlp</b> fool <b>cnn</b>" in explorer.verdict.value


def test_the_twin_has_a_step_for_each_radius_and_the_same_numbers(explorer):
    steps = explorer.twin.layout.sliders[0].steps
    assert [step.label for step in steps] == ["0", "1", "3"]
    explorer.eps.value = 3
    assert [list(row) for row in steps[2].args[0]["z"][0]] == [list(row) for row in explorer.figure.data[0].z]
    with pytest.raises(ValueError, match="with at least 2"):
        widgets_transfer.TransferExplorer({"one": explorer.models["cnn"]}, explorer.data)


def test_the_figure_marks_each_architecture_by_name_and_symbol():
    chart = plots_transfer.figure3(
        {"a": [(0.1, 0.2), (0.3, 0.4)], "b": [(0.5, 0.6), (0.5, 0.6)]}, {"a": [(0.2, 0.01)]}
    )
    named = [trace for trace in chart.data if trace.mode == "markers+text"]
    assert [(trace.x[0], trace.y[0]) for trace in named] == [pytest.approx((20, 30)), pytest.approx((50, 60))]
    assert len({trace.marker.symbol for trace in named}) == 2
