"""Classifiers: features then a linear head, standardisation inside, sizes of the known architectures,
seeded weights.
"""

import pytest
import torch
from small import linear, patches, same, snapshot, tiny
from torch import nn

import featlab as fl
from featlab import models
from featlab.engine import devices
from featlab.features import bounds
from featlab.features.spectrum import spectrum
from featlab.models import Classifier, initialise


def models_and_images():
    yield "tiny", tiny(), patches(6).pixels
    yield "cnn", fl.cnn(width=4).eval(), torch.rand(3, 1, 28, 28)
    yield "colour cnn", fl.cnn(width=4, channels=3, classes=7).eval(), torch.rand(3, 3, 28, 28)
    yield "resnet18", fl.resnet18().eval(), torch.rand(2, 3, 32, 32)


@pytest.mark.parametrize(
    "name, model, x", list(models_and_images()), ids=lambda value: value if isinstance(value, str) else ""
)
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


# rectangles


def wide(n: int = 48) -> fl.Dataset:
    """8x14 images of noise with a bright third on the left, in the middle or on the right."""
    images = torch.randint(
        0, 100, (n, 1, 8, 14), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    for i in range(n):
        images[i, :, :, 5 * (i % 3) : 5 * (i % 3) + 4] += 120
    return fl.Dataset(images, torch.arange(n) % 3)


def test_a_square_is_one_of_the_rectangles():
    a, b = fl.cnn(width=4, size=12), fl.cnn(width=4, size=(12, 12))
    initialise(a, 0), initialise(b, 0)
    x = torch.rand(3, 1, 12, 12)
    assert torch.equal(a.eval()(x), b.eval()(x))


@pytest.mark.parametrize("size", [0, (8,), (8, 0), (8, 14, 1), "8x14", 8.5, True], ids=repr)
def test_what_is_no_size_is_refused_with_what_one_is(size):
    with pytest.raises(ValueError, match=r"size must be .*the side of a square, or a pair \(height, width\)"):
        fl.cnn(size=size)


@pytest.mark.parametrize("name", ["cnn", "cnn64", "mixer", "mlp", "residual"])
def test_a_kind_learns_from_rectangles_however_they_are_augmented(name):
    data, recipe = wide(), fl.Recipe(epochs=10, batch=12, lr=0.1, weight_decay=0.0, augment=1, turn=3.0)
    recipe = recipe if name != "mlp" else fl.Recipe(epochs=10, batch=12, lr=0.1, weight_decay=0.0)
    # left or right against the middle: a flip keeps it
    data = fl.Dataset(data.images, data.labels.where(data.labels < 2, 0))
    assert fl.accuracy(fl.train(models.build(name, data), data, recipe=recipe, seed=0), data) > 0.9


def test_the_constructions_keep_rectangles_and_do_to_them_what_they_do_to_squares():
    data = wide()
    # its features are the pixels
    pixelwise = Classifier(nn.Flatten(), 8 * 14, channels=1, classes=3, size=(8, 14))
    pixelwise.trained.fill_(True)
    matched = fl.robustify(pixelwise, data, fl.Inversion(steps=60, step=2.0))
    assert matched.images.shape == data.images.shape and matched.report["distance"].max() < 0.1
    torch.testing.assert_close(matched.images, data.pixels, atol=0.1, rtol=0)
    attack = fl.PGD(fl.L2(0.5), steps=5, targeted=True)
    pushed = fl.mislabel(pixelwise, data, fl.next_labels, attack)
    torch.testing.assert_close((pushed.images - data.pixels).flatten(1).norm(dim=1), pushed.report["length"])
    assert pushed.report["length"].max() <= 0.5 + 1e-5 and bool(
        (pushed.labels == (data.labels + 1) % 3).all()
    )


def test_spectrum_and_bounds_of_a_network_for_rectangles_enclose_its_units():
    data, ball = wide(24), fl.L2(0.05)
    with devices.precision("float32"):
        model = fl.cnn(classes=3, size=(8, 14), width=2, features=5).eval()
        found = spectrum(model, data, (0.0, 0.05, 0.5))
        x, step = data.pixels, ball.sample(data.pixels)
        with torch.no_grad():
            moved = (model.represent(x + step) - model.represent(x)).abs().double()
    assert (
        found.gamma.shape == (3, 5, 3)
        and (found.gamma[1] >= found.gamma[2]).all()
        and (found.gamma[0] >= found.gamma[1]).all()
    )
    assert bool(
        (moved <= bounds.lipschitz(model, (8, 14)) * step.flatten(1).norm(dim=1)[:, None] + 1e-6).all()
    )
