"""Models, representing models and attacks, featlab's own and a reader's.

The annotations are checked by mypy (`make lint`), what they promise by tests/test_types.py.
"""

import torch
from torch import Tensor, nn

import featlab.debate.leakage as leakage
from featlab.attacks import L2, PGD, Linf
from featlab.debate.stronger import APGD, Worst
from featlab.doors import network
from featlab.engine.freezing import frozen
from featlab.features.units import compose
from featlab.models import Classifier, cnn
from featlab.transfer import Selective
from featlab.types import Attack, Dataset, Model, Representing

IMAGES = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(0))
DATA = Dataset(IMAGES, torch.arange(12) % 3)
OURS: Classifier = cnn(classes=3, size=8, width=4).eval()
LINEAR: Classifier = leakage.linear(DATA)


class Module(nn.Module):
    """A reader's module, with a representation."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(64, 3)

    def represent(self, x: Tensor) -> Tensor:
        return x.flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.represent(x))


def brightness(images: Tensor) -> Tensor:
    """A reader's function."""
    mean = images.mean((1, 2, 3))
    return torch.stack([mean, 1 - mean, mean.square()], 1)


def lighter(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """A reader's attack."""
    return (x + 0.1).clamp(0, 1)


MODELS: dict[str, Model] = {
    "Classifier": OURS,
    "Frozen": frozen(OURS),
    "Logits": network(OURS),
    "Composition": compose(OURS, DATA),
    "a reader's module": Module(),
    "a reader's function": brightness,
}
REPRESENTING: dict[str, Representing] = {
    "Classifier": OURS,
    "Frozen": frozen(OURS),
    "a reader's module": Module(),
}
ATTACKS: dict[str, Attack] = {
    "PGD": PGD(L2(0.5), steps=2),
    "Selective": Selective(Linf(0.1), steps=2, spared=(brightness,)),
    "APGD": APGD(L2(0.5), steps=2),
    "Worst": Worst((PGD(L2(0.5), steps=2), lighter)),
    "WorstOfLinear": leakage.WorstOfLinear(L2(0.5)),
    "a reader's function": lighter,
}
