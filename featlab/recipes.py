"""How to train, as a value: the recipe of SGD, and augmentation as tensor operations."""

import math
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab.inputs.checks import between, instance, known, real, whole

SCHEDULES = ("one-cycle", "step", "constant")


@dataclass(frozen=True, repr=False)
class Recipe:
    """How to train: SGD with momentum on the cross-entropy.

    epochs, batch  passes over the data; images a step
    lr             the highest learning rate
    schedule       "one-cycle": up for a fifth of the steps, then down to 0, linearly; "step": a tenth after
                   1/3 and 2/3; "constant"
    momentum, weight_decay
    augment        pixels of padding for random crops, with random horizontal flips; 0 for neither
    average        decay a step of an exponential average of the weights, which the model holds at the end; 0
                   for none
    colour, turn   further augmentation, the authors': brightness, contrast and saturation by factors within 1
                   - colour .. 1 + colour, and rotation by up to `turn` degrees

    What is no number, or out of range, is refused with a TypeError or ValueError when it is used.
    """

    epochs: int = 8
    batch: int = 125
    lr: float = 0.3
    schedule: str = "one-cycle"
    momentum: float = 0.9
    weight_decay: float = 3e-3
    augment: int = 0
    average: float = 0.0
    colour: float = 0.0
    turn: float = 0.0

    def __repr__(self) -> str:
        shown = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("colour", "turn") or getattr(self, f.name)
        }
        return f"Recipe({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def __post_init__(self) -> None:
        known(self.schedule, SCHEDULES, "schedule")
        for name in ("epochs", "batch", "augment"):
            object.__setattr__(self, name, whole(getattr(self, name), name, least=None))
        for name in ("lr", "momentum", "weight_decay", "average", "colour", "turn"):
            object.__setattr__(self, name, real(getattr(self, name), name))
        for name in ("epochs", "batch", "momentum", "weight_decay", "augment", "average", "colour", "turn"):
            low = int(name == "batch")
            if not low <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least {low} and finite, got {getattr(self, name)}")
        if not 0 < self.lr < math.inf or self.average >= 1:
            raise ValueError(
                f"lr must be above 0 and average below 1, got lr={self.lr}, average={self.average}"
            )

    def rate(self, done: float) -> float:
        """Learning rate when the fraction `done` of all steps lies behind."""
        done = between(done, "the fraction that is done", 0, 1)
        if self.schedule == "one-cycle":
            return self.lr * min(done / 0.2, (1 - done) / 0.8)
        return self.lr * (0.1 ** int(3 * done) if self.schedule == "step" else 1)

    def seen(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """The images (n, c, h, w) as a training sees them once."""
        x = augmented(x, self.augment, generator) if self.augment else x
        x = coloured(x, self.colour, generator) if self.colour else x
        return turned(x, self.turn, generator) if self.turn else x


def check_recipe(recipe: object) -> Recipe:
    """The recipe, if it is one."""
    return instance(recipe, Recipe, "recipe must be a Recipe, such as fl.Recipe(epochs=2)")


def draws(n: int, amount: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """n numbers (n, 1, 1, 1) uniform in -amount .. amount."""
    return (amount * (2 * torch.rand(n, 1, 1, 1, generator=generator, device=generator.device) - 1)).to(
        device
    )


def coloured(x: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation, in this order, each by a factor of its
    own for each image: (n, c, h, w) -> the same.
    """
    brightness, contrast, saturation = (1 + draws(len(x), amount, generator, x.device) for _ in range(3))
    x = (x * brightness).clamp(0, 1)
    mean = grey(x).mean((2, 3), keepdim=True)
    x = (mean + contrast * (x - mean)).clamp(0, 1)
    flat = grey(x)
    return (flat + saturation * (x - flat)).clamp(0, 1)


def grey(x: Tensor) -> Tensor:
    """Images without colour: (n, c, h, w) -> (n, 1, h, w).

    The weights are numbers, for a tensor of them would make a GPU wait.
    """
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    red, green, blue = x.split(1, dim=1)
    return 0.2989 * red + 0.587 * green + 0.114 * blue


def turned(x: Tensor, degrees: float, generator: torch.Generator) -> Tensor:
    """Each image turned about its centre by up to so many degrees, the nearest pixel taken, black outside:
    (n, c, h, w) -> the same.
    """
    angle = draws(len(x), degrees, generator, x.device).view(-1) * math.pi / 180
    stretch, zero = x.shape[-2] / x.shape[-1], torch.zeros_like(angle)
    rows = (angle.cos(), -angle.sin() * stretch, zero), (angle.sin() / stretch, angle.cos(), zero)
    grid = F.affine_grid(
        torch.stack([torch.stack(row, 1) for row in rows], 1), list(x.shape), align_corners=False
    )
    return F.grid_sample(x, grid, mode="nearest", padding_mode="zeros", align_corners=False)


def augmented(x: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Random crops after zero padding and random horizontal flips, image by image,
    as tensor operations: (n, c, h, w) -> the same.
    """
    n, _, h, w = x.shape
    rows, columns, flip = (
        torch.randint(high, (n, 1), generator=generator, device=generator.device).to(x.device)
        for high in (2 * padding + 1, 2 * padding + 1, 2)
    )
    i = rows + torch.arange(h, device=x.device)  # (n, h)
    j = torch.arange(w, device=x.device)
    j = columns + torch.where(flip.bool(), j.flip(0), j)  # (n, w)
    padded = F.pad(x, (padding,) * 4)
    return padded[torch.arange(n, device=x.device)[:, None, None], :, i[:, :, None], j[:, None, :]].permute(
        0, 3, 1, 2
    )
