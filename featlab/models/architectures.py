"""Bodies of different kinds: the five architectures of Figure 3 for small images, and small relatives for the
laptop.

A body maps standardised images (n, c, h, w) to features (n, d); `models.build` puts the first layer and the
linear head to it. The five are torchvision's own networks with the stem exchanged: it keeps the resolution of
images of 28 or 32 pixels, where ImageNet's divides it by 4 or 8. They end in their linear layer alone,
without dropout, so that all are trained alike.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from featlab.inputs.checks import Size, sides

# (channels, size of the images if it is known) -> the body and its number of features
Body = Callable[[int, Size | None], tuple[nn.Module, int]]


def convolution(c_in: int, c_out: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch-norm, ReLU; stride 1 keeps height and width."""
    conv = nn.Conv2d(c_in, c_out, size, stride, padding=size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU())


def pooled(*layers: nn.Module) -> nn.Sequential:
    """The layers, then each channel's mean over all places: (n, c, h, w) -> (n, c)."""
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


# the five of Figure 3


def vgg16(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """VGG-16 with batch-norm: its thirteen convolutions.

    The pools round up, so that 28 pixels survive five of them.
    """
    from torchvision.models import vgg16_bn

    features = vgg16_bn().features
    features[0] = nn.Conv2d(channels, 64, 3, padding=1)
    for pool in (part for part in features if isinstance(part, nn.MaxPool2d)):
        pool.ceil_mode = True
    return pooled(features), 512


def inception(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """Inception-v3 without the auxiliary classifier; the stem's five layers keep the resolution,
    its two pools are left out.
    """
    from torchvision.models import inception_v3
    from torchvision.models.inception import BasicConv2d

    body = inception_v3(aux_logits=False, transform_input=False, init_weights=False)
    body.Conv2d_1a_3x3 = BasicConv2d(channels, 32, kernel_size=3, padding=1)
    body.Conv2d_2a_3x3 = BasicConv2d(32, 32, kernel_size=3, padding=1)
    body.Conv2d_4a_3x3 = BasicConv2d(80, 192, kernel_size=3, padding=1)
    body.maxpool1, body.maxpool2, body.dropout, body.fc = (nn.Identity() for _ in range(4))
    return body, 2048


def resnet(depth: int) -> Body:
    """ResNet-18 or ResNet-50; the stem is a 3x3 convolution of stride 1 without max-pooling."""

    def make(channels: int, size: Size | None) -> tuple[nn.Module, int]:
        from torchvision import models

        body = getattr(models, f"resnet{depth}")()
        width = body.fc.in_features
        body.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        body.maxpool, body.fc = nn.Identity(), nn.Identity()
        return body, width

    return make


def densenet(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """DenseNet-121; the stem is a 3x3 convolution of stride 1 without max-pooling."""
    from torchvision.models import densenet121

    body = densenet121()
    width = body.classifier.in_features
    body.features.conv0 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
    body.features.pool0, body.classifier = nn.Identity(), nn.Identity()
    return body, width


# small relatives, each trained on 10,000 images of 28x28 in seconds


class Residual(nn.Module):
    """x -> relu(skip(x) + two 3x3 convolutions of x)"""

    def __init__(self, c_in: int, c_out: int, stride: int):
        super().__init__()
        second = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.way = nn.Sequential(convolution(c_in, c_out, stride=stride), second, nn.BatchNorm2d(c_out))
        self.skip = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, c', h', w')"""
        return (self.way(x) + self.skip(x)).relu()


class Concat(nn.Module):
    """x -> the outputs of all branches beside each other as channels,
    x itself the first of them if `keep`.
    """

    def __init__(self, *branches: nn.Module, keep: bool = False):
        super().__init__()
        self.branches = nn.ModuleList([*([nn.Identity()] if keep else []), *branches])

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, the channels of all branches together, h, w)"""
        return torch.cat([branch(x) for branch in self.branches], 1)


class Mixing(nn.Module):
    """MLP-Mixer's layer (Tolstikhin et al. 2021): a network across the patches, then one across the channels,
    each with its skip.
    """

    def __init__(self, patches: int, width: int):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.across_patches = nn.Sequential(
            nn.Linear(patches, 2 * patches), nn.GELU(), nn.Linear(2 * patches, patches)
        )
        self.across_channels = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, patches, width) -> (n, patches, width)"""
        x = x + self.across_patches(self.norms[0](x).transpose(1, 2)).transpose(1, 2)
        return x + self.across_channels(self.norms[1](x))


class Patches(nn.Module):
    """(n, c, h, w) -> (n, patches, width): every 4x4 patch through the same linear map."""

    def __init__(self, channels: int, size: Size | None, width: int):
        super().__init__()
        rows, columns = ((-side % 4 + 1) // 2 for side in sides(size))  # what the last patches lack is 0
        self.map = nn.Conv2d(channels, width, 4, 4, padding=(rows, columns))

    def forward(self, x: Tensor) -> Tensor:
        return self.map(x).flatten(2).transpose(1, 2)


def residual(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """A ResNet of three blocks."""
    return pooled(
        convolution(channels, 16, stride=2), Residual(16, 32, 2), Residual(32, 64, 1), Residual(64, 64, 1)
    ), 64


def dense(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """A DenseNet of two blocks: each layer reads all that came before it in its block."""

    def block(width: int, layers: int) -> list[nn.Module]:
        return [Concat(convolution(width + 16 * i, 16), keep=True) for i in range(layers)]

    between = nn.Sequential(convolution(48, 32, size=1), nn.AvgPool2d(2))
    return pooled(
        convolution(channels, 16, stride=2),
        *block(16, 2),
        between,
        *block(32, 4),
        convolution(96, 96, size=1),
    ), 96


def _separable(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """A MobileNet of three blocks: every 3x3 convolution sees one channel, every 1x1 convolution all."""
    sizes = [(16, 32, 2), (32, 64, 1), (64, 128, 1)]
    blocks = [
        part
        for a, b, stride in sizes
        for part in (convolution(a, a, stride=stride, groups=a), convolution(a, b, size=1))
    ]
    return pooled(convolution(channels, 16, stride=2), *blocks), 128


def branching(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """An Inception of two blocks: branches of views 1, 3 and 5 wide, and a pool, beside each other."""

    def block(width: int) -> Concat:
        wide = nn.Sequential(convolution(width, 16, size=1), convolution(16, 16), convolution(16, 16))
        pool = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), convolution(width, 16, size=1))
        return Concat(convolution(width, 16, size=1), convolution(width, 32), wide, pool)

    return pooled(convolution(channels, 32, stride=2), nn.MaxPool2d(2), block(32), block(80)), 80


def mixer(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """An MLP-Mixer of two layers on 4x4 patches: no convolution sees beyond its patch."""
    patches = math.prod(-(-side // 4) for side in sides(size))
    means = nn.AdaptiveAvgPool2d((1, None))  # over the patches
    return nn.Sequential(
        Patches(channels, size, 64),
        Mixing(patches, 64),
        Mixing(patches, 64),
        nn.LayerNorm(64),
        means,
        nn.Flatten(),
    ), 64


def mlp(channels: int, size: Size | None) -> tuple[nn.Module, int]:
    """Two fully connected layers: it does not know which pixels are neighbours."""
    sizes = [(channels * math.prod(sides(size)), 512), (512, 256)]
    layers = [part for a, b in sizes for part in (nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers), 256


FIGURE3: dict[str, Body] = {
    "vgg16": vgg16,
    "inception": inception,
    "resnet18": resnet(18),
    "densenet": densenet,
    "resnet50": resnet(50),
}
RELATIVES: dict[str, Body] = {
    "residual": residual,
    "dense": dense,
    "separable": _separable,
    "branching": branching,
    "mixer": mixer,
    "mlp": mlp,
}
BODIES = FIGURE3 | RELATIVES
