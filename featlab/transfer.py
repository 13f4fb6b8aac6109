"""Which adversarial examples carry over to other models (section 3.3, appendix D.9), and an attack made not
to carry over.

made = craft(source, test, PGD(L2(1.5)))        # adversarial examples of one model
made.rate(target), made.noise().rate(target)    # how many fool another; how many random changes of the same
                                                length do
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from featlab import doors
from featlab.attacks import L2, PGD
from featlab.engine import memory
from featlab.evaluation import Accuracy, is_right, predict
from featlab.inputs.checks import function, instance, named, real, whole
from featlab.types import Attack, Dataset, Model, check_labels


class Rate(Accuracy):
    """The fraction of n images, right for source and target before the attack, on which it succeeds; with its
    95 % Wilson interval.

    It is printed in whole percent: the last bits of x' differ from processor to processor, and an image in
    ten thousand shows it.
    """

    def __repr__(self) -> str:
        low, high = self.interval
        return f"{100 * self:.0f} % ({100 * low:.0f} to {100 * high:.0f}, n = {self.n:,})"

    __str__ = __repr__


@dataclass(frozen=True, eq=False)
class Examples:
    """Adversarial examples of one source model.

    data     the n images that they were made from, with their true labels
    images   (n, c, h, w) x', float pixels in [0, 1]
    known    (n,) bool, whether the source is right on the original; the others are left as they are and never
             counted
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
        classes = getattr(model, "classes", self.classes)
        if self.classes and classes != self.classes:
            raise ValueError(
                f"the source knows {self.classes} classes, the target {classes}: transfer "
                "needs the same classes"
            )
        return self.known & (predict(model, self.data.images) == self.data.labels)

    def succeeds(self, model: Model) -> Tensor:
        """(n,) bool: the model sees another class than the true one in x'; for a targeted attack,
        it sees the target.
        """
        seen = predict(model, self.images)
        return seen != self.data.labels if self.targets is None else seen == self.targets

    def rate(self, model: Model) -> Rate:
        """The transfer rate to a model; to the source itself, the attack's success rate."""
        counted = self.counted(model)
        if not bool(counted.any()):
            raise ValueError(
                "no image is right for both models, so there is no rate: train them longer or use more images"
            )
        return Rate(int((counted & self.succeeds(model)).sum()), int(counted.sum()))

    def pull(self, model: Model) -> float:
        """How far targeted examples move the model towards t, fooled or not: mean change, in nats, of

            log p(t) - mean of log p(c) over the classes c other than t and y        images that source and
                                                                                     model both get right

        Evidence shared with the source shows here even where the model keeps its answer; for noise it is near
        0.
        """
        if self.targets is None:
            raise ValueError("untargeted examples pull nowhere in particular: craft them with targets")
        k, network = self.counted(model), doors.network(model)
        with torch.no_grad():
            after, before = (
                memory.mapped(network, x[k]).log_softmax(1) for x in (self.images, self.data.pixels)
            )
        change = after - before
        t, y = self.targets[k, None], self.data.labels[k, None]
        others = (change.sum(1, keepdim=True) - change.gather(1, t) - change.gather(1, y)) / (
            change.shape[1] - 2
        )
        return (change.gather(1, t) - others).mean().item()

    def noise(self, seed: int = 0) -> "Examples":
        """Random changes of the same l2 length, image by image: what the length alone does."""
        x, seed = self.data.pixels, whole(seed, "seed", least=None)
        direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed)).to(x.device)
        return replace(self, images=stretched(x, direction, L2.norm(self.images - x)))


def stretched(x: Tensor, direction: Tensor, length: Tensor) -> Tensor:
    """The point clamp(x + s * direction, 0, 1) at l2 distance `length` (n,) from x, by bisection for s:
    clamping alone would shorten.
    """
    direction, shape = L2(0).steepest(direction), (-1, *[1] * (x.ndim - 1))
    low, high = torch.zeros_like(length), 1000 * length
    for _ in range(40):
        middle = (low + high) / 2
        short = L2.norm((x + middle.view(shape) * direction).clamp(0, 1) - x) < length
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return (x + low.view(shape) * direction).clamp(0, 1)


def craft(source: Model, data: Dataset, attack: Attack, targets: Tensor | None = None) -> Examples:
    """Attack each image that the source gets right.

    targets  (n,) for a targeted attack, for example next_labels(data.labels, 10)

    Targets for an attack that takes none, and none for one that needs them, are refused with a ValueError.
    """
    targeted = getattr(attack, "targeted", targets is not None)
    if targeted != (targets is not None):
        wish = (
            "needs the classes to aim at: give targets="
            if targeted
            else "aims at no class: leave targets out, or add targeted=True"
        )
        raise ValueError(f"{attack} {wish}")
    doors.check_attack(attack)
    data = doors.placed(source, data)
    classes = getattr(source, "classes", 0)
    goal = data.labels if targets is None else check_labels(targets, data.images, classes)
    known, images = is_right(source, data), doors.exact(data.images).clone()
    if bool(known.any()):
        images[known] = doors.attacked(attack, source, images[known], goal[known])
    return Examples(data, images, known, goal if targeted else None, classes)


def matrix(
    sources: Mapping[str, Model], targets: Mapping[str, Model], data: Dataset, attack: Attack
) -> dict[str, dict[str, Rate]]:
    """Untargeted transfer from each source (outer key) to each target (inner key)."""
    named(sources, "sources")
    named(targets, "targets")
    made = {name: craft(source, data, attack) for name, source in sources.items()}
    return {
        name: {other: examples.rate(target) for other, target in targets.items()}
        for name, examples in made.items()
    }


@dataclass(frozen=True)
class Selective(PGD):
    """PGD that fools one model and spares others (Nakkiran 2019): one more goal for `descend`.

        argmin over x' in the ball of  L_f(x', t) + weight * mean over j of ||f_j(x') - f_j(x)||^2 / k

    f_j(x) are the k logits of a spared model, so the second term is the mean squared change of the spared
    models' logits. With targeted=False the first term is -L_f(x', y). Without spared models it is PGD.

    spared  independently trained models whose logits must not change
    weight  of their term

    Refused is what PGD refuses, and a weight below 0 or infinite, with a ValueError.
    """

    spared: tuple[Model, ...] = ()
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        instance(self.spared, tuple | list, "spared must be a tuple of models, (model,) for one")
        for model in self.spared:
            function(model, "a spared model", "images")
        object.__setattr__(self, "weight", real(self.weight, "weight"))
        if not 0 <= self.weight < math.inf:
            raise ValueError(f"weight must be at least 0 and finite, got {self.weight}")

    def __repr__(self) -> str:
        return f"Selective({super().__repr__()}, sparing {len(self.spared)} models, weight={self.weight:g})"

    def thread_safe(self, network: Model, x: Tensor) -> bool:
        """As for PGD, on images (n, c, h, w), with all the spared models."""
        spared = [doors.network(model) for model in self.spared]
        return super().thread_safe(network, x) and all(doors.thread_safe(one, x) for one in spared)

    def goal(self, network: Model, x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """As for PGD, z (n, c, h, w) -> (n,), with the spared models' loss on top."""
        fool = super().goal(network, x, y)
        others = [doors.network(model) for model in self.spared]
        with torch.no_grad():
            beliefs = [other(x) for other in others]

        def both(z: Tensor) -> Tensor:
            moved = [
                (other(z) - belief).square().mean(1) for other, belief in zip(others, beliefs, strict=True)
            ]
            return fool(z) + self.weight * torch.stack(moved).mean(0)

        return both if others else fool
