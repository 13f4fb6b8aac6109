"""Gradients that lead nowhere: 0, NaN or infinite, said where an attack could not work."""

from collections.abc import Callable

import torch
from torch import Tensor

from featlab.inputs.checks import warn
from featlab.types import Attack

LOST = 0.1  # of the images: on so many a gradient may be NaN or infinite before that is an error
# of the images: on so many a gradient may be 0 before that is said. Of 500 test images it is 0 on none for
# the released networks (standard, robust, teacher, students, the architectures of figure 3), under L2(0.5) as
# under Linf(8/255). With the standard one's logits times 10, 30 and 100 it is 0 on 4, 64 and 83 %, and the
# accuracy under L2(0.5) rises from 34 to 38, 64 and 83 %
BLIND = 0.02


def blindness(gradient: Tensor) -> Tensor:
    """0 for an image with a gradient to follow, 1 where it is 0,
    2 where it is NaN or infinite: (n, c, h, w) -> (n,).
    """
    flat = gradient.flatten(1)
    return (~flat.any(1)).long().masked_fill(~flat.isfinite().all(1), 2)


def settled(attack: Attack, z: Tensor, x: Tensor, still: Tensor, blind: Callable[[Tensor], Tensor]) -> Tensor:
    """What an attack found, z (n, c, h, w), with what it could not work on said: never an image of NaN, never
    silence.

    still  (n,) bool, images that no step moved
    blind  indices -> the `blindness` of these images
    """
    lost, n = ~z.flatten(1).isfinite().all(1), len(z)
    if not bool((lost | still).any()):
        return z
    index = (still & ~lost).nonzero()[:, 0]
    codes = blind(index) if len(index) else index
    nan, dark = int(lost.sum() + (codes == 2).sum()), int((codes == 1).sum())
    if nan:
        said = (
            f"the gradient with respect to the pixels is NaN or infinite on {nan} of {n} images under "
            f"{attack}"
        )
        if nan > LOST * n:
            raise ValueError(
                f"{said}: look for sqrt, log, norm or a division at 0 in the model, and add a "
                "small number there"
            )
        warn(f"{said}, which it leaves as they are")
    say_blind(attack, dark, n)
    return torch.where(lost.view(-1, *[1] * (z.ndim - 1)), x.to(z.dtype), z)


def say_blind(attack: Attack | str, dark: int, n: int) -> None:
    """Warn if an attack has no gradient to follow on more than BLIND of n images."""
    if dark > BLIND * n:
        warn(
            f"the gradient with respect to the pixels is 0 on {dark} of {n} images, so {attack} "
            "cannot move them, and an accuracy "
            "under it is not robustness: does the model round, compare or detach inside, is it "
            "constant, or are its logits in the "
            "hundreds, where softmax saturates? fl.doubt(model, data, attack) looks closer"
        )
