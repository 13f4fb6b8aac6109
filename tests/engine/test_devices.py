"""The device and the precision that were asked for, and what is said where the machine has neither."""

import pytest
import torch
from torch import nn

import featlab as fl
from featlab.engine import chunks, devices, freezing


def test_both_precisions_predict_the_same(trained, clothes):
    x, found = clothes[1].images, {}
    for name in devices.PRECISIONS:
        with devices.precision(name):
            found[name] = fl.predict(trained, x), freezing.frozen(trained)(x[:100])
    assert (found["auto"][0] == found["float32"][0]).float().mean() > 0.97
    assert found["auto"][1].dtype == torch.float32
    error = found["auto"][1] - found["float32"][1]
    assert error.norm() < 0.02 * found["float32"][1].norm()


def test_models_without_convolutions_are_exact_in_every_precision():
    model, x = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), torch.rand(4, 1, 8, 8)
    with devices.precision("auto"):
        torch.testing.assert_close(freezing.frozen(model)(x), model(x), atol=1e-6, rtol=1e-6)


def test_precision_holds_within_its_block_only_and_unknown_ones_are_refused():
    with devices.precision("auto"), pytest.raises(RuntimeError, match="inside"), devices.precision("float32"):
        raise RuntimeError("inside")
    assert devices.describe_precision() == "float32"  # what the tests run in
    with (
        pytest.raises(ValueError, match=r"unknown precision 'float8'.*auto, float32"),
        devices.precision("float8"),
    ):
        pass


@pytest.mark.parametrize("name", ["gpu", "mps", "meta", "xpu", "cuda:99"])
def test_a_device_that_cannot_compute_is_refused_in_words(name, monkeypatch):
    monkeypatch.setenv("FEATLAB_DEVICE", name)
    with pytest.raises(ValueError, match=rf"FEATLAB_DEVICE is '{name}'.*choose cpu"):
        devices.device()
    monkeypatch.setenv("FEATLAB_DEVICE", "cpu")
    assert devices.device() == torch.device("cpu") and chunks.chunk("mps") == chunks.chunk("cpu")


def test_a_gpu_that_is_asked_for_but_absent_is_said(monkeypatch):
    monkeypatch.setenv("FEATLAB_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"FEATLAB_DEVICE.*no such GPU.*unset"):
        devices.device()


def test_a_gpu_that_torch_was_not_built_for_is_said_and_the_cpu_used(monkeypatch):
    def no_kernel(*shape, device):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", no_kernel)
    devices.usable_gpu.cache_clear()
    try:
        with pytest.warns(UserWarning, match="no kernel image"):
            assert devices.device().type == "cpu"
    finally:
        devices.usable_gpu.cache_clear()
