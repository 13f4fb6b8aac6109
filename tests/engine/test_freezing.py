"""Frozen copies compute the function of the model they were taken from, whatever it is made of,
and follow it.
"""

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from networks import Branching, Shared, shaken
from small import patches, same, shake, snapshot, tiny
from torch import nn

import featlab as fl
from featlab.engine import devices, freezing

NETWORKS = {
    "tiny": lambda: (tiny(), (1, 8, 8)),
    "cnn": lambda: (shaken(fl.cnn(width=4)), (1, 28, 28)),
    "resnet18": lambda: (shaken(fl.resnet18()), (3, 32, 32)),
    "shared parts": lambda: (shaken(Shared()), (4, 8, 8)),
    "control flow": lambda: (shaken(Branching()), (4, 8, 8)),
    "no scale": lambda: (
        shaken(nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, affine=False))),
        (4, 8, 8),
    ),
    "batch statistics": lambda: (
        nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)).eval(),
        (4, 8, 8),
    ),
    "groups, another eps": lambda: (
        shaken(nn.Sequential(nn.Conv2d(4, 8, 3, groups=2, stride=2, bias=False), nn.BatchNorm2d(8, eps=0.1))),
        (4, 8, 8),
    ),
    "norm before convolution": lambda: (
        shaken(nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1))),
        (4, 8, 8),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_frozen_copy_is_the_model_in_eval_mode_with_the_same_pixel_gradient(name):
    model, shape = NETWORKS[name]()
    torch.manual_seed(0)
    x = torch.rand(3, *shape, requires_grad=True)
    copy = freezing.frozen(model.train() if "statistics" not in name else model)
    expected, got = model.eval()(x), copy(x)
    scale = expected.abs().max()
    torch.testing.assert_close(got / scale, expected / scale, atol=1e-4, rtol=0)
    direction = torch.randn_like(expected)
    a, b = (torch.autograd.grad((out * direction).sum(), x)[0] for out in (expected, got))
    assert (a - b).norm() < 1e-3 * a.norm()


def test_a_frozen_copy_follows_the_weights_and_the_statistics():
    model, x = tiny(), patches(5).pixels
    freezing.frozen(model)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.5)
    shake(model)
    model.standardise(x)
    torch.testing.assert_close(freezing.frozen(model)(x), model.eval()(x), atol=1e-3, rtol=1e-3)
    model.load_state_dict(snapshot(tiny(seed=5)))
    torch.testing.assert_close(freezing.frozen(model)(x), model(x), atol=1e-3, rtol=1e-3)


def test_a_frozen_copy_follows_changes_of_the_network_itself():
    model, x = tiny(), patches(5).pixels
    freezing.frozen(model)
    model.body[2] = nn.Tanh()
    torch.testing.assert_close(freezing.frozen(model)(x), model(x), atol=1e-3, rtol=1e-3)
    model.head = nn.Linear(model.head.in_features, 7)
    assert freezing.frozen(model)(x).shape == (5, 7)


def test_a_frozen_copy_after_training_is_the_trained_model():
    data = patches(40)
    model = fl.train(tiny(), data, epochs=2, batch=20, lr=0.05, attack=fl.PGD(fl.L2(0.2), steps=2))
    torch.testing.assert_close(freezing.frozen(model)(data.pixels), model(data.pixels), atol=1e-3, rtol=1e-3)


def test_a_frozen_copy_needs_no_gradient_and_touches_nothing():
    model, x = tiny().train(), patches(5).pixels.requires_grad_()
    before = snapshot(model)
    freezing.frozen(model)(x).sum().backward()
    assert x.grad is not None and all(p.grad is None for p in model.parameters())
    assert not any(p.requires_grad for p in freezing.frozen(model).copy.parameters())
    assert model.training and same(before, snapshot(model))


def test_a_frozen_copy_lives_as_long_as_its_model():
    model = tiny()
    copy = weakref.ref(freezing.frozen(model).copy)
    assert freezing.frozen(model).copy is copy()
    del model
    gc.collect()
    assert copy() is None


def test_functions_pass_unchanged():
    assert freezing.frozen(F.relu) is F.relu and devices.device_of(F.relu) is None


def test_represent_is_the_models_representation():
    model, x = tiny(), patches(5).pixels
    torch.testing.assert_close(freezing.frozen(model).represent(x), model.represent(x), atol=1e-4, rtol=1e-4)
