"""Attacks where they enter, and what they return: images like those they got, in [0, 1] and in their ball."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from featlab.doors.data import exact
from featlab.inputs.checks import called, warn
from featlab.types import Attack, Model, pixels

ROUNDING = 1e-5  # by which pixels may miss [0, 1]; they are then clamped
FEW = 10  # images, of which all may come back from an attack as they were without a word
CALL = "model, images, labels"


def check_attack(attack: object) -> None:
    """Refuse what cannot be called as an attack; a ball is the commonest."""
    if not callable(attack) or isinstance(attack, type):
        hint = f"PGD({attack})" if hasattr(attack, "project") else "PGD(L2(0.5))"
        raise TypeError(
            f"an attack is a function of ({CALL}) that returns images, for example {hint}; got {attack!r}"
        )


def check_untargeted(attack: Attack | None) -> None:
    """Refuse what is no attack, and one that takes labels for targets: it would lead towards the truth."""
    if attack is not None:
        check_attack(attack)
    if getattr(attack, "targeted", False):
        raise ValueError(f"{attack} is targeted and would lead towards the true labels: leave targeted out")


def attacked(attack: Attack, model: Model, x: Tensor, y: Tensor, *, first: bool = True) -> Tensor:
    """attack(model, x, y) as float pixels like x (n, c, h, w), for labels or targets y (n,). ValueError or
    TypeError unless it is one finite image in [0, 1] for each, in the ball it promises.

    first  these are the first images that the attack gets: whether it works is seen on them
    """
    found, reach = attempted(attack, model, x, y, first=first)
    refuse(attack, reach)
    ours = getattr(attack, "ball", None) is not None  # which say so themselves
    if len(x) >= FEW and not ours and first and bool((found == x).all()):
        warn(
            f"{attack} returned all {len(x)} images as they were: an accuracy under it says "
            "nothing about robustness"
        )
    return found


def attempted(
    attack: Attack, model: Model, x: Tensor, y: Tensor, *, first: bool = True
) -> tuple[Tensor, Tensor]:
    """attack(model, x, y) as float pixels like x (n, c, h, w), with its `reach` (3,), which `refuse` looks
    at: at once, or later where a GPU would be waited for.

    reach  the least pixel, the greatest, and by how much the farthest image lies outside the ball
    first  else an attack that can leaves out the looks that it had at the first images
    """
    check_attack(attack)
    x = exact(x)
    again = not first and hasattr(type(attack), "unchecked")  # one that only hands on to another has none
    run = getattr(attack, "unchecked", attack) if again else attack
    found = like(attack, called("an attack", CALL, run, model, x.clone(), y.clone()), x)
    low, high = found.aminmax()
    excess = torch.zeros_like(low)
    ball: Any = getattr(attack, "ball", None)
    if callable(getattr(ball, "norm", None)) and math.isfinite(ball.eps):
        slack = 1e-3 * ball.eps + found[0].numel() ** 0.5 * (
            1 / 255 if found.dtype != x.dtype else torch.finfo(x.dtype).eps
        )
        excess = ball.norm(found.to(x.dtype) - x).amax() - ball.eps - slack
    unlimited = getattr(attack, "leaves_the_box", False)
    return found.to(x.dtype) if unlimited else found.to(x.dtype).clamp(0, 1), torch.stack(
        [low, high, excess]
    ).float()


def like(attack: Attack, found: object, x: Tensor) -> Tensor:
    """What an attack returned, as float pixels of the shape and on the device of x (n, c, h, w). TypeError if
    it is no tensor of floats or bytes, ValueError if it has another shape.
    """
    found = torch.as_tensor(found) if isinstance(found, np.ndarray) else found
    if not isinstance(found, Tensor):
        raise TypeError(
            f"an attack must return the changed images as a tensor; {attack} returned a "
            f"{type(found).__name__}"
        )
    if found.shape != x.shape:
        raise ValueError(
            f"an attack must return one image for each it was given, in the same order: {tuple(x.shape)}; "
            f"{attack} returned {tuple(found.shape)}"
        )
    if found.dtype != torch.uint8 and not found.is_floating_point():
        raise TypeError(f"an attack must return float pixels in [0, 1]; {attack} returned {found.dtype}")
    return pixels(found.detach()).to(x.device)


def sound(attack: object, reach: Tensor) -> Tensor:
    """Whether `refuse` would be silent at a reach (3,), as a tensor, a scalar: no GPU is waited for."""
    low, high, excess = reach
    inside = (low >= -ROUNDING) & (high <= 1 + ROUNDING)
    unlimited = getattr(attack, "leaves_the_box", False)
    return (reach.isfinite().all() if unlimited else inside) & (excess <= 0)


def refuse(attack: object, reach: Tensor) -> None:
    """ValueError for what an attack returned, by its reach (3,), if its pixels leave [0, 1], are NaN, or lie
    outside the attack's ball.
    """
    if bool(sound(attack, reach)):
        return
    low, high, excess = reach.tolist()
    if math.isnan(low + high):
        raise ValueError(
            f"{attack} returned images with NaN pixels, not pixels in [0, 1]: "
            "look for a division by 0 in it, or for a gradient that is not finite"
        )
    if excess > 0:
        ball = getattr(attack, "ball", None)
        raise ValueError(
            f"{attack} left its ball {ball}: an image is {excess:.3g} further away than it "
            "promises, so project at the end"
        )
    raise ValueError(
        f"an attack must return pixels in [0, 1]; those of {attack} range over [{low:.3g}, {high:.3g}]: "
        "let it return the changed image (not the change), clamped with .clamp(0, 1)"
    )
