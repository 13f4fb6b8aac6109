"""Tests run in float32, the reference; those that compare with the
precision that the processor would choose say so.
"""

import hypothesis
import pytest
import torch

import featlab as fl
from featlab.engine import devices

torch.set_num_threads(1)
hypothesis.settings.register_profile("same every time", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same every time")


@pytest.fixture(autouse=True)
def reference_precision():
    with devices.precision("float32"):
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Each test keeps what it makes in a folder of its own."""
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def clothes():
    """The embedded images, fewer: train, test."""
    train, test = fl.load("fashion-mnist", device="cpu")
    return train[:2000], test[:300]


@pytest.fixture(scope="session")
def trained(clothes):
    """A small network that has learned something about real images; tests leave it as it is."""
    with devices.precision("float32"):
        return fl.train(fl.cnn(width=4), clothes[0], seed=0, epochs=3, lr=0.2, weight_decay=5e-4)
