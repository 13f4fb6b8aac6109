"""Robust feature leakage (Goh 2019): how much of D_rand and D_det is explained by robust, linear features alone?

A linear classifier is trained so that its predictions provably do not change within a ball. Its k outputs are robust features, and a
linear model that sees nothing else is trained on D_rand and D_det.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from featlab.attacks import L2, Ball
from featlab.models import Classifier, initialise
from featlab.training import Recipe, train
from featlab.types import Dataset, pixels

SOFT = Recipe(epochs=8, lr=0.02, weight_decay=1e-3)  # a linear model has few directions to learn: small steps do
READ = Recipe(epochs=16, batch=500, lr=0.1, weight_decay=0.0)  # k outputs: near the optimum of a convex problem


def linear(data: Dataset) -> Classifier:
    """A fresh linear classifier of pixels, for the images and classes of a dataset."""
    c, h, w = data.images.shape[1:]
    return Classifier(nn.Flatten(), c * h * w, channels=c, classes=data.num_classes)


def weights(model: Classifier, shape: tuple[int, ...]) -> Tensor:
    """The logits' gradients with respect to pixels: (k, d) for images of `shape` (c, h, w); standardisation is part of the model."""
    scale = (1 / model.std).expand(shape).flatten()  # (d,)
    return model.head.weight.detach() * scale


@dataclass(frozen=True)
class WorstOfLinear:
    """The worst perturbation of a linear classifier in a ball, in closed form: the exact inner maximum of eq. (3), in terms of the margin.

        delta = eps steepest(w_j - w_y) for the class j of greatest (w_j - w_y)'x + b_j - b_y + eps ||w_j - w_y||_*

    An Attack, to be passed to `train`. It ignores the box [0, 1]; what holds without the box holds within.
    """

    ball: Ball

    def __call__(self, model: Classifier, x: Tensor, y: Tensor) -> Tensor:
        """x (n, c, h, w), y (n,) -> x + delta"""
        w, x = weights(model, x.shape[1:]), pixels(x)
        with torch.no_grad():
            logits = model(x)
        apart = w[None] - w[y][:, None]  # (n, k, d): towards each class from the label's
        reach = self.ball.eps * (self.ball.steepest(apart.flatten(0, 1)).view_as(apart) * apart).sum(2)  # eps ||w_j - w_y||_*
        lead = logits - logits.gather(1, y[:, None]) + reach
        j = lead.scatter(1, y[:, None], -torch.inf).argmax(1)
        return x + self.ball.eps * self.ball.steepest(apart[torch.arange(len(y)), j]).view_as(x)


def robust_linear(data: Dataset, eps: float, *, seed: int = 0, recipe: Recipe = SOFT) -> Classifier:
    """A linear classifier trained against the exact worst perturbation of l2 length eps; eps = 0 gives an ordinary one."""
    attack = WorstOfLinear(L2(eps)) if eps else None
    return train(linear(data), data, attack=attack, seed=seed, recipe=recipe)


@torch.no_grad()
def certified_radius(model: Classifier, images: Tensor) -> Tensor:
    """The l2 radius within which a linear classifier's prediction provably does not change: (n, c, h, w) -> (n,).

    min over j of (logit_i - logit_j) / ||w_i - w_j||_2, where i is the prediction
    """
    w, logits = weights(model, images.shape[1:]), model(pixels(images))
    top, i = logits.max(1)
    distance = (top[:, None] - logits) / torch.cdist(w, w, compute_mode="donot_use_mm_for_euclid_dist")[i].clamp_min(1e-12)
    return distance.scatter(1, i[:, None], torch.inf).amin(1)


def certified_share(model: Classifier, images: Tensor, eps: float) -> float:
    """The share of images whose prediction is constant in the l2 ball of radius eps: Goh asks for 80 % of the test images."""
    return (certified_radius(model, images) > eps).float().mean().item()


def on_features(robust: Classifier, data: Dataset, *, seed: int = 0, recipe: Recipe = READ) -> Classifier:
    """A linear model trained on `data` that sees an image only through the k outputs of another linear classifier.

    The outputs are fixed; a batch-norm without parameters brings them to one scale.
    """
    shape, k = data.images.shape[1:], robust.classes
    outputs = nn.Linear(shape.numel(), k, bias=False).requires_grad_(False)
    outputs.weight.copy_(weights(robust, shape))
    model = Classifier(nn.Sequential(nn.Flatten(), outputs, nn.BatchNorm1d(k, affine=False)), k, channels=shape[0], classes=k)
    initialise(model.head, seed)
    model.trained.fill_(True)  # its first layers are the features: nothing to draw or to standardise
    return train(model, data, seed=seed, recipe=recipe)
