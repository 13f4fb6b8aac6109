"""Robust feature leakage (Goh 2019): how much of D_rand and D_det is explained by robust, linear features
alone?

A linear classifier is trained so that its predictions provably do not change within a ball. Its k outputs are
robust features, and a linear model that sees nothing else is trained on D_rand and D_det.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from featlab.attacks import L2, Ball, check_ball
from featlab.doors import dataset
from featlab.inputs.checks import between, instance
from featlab.models import Classifier, initialise
from featlab.training import Recipe, train
from featlab.types import Dataset, Model, check_images, pixels

LINEAR = "the model must be a linear Classifier, such as leakage.linear(data)"
# a linear model has few directions to learn: small steps do
SOFT = Recipe(epochs=8, lr=0.02, weight_decay=1e-3)
# k outputs: near the optimum of a convex problem
READ = Recipe(epochs=16, batch=500, lr=0.1, weight_decay=0.0)


def linear(data: Dataset) -> Classifier:
    """A fresh linear classifier of pixels, for the images and classes of a dataset."""
    c, h, w = dataset(data).images.shape[1:]
    return Classifier(nn.Flatten(), c * h * w, channels=c, classes=data.num_classes)


def pixel_weights(model: Model, shape: tuple[int, ...]) -> Tensor:
    """The logits' gradients with respect to pixels: (k, d) for images of `shape` (c, h, w);
    standardisation is part of the model.
    """
    model = instance(model, Classifier, LINEAR)
    width, d = model.head.in_features, math.prod(shape)
    if width != d:
        raise ValueError(f"{LINEAR}: images {tuple(shape)} have {d} pixels, its head sees {width} features")
    scale = (1 / model.std).expand(shape).flatten()  # (d,)
    return model.head.weight.detach() * scale


@dataclass(frozen=True)
class WorstOfLinear:
    """The worst perturbation of a linear classifier in a ball, in closed form: that which makes its margin,
    the label's logit minus the greatest other one, least.

    For two classes it is the exact inner maximum of eq. (3). For the cross-entropy of more classes it need
    not be: a point of the ball at which the margin is a little larger can have the greater loss.

        delta = eps steepest(w_j - w_y) for the class j of greatest (w_j - w_y)'x + b_j - b_y + eps ||w_j -
        w_y||_*

    An Attack, to be passed to `train`. It ignores the box [0, 1]; what holds without the box holds within.
    """

    ball: Ball
    leaves_the_box: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_ball(self.ball)

    def __call__(self, model: Model, x: Tensor, y: Tensor) -> Tensor:
        """x (n, c, h, w), y (n,) -> x + delta"""
        w, x = pixel_weights(model, x.shape[1:]), pixels(x)
        with torch.no_grad():
            logits = model(x)
        apart = w[None] - w[y][:, None]  # (n, k, d): towards each class from the label's
        # eps ||w_j - w_y||_*
        reach = self.ball.eps * (self.ball.steepest(apart.flatten(0, 1)).view_as(apart) * apart).sum(2)
        lead = logits - logits.gather(1, y[:, None]) + reach
        j = lead.scatter(1, y[:, None], -torch.inf).argmax(1)
        return x + self.ball.eps * self.ball.steepest(apart[torch.arange(len(y)), j]).view_as(x)


def robust_linear(data: Dataset, eps: float, *, seed: int = 0, recipe: Recipe = SOFT) -> Classifier:
    """A linear classifier trained against the perturbation of l2 length eps, in pixels of [0, 1], that makes
    its margin least; eps = 0 gives an ordinary one.
    """
    attack = WorstOfLinear(L2(eps)) if eps else None
    return train(linear(data), data, attack=attack, seed=seed, recipe=recipe)


@torch.no_grad()
def certified_radius(model: Classifier, images: Tensor) -> Tensor:
    """The l2 radius within which a linear classifier's prediction provably does not change: (n, c, h, w) ->
    (n,).

    min over j of (logit_i - logit_j) / ||w_i - w_j||_2, where i is the prediction
    """
    images = check_images(images)
    w, logits = pixel_weights(model, images.shape[1:]), model(pixels(images))
    top, i = logits.max(1)
    distance = (top[:, None] - logits) / torch.cdist(w, w, compute_mode="donot_use_mm_for_euclid_dist")[
        i
    ].clamp_min(1e-12)
    return distance.scatter(1, i[:, None], torch.inf).amin(1)


def certified_share(model: Classifier, images: Tensor, eps: float) -> float:
    """The share of images (n, c, h, w) whose prediction is constant in the l2 ball of radius eps, in pixels
    of [0, 1]: Goh asks for 80 % of the test images.
    """
    return (certified_radius(model, images) > between(eps, "eps", 0)).float().mean().item()


def on_features(robust: Classifier, data: Dataset, *, seed: int = 0, recipe: Recipe = READ) -> Classifier:
    """A linear model trained on `data` that sees an image only through the k outputs of another linear
    classifier.

    The outputs are fixed; a batch-norm without parameters brings them to one scale.
    """
    shape, k = dataset(data).images.shape[1:], instance(robust, Classifier, LINEAR).classes
    outputs = nn.Linear(shape.numel(), k, bias=False).requires_grad_(False)
    outputs.weight.copy_(pixel_weights(robust, shape))
    model = Classifier(
        nn.Sequential(nn.Flatten(), outputs, nn.BatchNorm1d(k, affine=False)), k, channels=shape[0], classes=k
    )
    initialise(model.head, seed)
    model.trained.fill_(True)  # its first layers are the features: nothing to draw or to standardise
    return train(model, data, seed=seed, recipe=recipe)
