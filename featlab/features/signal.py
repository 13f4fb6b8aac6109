"""How much a set of images says about its labels through given features: equations (4), (7) and (8).

Section 3 states what its sets do to features: D_R keeps the usefulness of those that the robust model uses
(4); in D_rand only non-robust features are useful (7); in D_det robust ones point to the wrong class (8). All
are the usefulness of section 2, standardised under D and measured under another set.
"""

import torch

from featlab.doors import dataset
from featlab.features.definitions import Standardised
from featlab.features.measuring import Feature, class_weights, values
from featlab.inputs.checks import instance
from featlab.intervals import Mean
from featlab.types import Dataset


def _weights(data: Dataset, c: int) -> tuple[torch.Tensor, torch.Tensor]:
    """y = +1 for class c and -1 for the rest (n,), and what each image counts for (n,), halves balanced."""
    y = torch.where(dataset(data).labels == c, 1.0, -1.0)
    if bool((y == y[0]).all()):
        raise ValueError(f"class {c} must be among the labels of these {len(y)} images, and others too")
    return y, class_weights(y, True)


def standardise_classes(feature: Feature, data: Dataset) -> Standardised:
    """Features, one a class, each with mean 0 and variance 1 under D, where its class counts for a half.

    feature  images (n, c, h, w) -> (n, k) for k classes, such as the logits of a network

    Features of another number than the classes, and constant ones, are refused with a ValueError.
    """
    f = values(feature, dataset(data).pixels)
    if f.shape[1] != data.num_classes:
        raise ValueError(
            f"there must be one feature for each of {data.num_classes} classes, got {f.shape[1]}"
        )
    columns = [(_weights(data, c)[1], f[:, c]) for c in range(f.shape[1])]
    mean = torch.stack([(w * column).sum() for w, column in columns])
    std = torch.stack([(w * (v - m).square()).sum().sqrt() for (w, v), m in zip(columns, mean, strict=True)])
    if bool((std <= 1e-6 * f.abs().amax(0)).any()):
        raise ValueError("a feature is the same for all images, so it cannot be standardised: leave it out")
    return Standardised(feature, mean, std)


def signal(features: Standardised, data: Dataset) -> Mean:
    """How useful features are for the labels of a set, on average over the classes:

        1/k sum over c of E [ y_c f_c(x) ],   y_c = +1 for class c and -1 for the rest, each half the weight

    features  as `standardise_classes` made them, under D
    data      any set with the classes of D: another set's images, or wrong labels

    1 would be a feature that is its label; 0 says nothing; below 0 it points to other classes. Features that
    are not standardised are refused with a TypeError, data that lack a class with a ValueError.
    """
    instance(features, Standardised, "features must be standardised under D: standardise_classes(f, D)")
    f = values(features, dataset(data).pixels)
    value, shares = 0.0, torch.zeros(len(f), dtype=torch.float64, device=f.device)
    for c in range(f.shape[1]):
        y, w = _weights(data, c)
        terms = y * f[:, c]
        rho = (w * terms).sum()
        value += rho.item() / f.shape[1]
        shares += w * (terms - rho) / f.shape[1]
    return Mean(value, shares)
