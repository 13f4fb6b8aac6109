"""Learning from wrong labels (Wallace 2019), and the control that follows:
labels' accidental signal without adversarial features.
"""

from dataclasses import replace

import torch
from torch import Tensor

from featlab.attacks import L2
from featlab.doors import classes_in, dataset
from featlab.inputs.checks import between, instance, whole
from featlab.training import predict
from featlab.types import Dataset, Model, check_labels


def errors_of(model: Model, data: Dataset) -> Dataset:
    """Only the images that a model gets wrong, unmodified,
    each with the model's wrong label (Wallace 2019).
    """
    seen = predict(model, dataset(data).images)
    wrong = seen != data.labels
    if not bool(wrong.any()):
        raise ValueError(
            "the model makes no errors on these images: take a model that was trained more briefly"
        )
    return replace(data[wrong], labels=seen[wrong])


def labelled_by(model: Model, data: Dataset, classes: tuple[str, ...]) -> Dataset:
    """Images of any kind with the labels that a model of other classes gives them (Wallace 2019:
    Fashion-MNIST labelled by digits).

    classes  names of the model's classes, which the labels now mean
    """
    seen, known = predict(model, dataset(data).images), getattr(model, "classes", 0)
    if classes and known > len(classes):
        raise ValueError(f"the model has {known} classes, but {len(classes)} are named, {classes}: name all")
    return replace(data, labels=seen, classes=classes)


def only(data: Dataset, chosen: tuple[int, ...]) -> Dataset:
    """The images of the chosen classes, numbered anew from 0 in the order given."""
    numbers = classes_in(data, chosen)
    places = torch.stack([data.labels == c for c in numbers])  # (chosen, n)
    names = tuple(data.classes[c] for c in numbers) if data.classes else ()
    return replace(data, labels=places.long().argmax(0), classes=names)[places.any(0)]


def patterns(classes: int, shape: tuple[int, ...], *, seed: int = 0) -> Tensor:
    """One fixed synthetic pattern a class, +1 or -1 at each pixel by lot: (classes, c, h, w).

    They know nothing about any image.
    """
    classes = whole(classes, "classes", least=1)
    instance(shape, tuple, "the shape of the patterns must be a tuple (c, h, w)")
    generator = torch.Generator().manual_seed(whole(seed, "seed", least=None))
    return 2.0 * torch.randint(2, (classes, *shape), generator=generator) - 1


def add_pattern(x: Tensor, pattern: Tensor, eps: float, *, rounds: int = 60) -> Tensor:
    """x plus a multiple of its pattern, clipped to [0, 1], such that the change has l2 length eps, in
    pixels of [0, 1], exactly: (n, c, h, w) -> the same.

    Clipping shortens the change; the multiple is found by bisection, image by image.
    """
    eps = between(eps, "eps", 0)
    low, high = torch.zeros(len(x), 1, 1, 1, device=x.device), torch.ones(len(x), 1, 1, 1, device=x.device)
    if bool((L2.norm((x + pattern).clamp(0, 1) - x) < eps).any()):
        raise ValueError(f"no multiple of the pattern changes an image by {eps}: choose a smaller eps")
    for _ in range(rounds):
        middle = (low + high) / 2
        short = (L2.norm((x + middle * pattern).clamp(0, 1) - x) < eps).view_as(low)
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return (x + high * pattern).clamp(0, 1)


def accidental_only(data: Dataset, targets: Tensor, clean: Tensor, *, eps: float, seed: int = 0) -> Dataset:
    """The leakage-only control: labels t with the accidental signal that they carry, and no adversarial
    features.

    targets  (n,) the new labels t
    clean    (n,) images that stay as they are: where t = y (like D_rand), or where an early model sees t
             (like D_other, D_det)
    eps      l2 length, in pixels of [0, 1], of the class's synthetic pattern, which all other images get
    """
    targets = check_labels(targets, data.images, data.num_classes)
    x = data.pixels.clone()
    marks = patterns(data.num_classes, tuple(x.shape[1:]), seed=seed).to(x.device)
    x[~clean] = add_pattern(x[~clean], marks[targets[~clean]], eps)
    return replace(data, images=x, labels=targets, report={"clean": clean})
