"""Architectures: the five of Figure 3 have the published sizes but for stem and head,
and every kind is a classifier like the others.
"""

import pytest
import torch
from small import patches, shake
from torch import nn
from torchvision import models as published

import featlab as fl
from featlab import models
from featlab.engine import devices, freezing
from featlab.models import architectures

KINDS = ("cnn", *architectures.RELATIVES)
CHANNELS, CLASSES = 2, 5

# what the small images' version exchanges, by the names of torchvision's parts, and torchvision's published
# number of parameters
STOCK = {
    "vgg16": (published.vgg16_bn, published.VGG16_BN_Weights, ["features.0", "classifier"]),
    "inception": (
        published.inception_v3,
        published.Inception_V3_Weights,
        ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_4a_3x3", "AuxLogits", "fc"],
    ),
    "resnet18": (published.resnet18, published.ResNet18_Weights, ["conv1", "fc"]),
    "densenet": (published.densenet121, published.DenseNet121_Weights, ["features.conv0", "classifier"]),
    "resnet50": (published.resnet50, published.ResNet50_Weights, ["conv1", "fc"]),
}
STEMS = {  # of 3x3 convolutions on c channels, with biases or batch-norms as torchvision has them
    "vgg16": lambda c: 9 * c * 64 + 64,
    "inception": lambda c: 9 * c * 32 + 64 + 9 * 32 * 32 + 64 + 9 * 80 * 192 + 2 * 192,
    "resnet18": lambda c: 9 * c * 64,
    "densenet": lambda c: 9 * c * 64,
    "resnet50": lambda c: 9 * c * 64,
}


def size(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("name", architectures.FIGURE3)
def test_the_five_of_figure_3_have_the_published_sizes_but_for_stem_and_head(name):
    stock, weights, exchanged = STOCK[name]
    data = patches(10, channels=3, classes=10, size=32)
    with torch.device("meta"):
        whole = stock(init_weights=False) if name == "inception" else stock()
        ours = models.build(name, data)
    assert size(whole) == weights.IMAGENET1K_V1.meta["num_params"]
    kept = size(whole) - sum(size(whole.get_submodule(part)) for part in exchanged)
    assert size(ours) == kept + STEMS[name](3) + size(ours.head)


@pytest.mark.parametrize("name", [*KINDS, *architectures.FIGURE3])
@pytest.mark.parametrize("pixels", [28, 32])
def test_every_kind_is_built_for_the_images_of_its_data(name, pixels):
    data = patches(CLASSES, CHANNELS, CLASSES, pixels)
    with torch.device("meta"):
        model = models.build(name, data).eval()
        x = torch.rand(2, CHANNELS, pixels, pixels)
        assert model.represent(x).shape == (2, model.head.in_features)
        assert model(x).shape == (2, CLASSES)
        with pytest.raises(ValueError, match="the model takes images"):
            model(torch.rand(2, CHANNELS, pixels + 4, pixels + 4))


@pytest.mark.parametrize("name", [*KINDS, "cnn64", *architectures.FIGURE3])
@pytest.mark.parametrize("height, width", [(28, 40), (41, 27)])
def test_every_kind_is_built_for_rectangles_too(name, height, width):
    data = fl.Dataset(
        torch.full((CLASSES, CHANNELS, height, width), 99, dtype=torch.uint8), torch.arange(CLASSES)
    )
    with torch.device("meta"):
        model = models.build(name, data).eval()
        x = torch.rand(2, CHANNELS, height, width)
        assert model.represent(x).shape == (2, model.head.in_features) and model(x).shape == (2, CLASSES)
        with pytest.raises(ValueError, match=rf"c, h, w = \({CHANNELS}, {height}, {width}\)"):
            model(x.transpose(2, 3))


@pytest.mark.parametrize("name", [*KINDS, *architectures.FIGURE3])
def test_a_frozen_copy_is_the_model_with_the_same_pixel_gradient(name):
    data = patches(CLASSES, CHANNELS, CLASSES, 28)
    model = models.build(name, data).eval()
    models.initialise(model, 0)
    torch.manual_seed(0)
    if name in KINDS:  # random statistics make the deep ones overflow
        shake(model)
    x = data.pixels[:2].requires_grad_()
    expected, got = model(x), freezing.frozen(model)(x)
    torch.testing.assert_close(got, expected, atol=1e-3 * expected.abs().max().item(), rtol=0)
    a, b = (torch.autograd.grad(out[:, 0].sum(), x)[0] for out in (expected, got))
    assert (a - b).norm() < 1e-2 * a.norm()
    with devices.precision("auto"), torch.no_grad():
        fast = freezing.frozen(model)(x)
    assert fast.dtype == torch.float32 and (fast - expected).norm() < 0.05 * expected.norm()


@pytest.mark.parametrize("name", KINDS)
def test_no_opinion_depends_on_the_other_images(name):
    data = patches(CLASSES, CHANNELS, CLASSES, 28)
    network = freezing.frozen(models.build(name, data))
    torch.testing.assert_close(network(data.pixels)[:1], network(data.pixels[:1]), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", KINDS)
def test_every_small_kind_learns_in_a_few_steps(name):
    data = patches(80, size=12)
    model = fl.train(models.build(name, data), data, seed=0, epochs=12, batch=20, lr=0.1, weight_decay=0.0)
    assert fl.accuracy(model, data) > 0.9


def test_the_mixer_sees_every_pixel_of_sizes_that_patches_do_not_divide():
    for height, width in (*((pixels, pixels) for pixels in (9, 10, 11, 12)), (9, 14), (11, 8)):
        body, _ = architectures.mixer(1, (height, width))
        x = torch.rand(1, 1, height, width, requires_grad=True)
        body.eval()(x).square().sum().backward()
        assert bool((x.grad != 0).all())
