"""Just bugs, too (Nakkiran 2019): data whose every useful feature is robust, and models that have adversarial
examples all the same.

"Adversarial squares" in this lab's own version. What makes the examples is a finite sample and noise in the
labels; either one alone is the control.
"""

import torch

from featlab.inputs.checks import between, whole
from featlab.models import Classifier, cnn
from featlab.training import Recipe, train
from featlab.types import Dataset

# pixels of a side; how far the square lies from mid-grey; half the range of a pixel's noise
SIZE, CONTRAST, BLUR = (12, 0.2, 0.25)


def squares(n: int, *, label_noise: float = 0.0, seed: int = 0) -> Dataset:
    """n grey images of independent noise with a square in the middle, dark (class 0) or light (class 1); a
    share of the labels is wrong.

    In the linf ball of radius eps < CONTRAST every useful feature a'x is robustly useful, unless it is mixed
    with useless pixels: the two classes lie 2 CONTRAST apart in each pixel of the square, and an adversary
    moves each by less than half of that.

    label_noise  the probability that an image's label is the other one
    """
    n, label_noise = whole(n, "n", least=1), between(label_noise, "label_noise", 0, 1)
    generator = torch.Generator().manual_seed(whole(seed, "seed", least=None))
    labels = torch.arange(n) % 2
    images = 0.5 + BLUR * (2 * torch.rand(n, 1, SIZE, SIZE, generator=generator) - 1)
    inside = slice(SIZE // 4, 3 * SIZE // 4)
    images[:, :, inside, inside] += CONTRAST * (2 * labels.float() - 1).view(-1, 1, 1, 1)
    flipped = torch.rand(n, generator=generator) < label_noise
    return Dataset(images, torch.where(flipped, 1 - labels, labels), ("dark", "light"))


def fitted(n: int, *, label_noise: float, passes: int, seed: int = 0) -> Classifier:
    """A network trained on n squares for `passes` images in all: the more samples,
    the less often it sees each.
    """
    n, passes = whole(n, "n", least=1), whole(passes, "passes", least=1)
    model = cnn(classes=2, size=SIZE, width=16)
    recipe = Recipe(epochs=max(1, passes // n), batch=50, lr=0.1, weight_decay=0.0)
    return train(model, squares(n, label_noise=label_noise, seed=seed + 1), seed=seed, recipe=recipe)
