"""What a release writes is what the package carries: the same pieces, settings and tensors, in one order."""

import pytest
import torch
from small import same, snapshot

import featlab as fl
from featlab.embedded import release
from featlab.engine import files
from featlab.evaluation import Accuracy
from featlab.experiments import released
from featlab.experiments.store import Store


def test_a_network_is_released_with_its_accuracy_clean_and_under_attack(trained, clothes):
    model, data = trained, clothes[1][:100]
    one = release.release_of("standard", "its setting", model, data)
    assert (one.name, one.setting) == ("standard", "its setting") and same(one.tensors, snapshot(model))
    assert one.measured["clean"] == pytest.approx(float(fl.accuracy(model, data)))
    right = {f"{eps:g}": float(fl.accuracy(model, data, fl.PGD(fl.L2(eps), steps=20))) for eps in (0.5, 1.0)}
    found = dict(one.measured["attacked"])
    assert found == pytest.approx(right)
    assert found["1"] < found["0.5"] < one.measured["clean"]


def test_everything_that_is_released_is_what_the_package_carries(tmp_path, monkeypatch):
    """Made anew from what is there already, so that nothing is trained."""
    monkeypatch.setattr(release, "accuracy", lambda model, test, attack=None: Accuracy(1, 2))
    made = list(release.everything(Store(tmp_path)))
    assert [one.setting for one in made] == list(released.card())
    assert [one.name for one in made] == [entry["name"] for entry in released.card().values()]
    for one in made:
        kept = files.read_tensors(released.FOLDER / released.card()[one.setting]["file"], one.setting)
        assert kept.keys() == one.tensors.keys()
        assert all(torch.equal(kept[name], one.tensors[name]) for name in kept)
