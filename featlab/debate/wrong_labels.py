"""Learning from wrong labels (Wallace 2019), and the control that follows: labels' accidental signal without adversarial features."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from featlab.attacks import L2
from featlab.training import predict
from featlab.types import Dataset, check_labels

Model = Callable[[Tensor], Tensor]


def errors_of(model: Model, data: Dataset) -> Dataset:
    """Only the images that a model gets wrong, unmodified, each with the model's wrong label (Wallace 2019)."""
    seen = predict(model, data.images)
    wrong = seen != data.labels
    if not bool(wrong.any()):
        raise ValueError("the model makes no errors on these images: take a model that was trained more briefly")
    return replace(data[wrong], labels=seen[wrong])


def labelled_by(model: Model, data: Dataset, classes: tuple[str, ...]) -> Dataset:
    """Images of any kind with the labels that a model of other classes gives them (Wallace 2019: Fashion-MNIST labelled by digits).

    classes  names of the model's classes, which the labels now mean
    """
    return replace(data, labels=predict(model, data.images), classes=classes)


def only(data: Dataset, chosen: tuple[int, ...]) -> Dataset:
    """The images of the chosen classes, numbered anew from 0 in the order given."""
    places = [data.labels == c for c in chosen]
    labels = sum(i * place.long() for i, place in enumerate(places))
    keep = torch.stack(places).any(0)
    return replace(data, labels=labels, classes=tuple(data.classes[c] for c in chosen) if data.classes else ())[keep]


def patterns(classes: int, shape: tuple[int, ...], *, seed: int = 0) -> Tensor:
    """One fixed synthetic pattern a class, +1 or -1 at each pixel by lot: (classes, c, h, w). They know nothing about any image."""
    generator = torch.Generator().manual_seed(seed)
    return 2.0 * torch.randint(2, (classes, *shape), generator=generator) - 1


def add_pattern(x: Tensor, pattern: Tensor, eps: float, *, rounds: int = 60) -> Tensor:
    """x plus a multiple of its pattern, clipped to [0, 1], such that the change has l2 length eps exactly: (n, c, h, w) -> the same.

    Clipping shortens the change; the multiple is found by bisection, image by image.
    """
    low, high = torch.zeros(len(x), 1, 1, 1, device=x.device), torch.ones(len(x), 1, 1, 1, device=x.device)
    if bool((L2(0).norm((x + pattern).clamp(0, 1) - x) < eps).any()):
        raise ValueError(f"no multiple of the pattern changes an image by {eps}: choose a smaller eps")
    for _ in range(rounds):
        middle = (low + high) / 2
        short = (L2(0).norm((x + middle * pattern).clamp(0, 1) - x) < eps).view_as(low)
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return (x + high * pattern).clamp(0, 1)


def accidental_only(data: Dataset, targets: Tensor, clean: Tensor, *, eps: float, seed: int = 0) -> Dataset:
    """The leakage-only control: labels t with the accidental signal that they carry, and no adversarial features.

    targets  (n,) the new labels t
    clean    (n,) images that stay as they are: where t = y (like D_rand), or where an early model sees t (like D_other, D_det)
    eps      l2 length of the class's synthetic pattern, which all other images get
    """
    targets = check_labels(targets, data.images, data.num_classes)
    x = data.pixels.clone()
    marks = patterns(data.num_classes, tuple(x.shape[1:]), seed=seed).to(x.device)
    x[~clean] = add_pattern(x[~clean], marks[targets[~clean]], eps)
    return replace(data, images=x, labels=targets, report={"clean": clean})
