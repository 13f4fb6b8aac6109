"""The converse differs from D_det in the goal of the push only."""

from dataclasses import replace

import pytest
from small import TINY

import featlab as fl
from featlab.engine import devices
from featlab.experiments import converse, figure3
from featlab.experiments.figure3 import Figure3

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


def test_the_converse_differs_from_d_det_in_the_push_only(figure, monkeypatch):
    monkeypatch.setattr(converse, "WEIGHTS", (0.0, 10.0))
    study = converse.Converse(figure)
    rows = converse.report(study)["rows"]
    assert list(rows) == ["0", "10"] and all(len(row["spared"]) == converse.SPARED for row in rows.values())
    assert rows["0"]["pull"].keys() == {"source", *SMALL.architectures}
    plain, selective = study.dataset(0.0), study.dataset(10.0)
    assert bool((plain.labels == selective.labels).all()) and not bool(
        (plain.images == selective.images).all()
    )
    assert selective.report["length"].max() <= SMALL.lab.push.ball.eps + 1e-4


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


def test_the_released_targets_that_are_spared_keep_their_answers_and_strangers_are_pulled(released):
    source, targets, images = released
    spared = targets["cnn"], targets["residual"]
    push = fl.Selective(fl.L2(1.5), steps=15, targeted=True, spared=spared, weight=0.1)
    made = fl.craft(source, images, push, fl.next_labels(images.labels, 10))
    assert made.rate(source) > 0.7 and max(made.rate(target) for target in spared) < 0.05
    for name in ("mixer", "mlp"):
        assert made.pull(targets[name]) > 0.2 > 2 * made.noise().pull(targets[name])
