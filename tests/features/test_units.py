"""Units of a network as features, and the network as what its units and weights make of an image."""

import pytest
import torch
from small import linear, patches, tiny

from featlab import features as ft
from featlab.engine import devices


def test_a_network_is_its_features_and_weights():
    data = patches(50)
    with devices.precision("float32"):
        model = tiny()
        composed = ft.compose(model, data)
        logits = model(data.pixels)
        same = composed(data.pixels) - logits  # the same for all classes of an image
        torch.testing.assert_close(same, same[:, :1].expand_as(same), rtol=0, atol=1e-3)
        assert torch.equal(composed(data.pixels).argmax(1), logits.argmax(1))
    assert float(composed.w.mean(1).abs().max()) < 1e-6


@pytest.mark.parametrize("index", [slice(None), slice(3, 9), torch.tensor([5, 0])], ids=str)
def test_units_are_the_chosen_columns_of_the_representation(index):
    model, x = tiny(), patches(6).pixels
    torch.testing.assert_close(ft.Units(model, index)(x), model.represent(x)[:, index], atol=1e-4, rtol=1e-4)


def test_the_units_of_a_linear_network_are_its_standardised_pixels():
    model, x = linear(), patches(6).pixels
    model.mean.fill_(0.4)
    model.std.fill_(0.25)
    torch.testing.assert_close(ft.Units(model)(x), (x.flatten(1) - 0.4) / 0.25)


def test_a_composition_has_standardised_features_and_weights_of_the_same_decisions():
    data, model = patches(50), tiny()
    composed = ft.compose(model, data)
    found = composed.features(data.pixels)
    torch.testing.assert_close(found.mean(0), torch.zeros(96), atol=1e-4, rtol=0)
    spread = found.std(0, correction=0)
    assert bool(((spread - 1).abs() < 1e-3).logical_or(spread < 1e-3).all())  # a unit may be silent
    torch.testing.assert_close(composed(data.pixels), found @ composed.w + composed.b)


def test_centred_weights_differ_from_the_heads_by_one_number_a_unit():
    model = tiny()
    difference = ft.centred(model) - model.head.weight.detach().double().T
    torch.testing.assert_close(difference, difference[:, :1].expand_as(difference))
    torch.testing.assert_close(ft.centred(model).sum(1), torch.zeros(96, dtype=torch.float64))


def test_a_function_has_no_units():
    with pytest.raises(TypeError, match="represent"):
        ft.Units(lambda x: x)
