"""What a function of images is on a dataset: its values, checked where they enter,
and means over images with their standard errors.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from featlab.doors import dataset
from featlab.engine import chunks, memory
from featlab.inputs.checks import called, flag
from featlab.intervals import Estimate
from featlab.types import Dataset

Feature = Callable[[Tensor], Tensor]


def estimate(terms: Tensor, w: Tensor) -> Estimate:
    """The weighted mean of the terms (n, k) and its standard error."""
    mean = (w[:, None] * terms).sum(0)
    return Estimate(mean, (w[:, None] * (terms - mean)).square().sum(0).sqrt(), len(terms))


def signs(data: Dataset) -> Tensor:
    """y as +1.0 and -1.0, shape (n,), from labels -1 / +1 or 0 / 1."""
    found = set(dataset(data).labels.unique().tolist())
    if found not in ({-1, 1}, {0, 1}):
        advice = (
            "both are needed"
            if found <= {-1, 0, 1}
            else "use one_against_rest(data, c) with balanced=True, or pair(data, a, b)"
        )
        raise ValueError(
            "the definitions of section 2 need two classes, labelled -1 and +1 (or 0 and 1); "
            f"found {sorted(found)}: {advice}"
        )
    return torch.where(data.labels > 0, 1.0, -1.0)


def class_weights(y: Tensor, balanced: bool) -> Tensor:
    """What each image counts for (n,), summing to 1: all the same,
    or so that each of the two classes counts for a half.
    """
    if not flag(balanced, "balanced"):
        return torch.full((len(y),), 1 / len(y), dtype=torch.float64, device=y.device)
    positive = (y > 0).double()
    return 0.5 * (positive / positive.sum() + (1 - positive) / (1 - positive).sum())


def values(feature: Feature, images: Tensor) -> Tensor:
    """The feature of each image: (n, k), in float64; k is 1 for a feature that gives (n,)."""
    with torch.no_grad():
        return memory.mapped(partial(rows, feature, known={}), images).double()


def rows(feature: Feature, x: Tensor, known: dict) -> Tensor:
    """feature(x) as finite numbers, one row per image (n, k); `known` is what its passes weigh,
    see chunks.weighed.
    """
    f = as_matrix(feature, x, known)
    if not bool(f.isfinite().all()):
        raise ValueError(
            "the feature is NaN or infinite for some images: look for a division by 0 or a logarithm in it"
        )
    return f


def as_matrix(feature: Feature, x: Tensor, known: dict) -> Tensor:
    """feature(x) of shape (n, k); the feature gets a copy, for it may work in place."""
    f = chunks.weighed(partial(called, "a feature", "images", feature), x.clone(), known)
    f = torch.as_tensor(f, device=x.device) if isinstance(f, np.ndarray) else f
    if (
        not isinstance(f, Tensor)
        or f.ndim not in (1, 2)
        or len(f) != len(x)
        or not f.numel()
        or f.is_complex()
    ):
        got = f"{tuple(f.shape)} of {f.dtype}" if isinstance(f, Tensor) else type(f).__name__
        raise ValueError(
            f"a feature must give one number per image, shape ({len(x)},), or k, shape ({len(x)}, "
            f"k); it gave {got}: "
            "sum over the pixels, or .flatten(1) them"
        )
    return f.view(len(x), -1)
