"""Which adversarial examples carry over to other models (section 3.3, appendix D.9), and an attack made not to carry over.

made = craft(source, test, PGD(L2(1.5)))        # adversarial examples of one model
made.rate(target), made.noise().rate(target)    # how many fool another; how many random changes of the same length do
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from featlab import engine
from featlab.attacks import L2, PGD
from featlab.training import Accuracy, predict
from featlab.types import Attack, Dataset, check_labels

Model = Callable[[Tensor], Tensor]


class Rate(Accuracy):
    """The fraction of n images, right for source and target before the attack, on which it succeeds; with its 95 % Wilson interval."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Adversarial examples of one source model.

    data     the n images that they were made from, with their true labels
    images   (n, c, h, w) x', float pixels in [0, 1]
    known    (n,) bool, whether the source is right on the original; the others are left as they are and never counted
    targets  (n,) the classes that a targeted attack aims at; None for an untargeted one
    classes  number of classes of the source; 0 if it does not say
    """

    data: Dataset
    images: Tensor
    known: Tensor
    targets: Tensor | None = None
    classes: int = 0

    def counted(self, model: Model) -> Tensor:
        """(n,) bool: the images that source and model both get right as they are."""
        if self.classes and getattr(model, "classes", self.classes) != self.classes:
            raise ValueError(f"the source knows {self.classes} classes, the target {model.classes}: transfer needs the same classes")
        return self.known & (predict(model, self.data.images) == self.data.labels)

    def succeeds(self, model: Model) -> Tensor:
        """(n,) bool: the model sees another class than the true one in x'; for a targeted attack, it sees the target."""
        seen = predict(model, self.images)
        return seen != self.data.labels if self.targets is None else seen == self.targets

    def rate(self, model: Model) -> Rate:
        """The transfer rate to a model; to the source itself, the attack's success rate."""
        counted = self.counted(model)
        if not bool(counted.any()):
            raise ValueError("no image is right for both models, so there is no rate: train them longer or use more images")
        return Rate(int((counted & self.succeeds(model)).sum()), int(counted.sum()))

    def pull(self, model: Model) -> float:
        """How far targeted examples move the model towards t, fooled or not: mean change, in nats, of

            log p(t) - mean of log p(c) over the classes c other than t and y        images that source and model both get right

        Evidence shared with the source shows here even where the model keeps its answer; for noise it is near 0.
        """
        if self.targets is None:
            raise ValueError("untargeted examples pull nowhere in particular: craft them with targets")
        k, network = self.counted(model), engine.frozen(model)
        with torch.no_grad():
            change = network(self.images[k]).log_softmax(1) - network(self.data.pixels[k]).log_softmax(1)
        t, y = self.targets[k, None], self.data.labels[k, None]
        others = (change.sum(1, keepdim=True) - change.gather(1, t) - change.gather(1, y)) / (change.shape[1] - 2)
        return (change.gather(1, t) - others).mean().item()

    def noise(self, seed: int = 0) -> "Examples":
        """Random changes of the same l2 length, image by image: what the length alone does."""
        x = self.data.pixels
        direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x.device)
        return replace(self, images=stretched(x, direction, L2(0).norm(self.images - x)))


def stretched(x: Tensor, direction: Tensor, length: Tensor) -> Tensor:
    """The point clamp(x + s * direction, 0, 1) at l2 distance `length` (n,) from x, by bisection for s: clamping alone would shorten."""
    direction, shape = L2(0).steepest(direction), (-1, *[1] * (x.ndim - 1))
    low, high = torch.zeros_like(length), 1000 * length
    for _ in range(40):
        middle = (low + high) / 2
        short = L2(0).norm((x + middle.view(shape) * direction).clamp(0, 1) - x) < length
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return (x + low.view(shape) * direction).clamp(0, 1)


def craft(source: Model, data: Dataset, attack: Attack, targets: Tensor | None = None) -> Examples:
    """Attack each image that the source gets right.

    targets  (n,) for a targeted attack, for example next_labels(data.labels, 10)
    """
    targeted = getattr(attack, "targeted", targets is not None)
    if targeted != (targets is not None):
        wish = "needs the classes to aim at: give targets=" if targeted else "aims at no class: leave targets out, or add targeted=True"
        raise ValueError(f"{attack} {wish}")
    data = data.to(engine.device_of(source) or data.device)
    classes = getattr(source, "classes", 0)
    check_labels(data.labels, data.images, classes)
    goal = data.labels if targets is None else check_labels(targets, data.images, classes)
    known, images = predict(source, data.images) == data.labels, data.pixels.clone()
    if bool(known.any()):
        images[known] = attack(source, images[known], goal[known])
    return Examples(data, images, known, goal if targeted else None, classes)


def matrix(sources: Mapping[str, Model], targets: Mapping[str, Model], data: Dataset, attack: Attack) -> dict[str, dict[str, Rate]]:
    """Untargeted transfer from each source (outer key) to each target (inner key)."""
    made = {name: craft(source, data, attack) for name, source in sources.items()}
    return {name: {other: examples.rate(target) for other, target in targets.items()} for name, examples in made.items()}


@dataclass(frozen=True)
class Selective(PGD):
    """PGD that fools one model and spares others (Nakkiran 2019): one more goal for `descend`.

        argmin over x' in the ball of  L_f(x', t) + weight * mean over j of L(f_j(x'), softmax f_j(x))

    The second cross-entropy is least where f_j gives every class the probability that it gives in x. With targeted=False the first term
    is -L_f(x', y). Without spared models it is PGD.

    spared  independently trained models whose opinion must not change
    weight  of their term
    """

    spared: tuple[Model, ...] = ()
    weight: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        if not self.weight >= 0:
            raise ValueError(f"weight must be at least 0, got {self.weight}")

    def __repr__(self) -> str:
        return f"Selective({super().__repr__()}, sparing {len(self.spared)} models, weight={self.weight:g})"

    def goal(self, network: Model, x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """As for PGD, with the spared models' loss on top."""
        fool = super().goal(network, x, y)
        others = [engine.frozen(model) for model in self.spared]
        with torch.no_grad():
            beliefs = [other(x) for other in others]

        def both(z: Tensor) -> Tensor:
            moved = [(other(z) - belief).square().mean(1) for other, belief in zip(others, beliefs, strict=True)]
            return fool(z) + self.weight * torch.stack(moved).mean(0)

        return both if others else fool


@dataclass(frozen=True)
class Correlation:
    """A coefficient over n points with its approximate 95 % interval; with few points the interval is wide, and should be read first."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}, n = {self.n})"


def pearson(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Linear correlation, with Fisher's interval: tanh(atanh(r) +- 1.96 / sqrt(n - 3))."""
    return _fisher(x, y, lambda r: 1.0)


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Correlation of the ranks, with Bonett and Wright's interval: Fisher's, wider by sqrt(1 + r^2 / 2)."""
    from scipy.stats import rankdata  # half a second to import, and nothing else here needs it

    return _fisher(rankdata(x), rankdata(y), lambda r: math.sqrt(1 + r * r / 2))


def _fisher(x: Sequence[float], y: Sequence[float], widening: Callable[[float], float]) -> Correlation:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 4:
        raise ValueError(f"a correlation with an interval needs two lists of the same length, at least 4; got {x.shape} and {y.shape}")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("all values of one list are equal, so there is no correlation")
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
    with np.errstate(divide="ignore"):
        centre, spread = np.arctanh(r), 1.959964 * widening(r) / math.sqrt(len(x) - 3)
    return Correlation(r, float(np.tanh(centre - spread)), float(np.tanh(centre + spread)), len(x))
