"""The penultimate units of a network as features, and the network as a composition of them (section 2)."""

from dataclasses import dataclass

from torch import Tensor

from featlab.doors import dataset, representing
from featlab.engine import freezing
from featlab.features.definitions import Standardised
from featlab.features.measuring import values
from featlab.models import Classifier
from featlab.types import Dataset


class Units:
    """The penultimate units of a network, F_C of section 2, as k features; `index` chooses some of them.

    Weights as they are now.
    """

    def __init__(self, model: Classifier, index: Tensor | slice = slice(None)):
        self.network, self.index = freezing.frozen(representing(model)), index

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, k)"""
        return self.network.represent(images)[:, self.index]


@dataclass(frozen=True, eq=False)
class Composition:
    """C = (F, w, b) of section 2, for several classes: the class with the greatest b_c + sum over f of w_fc
    f(x).

    features  standardised, k of them
    w         (k, classes); each row has mean 0, since adding a number to a row changes no decision
    b         (classes,)
    """

    features: Standardised
    w: Tensor
    b: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> logits (n, classes), up to a number that all classes of an image share."""
        return self.features(images).float() @ self.w + self.b


def compose(model: Classifier, data: Dataset) -> Composition:
    """A network as section 2 sees it: its penultimate units, standardised under `data`,
    with weights that leave its decisions unchanged.
    """
    f = Units(model)
    found = values(f, dataset(data).pixels)
    mean, std = found.mean(0), found.std(0, correction=0).clamp_min(1e-12)
    w = centred(model)
    b = model.head.bias.detach().double() + mean @ w
    return Composition(Standardised(f, mean, std), (w * std[:, None]).float(), b.float())


def centred(model: Classifier) -> Tensor:
    """The head's weights (k, classes) in float64, each unit's mean over the classes subtracted."""
    w = model.head.weight.detach().double().T
    return w - w.mean(1, keepdim=True)
