"""What a preset costs: passes are those that are counted."""

import pytest
from test_machines import TINY

import featlab as fl
from featlab.engine import devices, freezing
from featlab.experiments import presets
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


def test_an_accuracy_takes_the_passes_that_are_counted(lab, monkeypatch):
    model, (_, test), forward, through = lab.model("standard"), lab.data, [], freezing.Frozen.__call__
    monkeypatch.setattr(
        freezing.Frozen, "__call__", lambda self, x: forward.append(len(x)) or through(self, x)
    )
    right = round(fl.accuracy(model, test) * len(test))
    for radius in TINY.radii:
        fl.accuracy(model, test, fl.PGD(fl.L2(radius), steps=TINY.steps))
    backward = right * TINY.steps * len(TINY.radii)
    assert 0 < right < len(test) and sum(forward) + backward == presets.passes_of_accuracy(
        TINY, len(test), right
    )
