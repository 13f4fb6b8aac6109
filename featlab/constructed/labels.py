"""Images that carry another label than people see: D_rand, D_other and D_det (section 3.2, Figure 6)."""

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from featlab import doors
from featlab.attacks import L2, GradientAttack
from featlab.engine import chunks, parallel, seeds
from featlab.evaluation import top_classes
from featlab.inputs.checks import instance, whole
from featlab.parts import Construction, Part
from featlab.types import Attack, Dataset, Model, pixels


def check_rule(labels: Tensor, classes: int, generator: torch.Generator | None, least: int = 1) -> None:
    """Refuse what a rule cannot make other labels of, with a ValueError: labels (n,) outside 0..classes-1."""
    instance(labels, Tensor, "the labels that a rule changes must be a tensor (n,)")
    if generator is not None:
        instance(generator, torch.Generator, "generator must be a torch.Generator().manual_seed(0)")
    low, high = (bound.item() for bound in labels.aminmax()) if labels.numel() else (0, 0)
    if not 0 <= low <= high < whole(classes, "classes", least):
        allowed = f"0..{classes - 1} for {classes} classes"
        raise ValueError(f"labels must lie in {allowed}, these range over {low}..{high}")


def random_labels(labels: Tensor, classes: int, generator: torch.Generator | None = None) -> Tensor:
    """t uniform over all classes, the true one included: D_rand (section 3.2). Labels (n,) -> (n,)

    Labels outside 0..classes-1 are refused with a ValueError.
    """
    check_rule(labels, classes, generator)
    return torch.randint(classes, labels.shape, generator=generator).to(labels.device)


def other_labels(labels: Tensor, classes: int, generator: torch.Generator | None = None) -> Tensor:
    """t uniform over the classes but y: D_rand without the tenth of its images that keep their label. Labels
    (n,) -> (n,)

    Labels outside 0..classes-1 are refused with a ValueError.
    """
    check_rule(labels, classes, generator, least=2)
    return (
        labels + 1 + torch.randint(classes - 1, labels.shape, generator=generator).to(labels.device)
    ) % classes


def next_labels(labels: Tensor, classes: int, generator: torch.Generator | None = None) -> Tensor:
    """t = y + 1 modulo the number of classes: D_det (section 3.2). Labels (n,) -> (n,)

    Labels outside 0..classes-1 are refused with a ValueError.
    """
    check_rule(labels, classes, generator)
    return (labels + 1) % classes


Rule = Callable[[Tensor, int, torch.Generator], Tensor]


def _thread_safe(attack: Attack | None, network: doors.Logits, x: Tensor) -> bool:
    """Whether several workers may make parts at once with this attack, which draws nothing at random, on
    images (n, c, h, w) like these.
    """
    if isinstance(attack, GradientAttack):
        return not attack.random_start and attack.thread_safe(network, x)
    return attack is None and doors.thread_safe(network, x)


def parts_of_mislabel(
    model: Model, data: Dataset, rule: Rule, attack: Attack | None, *, seed: int = 0
) -> Construction:
    """The construction behind `mislabel`; same arguments."""
    if hasattr(rule, "ball"):
        raise TypeError(
            f"{rule} stands where the rule of the labels does: mislabel(model, data, rule, attack)"
        )
    if attack is not None:
        doors.check_attack(attack)
    if getattr(attack, "targeted", True) is False:
        raise ValueError(f"{attack} is untargeted and would lead away from the new labels: add targeted=True")
    if getattr(attack, "leaves_the_box", False):
        raise ValueError(
            f"{attack} leaves the box, and pixels of a dataset lie in [0, 1]: use one that stays "
            "inside, such as PGD"
        )
    data = doors.placed(model, data)
    # the labels alone may lack the last classes
    classes = len(data.classes) or max(data.num_classes, getattr(model, "classes", 0))
    seed = whole(seed, "seed", least=None)
    targets = doors.targets(rule, data, classes, torch.Generator().manual_seed(seed))

    def make(index: Tensor, places: range) -> Part:
        x, t = pixels(data.images[index]), targets[index]
        # the draws are for an attack's random start, which no two workers make at once
        with nullcontext() if thread_safe else seeds.drawing(seed, places.start):
            z = x if attack is None else doors.attacked(attack, model, x, t, first=not places.start)
        reached = top_classes(doors.network(model), z) == t
        return Part(places.start, z, {"reached": reached, "length": L2.norm(z - x)})

    thread_safe = _thread_safe(attack, doors.network(model), pixels(data.images[:2]))
    size = parallel.broadcast(chunks.chunk(data.device.type))
    return Construction(data, targets, make, size, thread_safe=thread_safe)


def mislabel(
    model: Model,
    data: Dataset,
    rule: Rule,
    attack: Attack | None,
    *,
    seed: int = 0,
    progress: Callable | None = None,
) -> Dataset:
    """Images perturbed towards a label that is wrong to people, and labelled with it: D_rand and D_det
    (section 3.2, Figure 6).

        x_adv = argmin over ||x' - x|| <= eps of L_C(x', t); the label is t

    rule    random_labels (D_rand), next_labels (D_det), other_labels, or any function (labels, classes,
            generator) -> labels
    attack  a targeted attack, for example PGD(L2(1.5), steps=30, targeted=True); None leaves the images as
            they are (the control)
    seed    draws the labels
    progress  shows the work: featlab.widgets.progress in a notebook, featlab.experiments.progress.bar in a
              terminal

    The report holds `reached` (whether the model predicts t) and `length` ||x_adv - x||_2.

    An untargeted attack, one that leaves the box, and a rule that gives other than one class an image are
    refused with a ValueError or TypeError.
    """
    return parts_of_mislabel(model, data, rule, attack, seed=seed).whole(progress, "mislabel")
