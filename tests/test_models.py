"""Classifiers: features then a linear head, standardisation inside, sizes of the known architectures, seeded weights."""

import pytest
import torch
from small import linear, patches, same, snapshot, tiny
from torch import nn

import featlab as fl
from featlab import models
from featlab.models import Classifier, initialise


def models_and_images():
    yield "tiny", tiny(), patches(6).pixels
    yield "cnn", fl.cnn(width=4).eval(), torch.rand(3, 1, 28, 28)
    yield "colour cnn", fl.cnn(width=4, channels=3, classes=7).eval(), torch.rand(3, 3, 28, 28)
    yield "resnet18", fl.resnet18().eval(), torch.rand(2, 3, 32, 32)


@pytest.mark.parametrize("name, model, x", list(models_and_images()), ids=lambda value: value if isinstance(value, str) else "")
def test_logits_are_the_linear_head_of_the_representation(name, model, x):
    g = model.represent(x)
    assert g.shape == (len(x), model.head.in_features)
    by_hand = g @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(model(x), by_hand)
    assert model(x).shape == (len(x), model.classes)


def test_the_first_layer_standardises_each_channel():
    images = patches(50, channels=3).images
    model = linear(channels=3)
    model.standardise(images)
    channels = model.represent(images).view(50, 3, -1).transpose(0, 1).flatten(1)
    torch.testing.assert_close(channels.mean(1), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(channels.std(1), torch.ones(3), atol=1e-5, rtol=0)


def test_constant_images_do_not_divide_by_zero():
    model = linear()
    model.standardise(torch.full((5, 1, 8, 8), 0.3))
    assert model(torch.rand(2, 1, 8, 8)).isfinite().all()


def test_bytes_floats_and_doubles_give_the_same_logits():
    model, data = tiny(), patches(6)
    torch.testing.assert_close(model(data.images), model(data.pixels), atol=0, rtol=0)
    torch.testing.assert_close(model(data.pixels.double()), model(data.pixels), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("has, given", [(3, 1), (1, 3)])
def test_images_of_another_number_of_channels_are_refused(has, given):
    model = tiny(channels=has)
    x = torch.rand(2, given, 8, 8)
    for use in (model, model.represent, lambda x: fl.predict(model, x)):
        with pytest.raises(ValueError, match=f"the model takes.*{has}.*{given}.*build it with"):
            use(x)


@pytest.mark.parametrize("name, parameters", [("resnet18", 11_173_962), ("resnet50", 23_520_842)])
def test_resnets_have_the_published_sizes_for_32x32_images(name, parameters):
    data = patches(10, channels=3, classes=10, size=32)
    with torch.device("meta"):
        model = models.build(name, data)
    assert sum(p.numel() for p in model.parameters()) == parameters
    stem = model.body.conv1
    assert (stem.kernel_size, stem.stride) == ((3, 3), (1, 1)) and isinstance(model.body.maxpool, nn.Identity)


def test_an_unknown_model_is_refused_with_the_known():
    with pytest.raises(ValueError, match=r"unknown model 'vgg'.*cnn, cnn64, vgg16.*resnet18.*resnet50.*mlp"):
        models.build("vgg", patches())


@pytest.mark.parametrize("name", ["cnn", "resnet18"])
@pytest.mark.parametrize("channels, classes, size", [(1, 3, 12), (3, 10, 32)])
def test_a_model_is_built_for_the_images_and_classes_of_its_data(name, channels, classes, size):
    data = patches(max(classes, 2), channels, classes, size)
    assert models.build(name, data).eval()(data.images).shape == (len(data), classes)


def test_initial_weights_follow_the_seed_and_leave_the_global_random_state():
    a, b, c = (fl.cnn(width=4) for _ in range(3))
    torch.manual_seed(7)
    before = torch.get_rng_state()
    initialise(a, 1), initialise(b, 1), initialise(c, 2)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(snapshot(a), snapshot(b))
    assert all(not torch.equal(p, q) for (_, p), (_, q) in zip(weights(a), weights(c), strict=True))


def weights(model: nn.Module):
    """Convolutions and the head: what is drawn, not set to 0 or 1."""
    return [(name, p) for name, p in model.named_parameters() if p.ndim > 1]


def test_a_classifier_takes_any_body():
    model = Classifier(nn.Flatten(), 12, channels=3, classes=5)
    assert (model.channels, model.classes) == (3, 5)
    assert model(torch.rand(2, 3, 2, 2)).shape == (2, 5)
