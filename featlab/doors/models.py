"""Models where they enter: float logits (n, k), or a sentence on what else they give."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from featlab.doors.data import exact, greatest
from featlab.engine import chunks, devices, freezing, memory
from featlab.inputs.bitmaps import bounds, check_range
from featlab.inputs.checks import called, logits_of
from featlab.types import Dataset, Model, Representing, check_classes, formed, label_numbers


class Logits:
    """A network, or a function, that gives float logits (n, k) or a sentence on what else it did; all else is
    the network's.

    most     the greatest label that it will be asked about
    columns  k, once it was called
    """

    def __init__(self, network: Model, most: int = 0):
        self.network, self.most, self.columns = network, most, 0
        self.shape: tuple[int, int] | None = None
        self.weights: dict[tuple, float] = {}

    def __call__(self, x: Tensor) -> Tensor:
        output = asked(self.run, x.clone())  # it may work in place
        if (
            self.shape
            and type(output) is Tensor
            and output.dtype == torch.float32
            and output.shape == self.shape
        ):
            return output  # as the one before, which was looked at
        logits = logits_of(output, len(x))
        self.shape = (len(x), logits.shape[1])
        if self.columns not in (0, logits.shape[1]):
            raise ValueError(
                f"a model must have one number of logits; this one has {self.columns} or "
                f"{logits.shape[1]}, as images come"
            )
        self.columns = logits.shape[1]
        if self.columns <= self.most:
            raise ValueError(
                f"labels must lie in 0..{self.columns - 1}: the model has {self.columns} logits; "
                f"these reach {self.most}"
            )
        return logits

    def run(self, x: Tensor) -> object:
        """The network's own output for images (n, c, h, w); what is no Frozen, which looks itself, is weighed
        so that it fits into memory. TypeError if it cannot be called with images.
        """
        run = partial(called, "a model", "images", self.network)
        return run(x) if isinstance(self.network, freezing.Frozen) else chunks.weighed(run, x, self.weights)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.network, name)


def asked(model: Callable[[Tensor], object], x: Tensor) -> object:
    """model(x) for images x (n, c, h, w); what torch says against them is a RuntimeError in a sentence."""
    try:
        return model(x)
    except RuntimeError as error:
        if memory.ran_out(error):
            raise
        said = str(error) or type(error).__name__
        raise RuntimeError(
            f"the model cannot take images {tuple(x.shape)} of {x.dtype} on {x.device}: {said}"
        ) from error


def network(model: Model, most: int = 0) -> Logits:
    """A model as attacks and measurements use it: pixels (n, c, h, w) -> logits (n, k),
    without gradients of parameters.
    """
    return Logits(freezing.frozen(model), most)


def thread_safe(network: object, x: Tensor) -> bool:
    """Whether several workers may run a `network`, or a frozen one, at once on images (n, c, h, w) like
    these.
    """
    inner = network.network if isinstance(network, Logits) else network
    return isinstance(inner, freezing.Frozen) and inner.thread_safe(x)


def representing(model: Any) -> Representing:
    """`model` if it has a representation to match, g(x), as a featlab Classifier has."""
    if not hasattr(model, "represent"):
        kind = type(model).__name__
        raise TypeError(
            f"the model needs a method represent(x), and {kind} has none: "
            "fl.Classifier(body, width, channels=1, classes=10) has it, where `body` is your network up to "
            "its last layer, with `width` outputs; or give your network such a method"
        )
    return model


def enter(model: Model, images: Tensor, labels: Tensor) -> tuple[Logits, Tensor, Tensor]:
    """Model, images and labels, fit for each other: the network, float pixels (n, c, h, w) on its device,
    int64 labels (n,) from 0.
    """
    images, classes = formed(images), getattr(model, "classes", 0)
    images = images.to(devices.device_of(model) or images.device)
    y = label_numbers(labels, images, classes)
    low, high, least, most = bounds(images, y)
    images = check_range(images, low, high)
    check_classes(y, least, most, classes)
    return network(model, greatest(least, most)), exact(images), y


def check_trainable(model: nn.Module) -> None:
    """Refuse what has nothing to train."""
    if not isinstance(model, nn.Module):
        way = "the model stands first, as in" if isinstance(model, Dataset) else "for example"
        raise TypeError(
            f"only a torch.nn.Module can be trained, got {type(model).__name__}: {way} "
            "fl.train(fl.cnn(), data)"
        )
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(
            "no parameter of the model can be trained: call model.requires_grad_(True), or "
            "choose a model that has some"
        )
