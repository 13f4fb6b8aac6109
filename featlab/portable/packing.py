"""A classifier as javascript/network.mjs computes it: its layers in order, with their numbers in 24 bits.

Batch-norms are folded into the layer before them in float64, then each column of a weight is rounded once,
to integers of 24 bits with one scale: three quarters of float32's bytes, and no less exact than it for the
largest weights of a column. (In float16 the logits move by 0.04 % and the input gradients by up to 1 %.)
"""

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from featlab.inputs.checks import instance
from featlab.models import Classifier

_FINEST = 2**23 - 1
_HELD = "standardise, convolution (ungrouped, undilated), batch-norm, ReLU, ELU, flatten and linear layers"


@dataclass
class Layers:
    """A network as a list of layers, while it is put together.

    shape  of what the last layer gives for one image: (c, h, w), or (d,)
    """

    shape: tuple[int, ...]
    found: list[dict[str, Any]] = field(default_factory=list)

    def add(self, part: nn.Module) -> None:
        """One more layer; a ValueError says which cannot be held."""
        for kind, put in _PUTS.items():
            if isinstance(part, kind):
                return put(self, part)
        raise ValueError(
            f"a page cannot hold a layer {type(part).__name__}: it computes {_HELD}, as those of fl.cnn()"
        )

    def several(self, parts: nn.Sequential) -> None:
        """All layers of a sequence."""
        for part in parts:
            self.add(part)

    def nothing(self, part: nn.Module) -> None:
        """A layer that leaves its input alone: flatten, dropout and identity, in evaluation."""

    def convolution(self, part: nn.Conv2d) -> None:
        """The weight becomes (kernel's pixels * channels in, channels out)."""
        plain = part.groups == 1 and set(part.dilation) == {1} and part.padding_mode == "zeros"
        if not plain or isinstance(part.padding, str):
            raise ValueError(f"a page cannot hold {part}: it computes {_HELD}")
        channels, height, width = self.shape
        weight = part.weight.detach().double().permute(2, 3, 1, 0).reshape(-1, part.out_channels)
        window = {name: list(getattr(part, f"{name}{'_size' * (name == 'kernel')}")) for name in _WINDOW}
        sides = [
            (side + 2 * p - k) // s + 1
            for side, k, s, p in zip((height, width), *window.values(), strict=True)
        ]
        given = {"channels": channels, "height": height, "width": width, "out": part.out_channels, **window}
        self.shape = (part.out_channels, *sides)
        self.found.append({"kind": "convolution", **given, "weight": weight, "bias": _bias(part, weight)})

    def linear(self, part: nn.Linear) -> None:
        """The weight becomes (d, k), with d in the order of channels last."""
        weight = part.weight.detach().double()
        if len(self.shape) == 3:
            weight = weight.view(-1, *self.shape).permute(0, 2, 3, 1).reshape(len(weight), -1)
        self.shape = (part.out_features,)
        self.found.append({"kind": "linear", "weight": weight.T, "bias": _bias(part, weight.T)})

    def norm(self, part: nn.BatchNorm2d | nn.BatchNorm1d) -> None:
        """Folded into the layer before it, which must be linear."""
        last = self.found[-1]
        if "weight" not in last or part.running_mean is None or part.running_var is None:
            raise ValueError("a page holds a batch-norm only right after a convolution or a linear layer")
        scale = (part.running_var.double() + part.eps).rsqrt()
        shift = -part.running_mean.double() * scale
        if part.affine:
            scale, shift = scale * part.weight.detach(), shift * part.weight.detach() + part.bias.detach()
        last["weight"], last["bias"] = last["weight"] * scale, last["bias"] * scale + shift

    def bend(self, part: nn.Module) -> None:
        """ReLU or ELU, number by number."""
        if isinstance(part, nn.ELU) and part.alpha != 1:
            raise ValueError(f"a page cannot hold {part}: its ELU has alpha 1")
        self.found.append({"kind": type(part).__name__.lower(), "places": math.prod(self.shape)})


_WINDOW = ("kernel", "stride", "padding")
_PUTS: dict[Any, Callable[..., None]] = {
    nn.Sequential: Layers.several,
    nn.Conv2d: Layers.convolution,
    nn.Linear: Layers.linear,
    nn.BatchNorm2d | nn.BatchNorm1d: Layers.norm,
    nn.ReLU | nn.ELU: Layers.bend,
    nn.Flatten | nn.Dropout | nn.Identity: Layers.nothing,
}


def _bias(part: nn.Conv2d | nn.Linear, weight: Tensor) -> Tensor:
    return weight.new_zeros(weight.shape[1]) if part.bias is None else part.bias.detach().double()


def packed_layers(model: Classifier, shape: tuple[int, int, int]) -> list[dict[str, Any]]:
    """The layers of a Classifier for images (c, h, w): weights and biases as `Rounded`, (inputs, outputs) and
    (outputs,), everything else as numbers.

    A ValueError names the first layer that a page cannot hold, and numbers that are not finite; a TypeError a
    model of another kind.
    """
    instance(model, Classifier, "a page can hold a featlab Classifier, such as fl.cnn()")
    mean, std = (t.flatten().tolist() for t in (model.mean, model.std))
    first = {"kind": "standardise", "mean": mean, "std": std, "places": math.prod(shape[1:])}
    layers = Layers(shape, [first])
    with torch.no_grad():
        layers.add(model.body)
        layers.add(model.head)
    return [
        {key: rounded(value) if isinstance(value, Tensor) else value for key, value in layer.items()}
        for layer in layers.found
    ]


@dataclass(frozen=True)
class Rounded:
    """Numbers as whole ones of 24 bits, times the scale of their column.

    whole  (inputs, outputs) or (outputs,)
    scale  (outputs,), or (1,) where there is one for all
    """

    whole: np.ndarray
    scale: np.ndarray

    @property
    def numbers(self) -> np.ndarray:
        """What a page computes with, (inputs, outputs) or (outputs,) in float32."""
        return (self.whole * self.scale).astype(np.float32)

    def packed(self) -> dict[str, str]:
        """As json can hold it: three bytes a number, the lowest first, and scales in float64."""
        low = self.whole.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3]
        return {"whole": base64_of(low), "scale": base64_of(self.scale.astype("<f8"))}


def rounded(numbers: Tensor) -> Rounded:
    """Numbers (inputs, outputs) or (outputs,) in float64, each to the nearest of 24 bits."""
    if not numbers.isfinite().all():
        raise ValueError("the model's weights are not finite: its training diverged, train it again")
    values = numbers.cpu().numpy()
    largest = np.abs(values).max(axis=0) if values.ndim == 2 else np.abs(values).max(keepdims=True)
    scale = np.where(largest > 0, largest, 1) / _FINEST
    return Rounded(np.rint(values / scale).astype(np.int64), scale)


def packed(name: str, model: Classifier, shape: tuple[int, int, int]) -> dict[str, Any]:
    """A classifier of images (c, h, w) as json can hold it: network.mjs makes a network of it again."""
    layers = [
        {key: value.packed() if isinstance(value, Rounded) else value for key, value in layer.items()}
        for layer in packed_layers(model, shape)
    ]
    return {"name": name, "shape": list(shape), "classes": model.classes, "layers": layers}


def packed_all(models: Mapping[str, Classifier], shape: tuple[int, int, int]) -> list[dict[str, Any]]:
    """Several classifiers of images (c, h, w), by their names."""
    return [packed(name, model, shape) for name, model in models.items()]


def base64_of(numbers: np.ndarray) -> str:
    """The bytes of numbers, of any shape, in base64."""
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()
