"""The floor of a loop counts every product of the network once, and each with the gradients that it needs."""

import math

import pytest
import torch
from small import patches

from benchmarks import floor
from featlab import models
from featlab.experiments import speed


@pytest.mark.parametrize("name", ["cnn", "cnn64", "residual"])
def test_the_products_of_a_network_are_all_of_its_operations(name):
    data = patches(4, size=8)
    model = models.build(name, data).eval()
    each = floor.products(model, data.pixels)
    counted = 0
    for one in each:
        out = one.layer(torch.zeros(1, *one.shape))
        kernel = one.layer.weight[0].numel()
        counted += 2 * kernel * math.prod(out.shape[1:])
    assert counted == speed.flops(model, data.images.shape[1:])
    assert [one.first for one in each] == [True] + [False] * (len(each) - 1)


@pytest.mark.parametrize("layer", [0, -1])
@pytest.mark.parametrize("weights, pixels", [(False, True), (True, False), (True, True)])
def test_a_product_gives_the_gradients_that_its_step_needs_and_no_other(layer, weights, pixels):
    data = patches(4, size=8)
    one = floor.products(models.build("cnn", data).eval(), data.pixels)[layer]
    _, *gradients = one.work(3, torch.float32, weights, pixels)()
    given = gradients[0][:2] if layer == 0 else gradients
    wanted = (pixels or not one.first, weights)
    assert [g is not None and g is not False for g in given] == list(wanted)
