"""One real image, attacked with a growing radius: what the landing
page's slider and the README's animated picture show.
"""

from dataclasses import dataclass
from functools import cache

import torch

import featlab as fl
from featlab import plots
from featlab.engine import devices, freezing

RADII = [round(0.1 * i, 1) for i in range(16)]
GAIN = 5.0
SHOWN = 9  # ankle boot


@dataclass(frozen=True)
class Frame:
    """The attack at one radius: eps, attacked image and amplified perturbation (1, 28, 28),
    probability of each class.
    """

    eps: float
    image: torch.Tensor
    change: torch.Tensor
    believes: list[float]


@cache
def frames() -> tuple[list[str], int, list[Frame]]:
    """Class names, the true class, and one frame a radius; the first boot that the model is sure about."""
    with devices.precision("float32"):
        train, test = fl.load("fashion-mnist", device="cpu")
        model = fl.train(fl.cnn(), train, epochs=2, lr=0.2, weight_decay=5e-4, seed=0)
        boots = test[test.labels == SHOWN]
        sure = freezing.frozen(model)(boots.pixels).softmax(1)[:, SHOWN] > 0.9
        boot = boots[sure][0]
        return list(test.classes), SHOWN, [_frame(model, boot, eps) for eps in RADII]


def _frame(model: torch.nn.Module, boot: fl.Dataset, eps: float) -> Frame:
    x = boot.pixels
    z = fl.PGD(fl.L2(eps), steps=40)(model, x, boot.labels)
    believes = freezing.frozen(model)(z).softmax(1)[0].tolist()
    return Frame(eps, z[0], plots.perturbation((z - x)[0], GAIN), believes)
