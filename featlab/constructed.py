"""The paper's constructed datasets: D_R and D_NR (section 3.1, Figure 5), D_rand and D_det (section 3.2, Figure 6).

Each construction is a function Dataset -> Dataset, image by image in the order given. Behind both stands `Construction`, an iterator of
parts, so that a caller can show progress, stop and go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from featlab import engine, memory, parallel
from featlab.attacks import L2, Goal, check_steps, descend
from featlab.training import predict
from featlab.types import Attack, Dataset, check_labels, pixels, trusting

STARTS = ("images", "noise")


@dataclass(frozen=True)
class Part:
    """Images start .. start + len(images) of a construction, with the quantities measured on each."""

    start: int
    images: Tensor
    report: dict[str, Tensor]


@dataclass(frozen=True)
class Construction:
    """A dataset in the making: `make(index)` turns a range of indices into a Part; `labels` are known from the outset."""

    source: Dataset
    labels: Tensor
    make: Callable[[Tensor], Part]
    size: int

    def parts(self, done: int = 0) -> Iterator[Part]:
        """The parts from image number `done` on; several processes make each part together."""
        for index in parallel.shareable(
            torch.arange(done, len(self.source), device=self.source.device).split(self.size * parallel.world())
        ):
            mine = index[parallel.mine(len(index))]
            made = list(memory.in_chunks(self.make, mine))
            columns = {"": [part.images for part in made], **{name: [part.report[name] for part in made] for name in made[0].report}}
            whole = {name: parallel.joined(torch.cat(column)[: len(mine)], len(index)) for name, column in columns.items()}
            yield Part(int(index[0]), whole.pop(""), whole)

    def join(self, parts: list[Part]) -> Dataset:
        """All parts together as a dataset."""
        report = {name: torch.cat([p.report[name] for p in parts]) for name in parts[0].report}
        return replace(self.source, images=torch.cat([p.images for p in parts]), labels=self.labels, report=report)


def apart(network: Callable[[Tensor], Tensor], z: Tensor, target: Tensor) -> Tensor:
    """|| g(z) - g(x) ||_2 an image, for the target g(x)."""
    return (network.represent(z) - target).norm(dim=1)


def robustifying(
    model: Callable[[Tensor], Tensor],
    data: Dataset,
    *,
    steps: int = 30,
    step: float = 1.2,
    decay: bool = True,
    start: str = "images",
    seed: int = 0,
) -> Construction:
    """The construction behind `robustify`; same arguments."""
    if start not in STARTS:
        raise ValueError(f"unknown start {start!r}: choose one of {', '.join(STARTS)}")
    check_steps(steps, step)
    if not hasattr(model, "represent"):
        raise TypeError("robustify matches representations, so the model needs a method represent(x): use a featlab Classifier")
    data = data.to(engine.device_of(model) or data.device)
    generator = torch.Generator().manual_seed(seed)
    if start == "images":
        other = torch.randint(len(data), (len(data),), generator=generator).to(data.device)
        first = data.images[other]
    else:
        first = torch.rand(data.images.shape, generator=generator).to(data.device)
    network = engine.frozen(model)

    def make(index: Tensor) -> Part:
        with torch.no_grad():
            target = network.represent(pixels(data.images[index]))  # (n, d), computed once

        goal = Goal(apart, network, target)
        begin = pixels(first[index])
        z = descend(goal, begin, ball=L2(float("inf")), steps=steps, step=step, decay=decay)
        with torch.no_grad():
            distance = goal(z) / target.norm(dim=1).clamp_min(1e-12)
        return Part(int(index[0]), z, {"distance": distance, "length": L2(0).norm(z - begin)})

    return Construction(data, data.labels, make, parallel.agreed(engine.chunk(data.device.type)))


def robustify(
    model: Callable[[Tensor], Tensor],
    data: Dataset,
    *,
    steps: int = 30,
    step: float = 1.2,
    decay: bool = True,
    start: str = "images",
    seed: int = 0,
) -> Dataset:
    """The images that a model cannot tell from the originals: D_R from a robust model, D_NR from a standard one (section 3.1, Figure 5).

        x_R = argmin over z in [0, 1]^d of || g(z) - g(x) ||_2, begun at another image x' ~ D; the label stays y, that of x

    What the model does not use has no reason to change: it stays that of x', whose label is independent of y.

    model   a Classifier, whose g is matched
    steps   normalised gradient steps
    step    l2 length of the first step, in pixels of [0, 1]
    decay   let the length fall linearly to 0, which gets close in few steps; the paper has 1000 constant steps of 0.1 (CIFAR-10)
    start   "images" (another image drawn independently) or "noise" (uniform; appendix D.1)
    seed    draws the beginnings

    The report holds `distance` ||g(x_R) - g(x)|| / ||g(x)|| and `length` ||x_R - x'||_2.
    """
    construction = robustifying(model, data, steps=steps, step=step, decay=decay, start=start, seed=seed)
    return construction.join(list(construction.parts()))


def inversion(model: Callable[[Tensor], Tensor], x: Tensor, start: Tensor, *, steps: int = 30, step: float = 1.2) -> tuple[Tensor, Tensor]:
    """The way of `robustify` for single images: x, start (n, c, h, w) -> every z (steps + 1, n, c, h, w), its distance (steps + 1, n)."""
    network = engine.frozen(model)
    with torch.no_grad():
        target = network.represent(x)
    way, distances = [], []

    def goal(z: Tensor) -> Tensor:
        distance = (network.represent(z) - target).norm(dim=1)
        way.append(z.detach())
        distances.append((distance / target.norm(dim=1)).detach())
        return distance

    end = descend(goal, start, ball=L2(float("inf")), steps=steps, step=step, decay=True)
    with torch.no_grad():
        goal(end)
    return torch.stack(way), torch.stack(distances)


def random_labels(labels: Tensor, classes: int, generator: torch.Generator | None = None) -> Tensor:
    """t uniform over all classes, the true one included: D_rand (section 3.2)."""
    return torch.randint(classes, labels.shape, generator=generator).to(labels.device)


def other_labels(labels: Tensor, classes: int, generator: torch.Generator | None = None) -> Tensor:
    """t uniform over the classes other than y: D_rand without the tenth of its images that keep their label."""
    return (labels + 1 + torch.randint(classes - 1, labels.shape, generator=generator).to(labels.device)) % classes


def next_labels(labels: Tensor, classes: int, generator: torch.Generator | None = None) -> Tensor:
    """t = y + 1 modulo the number of classes: D_det (section 3.2)."""
    return (labels + 1) % classes


Rule = Callable[[Tensor, int, torch.Generator], Tensor]


def mislabelling(model: Callable[[Tensor], Tensor], data: Dataset, rule: Rule, attack: Attack | None, *, seed: int = 0) -> Construction:
    """The construction behind `mislabel`; same arguments."""
    if getattr(attack, "targeted", True) is False:
        raise ValueError(f"{attack} is untargeted and would lead away from the new labels: add targeted=True")
    data = data.to(engine.device_of(model) or data.device)
    classes = len(data.classes) or max(data.num_classes, getattr(model, "classes", 0))  # the labels alone may lack the last classes
    check_labels(data.labels, data.images, classes)
    targets = rule(data.labels, classes, torch.Generator().manual_seed(seed))
    targets = check_labels(targets, data.images, classes)

    def make(index: Tensor) -> Part:
        x, t = pixels(data.images[index]), targets[index]
        with engine.drawing(seed, int(index[0])), trusting():  # the draws are for an attack's random start
            z = x if attack is None else attack(model, x, t)
        return Part(int(index[0]), z, {"reached": predict(model, z) == t, "length": L2(0).norm(z - x)})

    return Construction(data, targets, make, parallel.agreed(engine.chunk(data.device.type)))


def mislabel(model: Callable[[Tensor], Tensor], data: Dataset, rule: Rule, attack: Attack | None, *, seed: int = 0) -> Dataset:
    """Images perturbed towards a label that is wrong to people, and labelled with it: D_rand and D_det (section 3.2, Figure 6).

        x_adv = argmin over ||x' - x|| <= eps of L_C(x', t); the label is t

    rule    random_labels (D_rand), next_labels (D_det), other_labels, or any function (labels, classes, generator) -> labels
    attack  a targeted attack, for example PGD(L2(1.5), steps=30, targeted=True); None leaves the images as they are (the control)
    seed    draws the labels

    The report holds `reached` (whether the model predicts t) and `length` ||x_adv - x||_2.
    """
    construction = mislabelling(model, data, rule, attack, seed=seed)
    return construction.join(list(construction.parts()))
