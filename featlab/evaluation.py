"""Measuring: what a model sees, and its accuracy, clean or under an attack, with its interval."""

import torch
from torch import Tensor

from featlab import doors
from featlab.engine import devices, memory, parallel
from featlab.intervals import Accuracy
from featlab.types import Attack, Dataset, Model, check_images, pixels


def predict(model: Model, images: Tensor) -> Tensor:
    """The class of largest logit, image by image: (n, c, h, w) -> (n,).

    A model whose logits are NaN or infinite has none: a ValueError.
    """
    images = check_images(images.images if isinstance(images, Dataset) else images)
    return top_classes(doors.network(model), images.to(devices.device_of(model) or images.device))


def top_classes(network: doors.Logits, images: Tensor) -> Tensor:
    """`predict` of images that were looked at, on the network's device: (n, c, h, w) -> (n,)"""

    def top(x: Tensor) -> Tensor:
        logits = network(pixels(x))
        return logits.argmax(1).where(logits.isfinite().all(1), -1)

    with torch.no_grad():
        thread_safe = doors.thread_safe(network, pixels(images[:2]))
        seen = memory.mapped(top, images, times=2, thread_safe=thread_safe)
    lost = int((seen < 0).sum())
    if lost:
        raise ValueError(
            f"the logits are NaN or infinite for {lost} of {len(seen)} images: has the model "
            "diverged, or does it divide by 0?"
        )
    return seen


def is_right(model: Model, data: Dataset) -> Tensor:
    """Which images the model gets right (n,); refused where it has no logit for a label."""
    network = doors.network(model)
    seen = top_classes(network, data.images)
    doors.check_columns(network.columns, data)
    return seen == data.labels


def accuracy(model: Model, data: Dataset, attack: Attack | None = None) -> Accuracy:
    """The fraction of images that the model gets right, without or under an attack (section 2: the two
    risks).

    Under attack an image counts if it is right as it is and right when attacked: the adversary may leave an
    image alone.

    A targeted attack, labels for which the model has no logit, and logits that are NaN are refused with a
    ValueError.
    """
    doors.check_untargeted(attack)
    data = doors.placed(model, data)
    n, data = len(data), data[parallel.my_share(len(data))]
    right = is_right(model, data)
    if attack is not None and bool(right.any()):
        left = data[right]
        right = predict(model, doors.attacked(attack, model, left.pixels, left.labels)) == left.labels
    return Accuracy(int(parallel.all_sum(right.sum())), n)
