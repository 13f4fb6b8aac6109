"""What several test files use: small real-looking data and small models,
none of which depends on the sizes of the library's own.
"""

import torch
from torch import nn

import featlab as fl
from featlab.experiments.presets import Preset
from featlab.features import Linear
from featlab.models import Classifier
from featlab.types import Dataset

TINY = Preset(
    images=60,
    tests=40,
    student=fl.Recipe(epochs=1, lr=0.1),
    teacher=fl.Recipe(epochs=1, lr=0.1),
    defence=fl.Recipe(epochs=1, lr=0.1),
    inner=fl.PGD(fl.L2(1.0), steps=1),
    inversion=(2, 1.0),
    push=fl.PGD(fl.L2(1.5), steps=2, targeted=True),
    steps=2,
)


def tiny(channels: int = 1, classes: int = 4, size: int = 8, *, seed: int = 0) -> Classifier:
    """Two convolutions with batch-norms whose statistics are far from 0 and 1
    (one variance near the norm's own eps), ready for use.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        convolutions = (
            nn.Conv2d(channels, 4, 3, padding=1, bias=False),
            nn.Conv2d(4, 6, 3, stride=2, padding=1),
        )
        norms = nn.BatchNorm2d(4), nn.BatchNorm2d(6)
        layers = [
            layer for conv, norm in zip(convolutions, norms, strict=True) for layer in (conv, norm, nn.ReLU())
        ]
        model = Classifier(
            nn.Sequential(*layers, nn.Flatten()), 6 * (size // 2) ** 2, channels=channels, classes=classes
        )
        shake(model)
        model.trained.fill_(True)
    return model.eval()


def shake(model: nn.Module) -> None:
    """Give every batch-norm statistics, scales and offsets of its own."""
    for norm in (part for part in model.modules() if isinstance(part, nn.BatchNorm2d)):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        norm.running_var[0] = 2 * norm.eps
        if norm.affine:
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            norm.weight.data[0] *= 0.01
            nn.init.normal_(norm.bias)


def linear(channels: int = 1, classes: int = 4, size: int = 8) -> Classifier:
    """A linear classifier whose features are the pixels."""
    model = Classifier(nn.Flatten(), channels * size * size, channels=channels, classes=classes)
    model.trained.fill_(True)
    return model


def patches(n: int = 40, channels: int = 1, classes: int = 4, size: int = 8, *, seed: int = 0) -> Dataset:
    """uint8 images of noise with a bright square in the corner that is the label's:
    learnable in a few steps.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % classes
    images = torch.randint(0, 120, (n, channels, size, size), generator=generator, dtype=torch.uint8)
    for image, label in zip(images, labels.tolist(), strict=True):
        row, column = (label // 2) % 2 * size // 2, label % 2 * size // 2
        image[:, row : row + size // 2, column : column + size // 2] += 100
    return Dataset(images, labels, tuple(f"corner {c}" for c in range(classes)))


def snapshot(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copies of all weights and buffers."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Whether two states agree bit by bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def grey(n: int = 200, size: int = 4, *, seed: int = 0) -> Dataset:
    """Two classes of images around mid-grey, so that small perturbations stay inside the box;
    labels -1 and +1.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = 2 * (torch.arange(n) % 2) - 1
    images = 0.5 + 0.05 * torch.randn(n, 1, size, size, generator=generator).clamp(-3, 3)
    images[:, :, 0] += 0.06 * labels.view(-1, 1, 1)
    return Dataset(images, labels)


def direction(size: int = 4, *, seed: int = 1) -> Linear:
    """A random linear feature that weighs the first row of `grey` images most."""
    a = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))
    a[:, :, 0] += 1.5
    return Linear(a)
