"""Packed layers are the network: computed in numpy from the packed numbers they give torch's logits."""

import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small import patches
from torch import nn

import featlab as fl
from featlab import models
from featlab.portable import packing


def logits(model, x):
    """What a page computes of images (n, c, h, w), from the packed numbers, in float64."""
    for layer in packing.packed_layers(model, tuple(x.shape[1:])):
        kind = layer["kind"]
        weight, bias = (
            torch.from_numpy(layer[part].numbers.astype(float)) if part in layer else None
            for part in ("weight", "bias")
        )
        if kind == "standardise":
            mean, std = (torch.tensor(layer[part]).view(1, -1, 1, 1) for part in ("mean", "std"))
            x = (x.double() - mean) / std
        elif kind == "convolution":
            kernel = weight.view(*layer["kernel"], layer["channels"], -1).permute(3, 2, 0, 1)
            x = F.conv2d(x, kernel, bias, stride=layer["stride"], padding=layer["padding"])
        elif kind == "linear":
            x = (x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x) @ weight + bias
        else:
            assert layer["places"] == x[0].numel()
            x = F.relu(x) if kind == "relu" else F.elu(x)
    return x


def busy(model):
    """The model with moments that are no zeros and ones, as a training leaves them."""
    generator = torch.Generator().manual_seed(0)
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            part.running_mean.copy_(torch.randn(part.num_features, generator=generator))
            part.running_var.copy_(0.5 + torch.rand(part.num_features, generator=generator))
    model.trained.fill_(True)
    return model.eval()


@pytest.mark.parametrize("name", ["cnn", "cnn64", "mlp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_packed_numbers_give_the_models_logits(name, channels):
    data = patches(8, channels=channels, size=12)
    model = busy(models.build(name, data))
    model.standardise(data.images)
    with torch.no_grad():
        expected = model(data.pixels)
    torch.testing.assert_close(logits(model, data.pixels).float(), expected, rtol=1e-5, atol=1e-5)


def test_a_number_is_off_by_at_most_half_of_the_last_of_24_bits():
    numbers = torch.randn(300, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    numbers[:, 3] *= 1e-6
    numbers[:, 5] = 0
    made = packing.rounded(numbers)
    worst = np.abs(made.whole * made.scale - numbers.numpy()).max(0)
    assert (worst <= np.abs(numbers.numpy()).max(0) * 2.0**-23).all() and np.abs(made.whole).max() < 2**23
    assert (made.numbers[:, 5] == 0).all()


@pytest.mark.parametrize(
    ("layer", "word"),
    [
        (nn.MaxPool2d(2), "MaxPool2d"),
        (nn.Conv2d(1, 1, 3, groups=1, dilation=2), "dilation"),
        (nn.BatchNorm2d(1), "right after"),
        (nn.ELU(0.5), "alpha"),
    ],
)
def test_a_layer_that_a_page_cannot_hold_is_named(layer, word):
    model = models.Classifier(nn.Sequential(layer, nn.Flatten()), 4, channels=1, classes=2)
    with pytest.raises(ValueError, match=word):
        packing.packed_layers(model, (1, 8, 8))


def test_what_is_no_classifier_and_weights_of_nan_are_refused():
    with pytest.raises(TypeError, match="Classifier"):
        packing.packed_layers(nn.Linear(2, 2), (1, 8, 8))
    model = fl.cnn(size=8, classes=4)
    with torch.no_grad():
        model.head.weight.fill_(float("nan"))
    with pytest.raises(ValueError, match="not finite"):
        packing.packed_layers(model, (1, 8, 8))


def test_three_bytes_a_number():
    model = busy(fl.cnn(size=8, classes=4))
    found = packing.packed("one", model, (1, 8, 8))
    weights = [layer["weight"]["whole"] for layer in found["layers"] if "weight" in layer]
    folded = sum(p.numel() for p in model.parameters() if p.ndim > 1)
    assert sum(len(text.rstrip("=")) * 3 // 4 for text in weights) == 3 * folded
    assert all(re.fullmatch(r"[A-Za-z0-9+/]+=*", text) for text in weights)
    assert packing.packed_all({"a": model}, (1, 8, 8))[0]["name"] == "a"
