"""What a model answers to the reader's images: looked at before it is explored, and put into words."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from featlab.doors import dataset
from featlab.engine import freezing
from featlab.inputs.checks import function
from featlab.inputs.markup import escaped
from featlab.plots import names_of
from featlab.types import Dataset


def answer(model: Callable, data: Dataset, name: str = "the model") -> Tensor:
    """The logits (k,) that a model gives for the first image.

    Raises ValueError or TypeError, in words, if it cannot be explored on these images.
    """
    function(model, name, "images")
    shape = tuple(dataset(data).images.shape[1:])
    try:
        with torch.no_grad():
            logits = freezing.frozen(model)(data[0].pixels)
    except Exception as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(
            f"{name} cannot take these images, {shape} float32 pixels in [0, 1]: {line}"
        ) from error
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        got = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise TypeError(
            f"{name} must give logits of shape (n, classes), but gives {got}: wrap it in a "
            "function that returns them"
        )
    return logits[0]


def classes_of(model: Callable, data: Dataset, name: str = "the model") -> list[str]:
    """The names of all classes that a model tells apart; those that the data do not name are numbers."""
    names, count = names_of(data), len(answer(model, data, name))
    if count < max(2, len(names)):
        raise ValueError(
            f"{name} tells {count} classes apart, these images have {len(names)}: it needs at "
            "least two, and one for each"
        )
    return [*names, *(str(i) for i in range(len(names), count))]


def check_finite(model: Callable, data: Dataset, name: str = "the model") -> None:
    """Refuse a model that gives NaN or infinity, of which argmax makes a class like any other."""
    if not answer(model, data, name).isfinite().all():
        raise ValueError(
            f"{name} gives logits that are not finite for the first image: its training diverged, "
            "train it again"
        )


def check_represents(model: Callable, name: str = "the model") -> None:
    """Refuse a model without a representation to compare."""
    if not hasattr(model, "represent"):
        raise TypeError(
            f"representations are compared, so {name} needs a method represent(x): use a featlab Classifier"
        )


def belief(p: Tensor, names: Sequence[str], label: int) -> str:
    """What the model says of an image of class `label`, from its probabilities (k,), as markup."""
    if not p.isfinite().all():
        return (
            "The model says <b>nothing</b>: its probabilities are not finite. Look for NaN among its weights."
        )
    top = int(p.argmax())
    kind = "right" if top == label else "fooled"
    return f"The model says <b>{escaped(names[top])}</b> with {100 * p[top]:.0f} %: {kind}."
