"""Bounds of units that no perturbation breaks: exact where a network is linear, never above what is found."""

import pytest
import torch
from small import grey, linear, patches
from torch import nn

import featlab as fl
from featlab import features as ft
from featlab.attacks import L2, Linf
from featlab.engine import devices
from featlab.features import bounds


@pytest.mark.parametrize("ball", [L2(0.001), L2(0.03), Linf(0.0005), Linf(0.01)], ids=str)
def test_the_bracket_is_never_inverted(ball):
    data = ft.one_against_rest(patches(40), 1)
    with devices.precision("float32"):
        model = fl.cnn(classes=4, size=8, width=2, features=5).eval()
        lower = bounds.lower_bound(model, data, ball, balanced=True)
        upper = fl.robust_usefulness(ft.Units(model), data, ball, balanced=True)
        rho = fl.usefulness(ft.Units(model), data, balanced=True)
    assert bool((lower.value <= upper.value + 1e-5).all() and (upper.value <= rho.value + 1e-6).all())


def test_bounds_of_a_linear_network_are_exact():
    model, x = linear(classes=3, size=4), grey(6).images
    model.body = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    model.mean.fill_(0.4)
    model.std.fill_(0.25)
    a = model.body[1].weight.double() / 0.25
    with torch.no_grad():
        at = model.represent(x).double()
    low, high = bounds.intervals(model, x, Linf(0.02))
    torch.testing.assert_close(high - at, (0.02 * a.abs().sum(1)).expand_as(at), rtol=0, atol=1e-5)
    low, _ = bounds.intervals(model, x, L2(0.1))
    torch.testing.assert_close(at - low, (0.1 * a.norm(dim=1)).expand_as(at), rtol=0, atol=1e-5)
    torch.testing.assert_close(bounds.lipschitz(model, 4), a.norm(dim=1), rtol=1e-6, atol=0)


def test_no_pair_of_images_breaks_the_lipschitz_bound_and_the_interval_holds_what_is_found():
    with devices.precision("float32"):
        model = fl.cnn(classes=4, size=8, width=2, features=5).eval()
        x, step = patches(30).pixels, L2(0.05).sample(patches(30).pixels)
        with torch.no_grad():
            moved = (model.represent(x + step) - model.represent(x)).abs().double()
            inside = model.represent(x + step).double()
    assert bool((moved <= bounds.lipschitz(model, 8) * step.flatten(1).norm(dim=1)[:, None] + 1e-6).all())
    low, high = bounds.intervals(model, x, L2(0.05))
    assert bool((low <= inside + 1e-5).all() and (inside <= high + 1e-5).all())


def test_a_bound_that_says_nothing_is_called_vacuous_and_an_unknown_layer_is_refused():
    data, model = ft.one_against_rest(patches(40), 1), fl.cnn(classes=4, size=8, width=2, features=5).eval()
    f = ft.standardise(ft.Units(model), data, balanced=True)
    assert not bool(bounds.vacuous(bounds.lower_bound(model, data, L2(1e-4), balanced=True), f, data).any())
    assert bool(bounds.vacuous(bounds.lower_bound(model, data, L2(5.0), balanced=True), f, data).all())
    with pytest.raises(TypeError, match="plain sequence"):
        bounds.lipschitz(fl.resnet18(channels=1), 8)
    model.body.append(nn.Dropout())
    with pytest.raises(TypeError, match="Dropout"):
        bounds.lipschitz(model, 8)
