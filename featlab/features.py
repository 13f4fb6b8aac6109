"""Features, as section 2 defines them: useful, robustly useful, non-robust; and the classifier made of them.

A feature is a function of images: pixels (n, c, h, w) in [0, 1] -> (n,) numbers, or (n, k) for k features at once. Its usefulness is
defined with labels y = +1 and -1: `one_against_rest` and `pair` make such data of ten classes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from featlab import engine
from featlab.attacks import L2, Ball, descend, pixel_gradient
from featlab.models import Classifier
from featlab.types import Dataset

Feature = Callable[[Tensor], Tensor]
KINDS = ("robustly useful", "useful, non-robust", "not useful")


@dataclass(frozen=True)
class Estimate:
    """A mean over n images for each of k features: value (k,) and its standard error (k,). float() takes a single one."""

    value: Tensor
    error: Tensor
    n: int

    @property
    def interval(self) -> tuple[Tensor, Tensor]:
        """95 % interval of the mean over images drawn like these: two tensors (k,)."""
        return self.value - 1.96 * self.error, self.value + 1.96 * self.error

    def __float__(self) -> float:
        if len(self.value) != 1:
            raise TypeError(f"there are {len(self.value)} features here, so not one number: take .value, a tensor")
        return self.value.item()

    def __repr__(self) -> str:
        low, high = self.interval
        each = zip(self.value.tolist(), low.tolist(), high.tolist(), strict=True)
        words = [f"{v:.3f} ({a:.3f} to {b:.3f})" for v, a, b in each]
        return ", ".join(words[:4]) + (f", ... {len(words)} features" if len(words) > 4 else "") + f" from {self.n:,} images"


def one_against_rest(data: Dataset, c: int) -> Dataset:
    """All images, y = +1 for class c and -1 for the others; measure with balanced=True, or rho and gamma are mostly about the others."""
    if not 0 <= c < data.num_classes:
        raise ValueError(f"class {c} does not exist: the dataset has classes 0 to {data.num_classes - 1}")
    return replace(data, labels=torch.where(data.labels == c, 1, -1), classes=())


def pair(data: Dataset, a: int, b: int) -> Dataset:
    """The images of two classes, y = +1 for class a and -1 for class b."""
    part = data[(data.labels == a) | (data.labels == b)]
    return replace(part, labels=torch.where(part.labels == a, 1, -1), classes=())


def signs(data: Dataset) -> Tensor:
    """y as +1.0 and -1.0, shape (n,), from labels -1 / +1 or 0 / 1."""
    found = set(data.labels.unique().tolist())
    if found not in ({-1, 1}, {0, 1}):
        advice = "both are needed" if found <= {-1, 0, 1} else "use one_against_rest(data, c) with balanced=True, or pair(data, a, b)"
        raise ValueError(f"the definitions of section 2 need two classes, labelled -1 and +1 (or 0 and 1); found {sorted(found)}: {advice}")
    return torch.where(data.labels > 0, 1.0, -1.0)


def weights(y: Tensor, balanced: bool) -> Tensor:
    """What each image counts for (n,), summing to 1: all the same, or so that each of the two classes counts for a half."""
    if not balanced:
        return torch.full((len(y),), 1 / len(y), dtype=torch.float64, device=y.device)
    positive = (y > 0).double()
    return 0.5 * (positive / positive.sum() + (1 - positive) / (1 - positive).sum())


def values(feature: Feature, images: Tensor) -> Tensor:
    """The feature of each image: (n, k), in float64; k is 1 for a feature that gives (n,)."""
    with torch.no_grad():
        parts = [_two_axes(feature(x), x) for x in images.split(engine.chunk(images.device.type))]
    return torch.cat(parts).double()


def _two_axes(f: Tensor, x: Tensor) -> Tensor:
    if not isinstance(f, Tensor) or f.ndim not in (1, 2) or len(f) != len(x):
        got = tuple(f.shape) if isinstance(f, Tensor) else type(f).__name__
        raise ValueError(f"a feature must give one number an image, shape ({len(x)},), or k, shape ({len(x)}, k); it gave {got}")
    f = f.view(len(x), -1)
    if not bool(f.isfinite().all()):
        raise ValueError("the feature is NaN or infinite for some images: look for a division by 0 or a logarithm in it")
    return f


@dataclass(frozen=True, eq=False)
class Standardised:
    """A feature with mean 0 and variance 1 under D, as section 2 asks; mean and std (k,) are kept and can be used on other data."""

    feature: Feature
    mean: Tensor
    std: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, k)"""
        f = self.feature(images)
        return (f.view(len(f), -1) - self.mean.to(f.dtype)) / self.std.to(f.dtype)


def standardise(feature: Feature, data: Dataset, *, balanced: bool = False) -> Standardised:
    """The feature minus its mean, divided by its standard deviation, both under D; `balanced` makes both classes of D equally likely."""
    f = values(feature, data.pixels)
    w = weights(signs(data), True)[:, None] if balanced else 1 / len(f)
    mean = (w * f).sum(0)
    std = (w * (f - mean).square()).sum(0).sqrt()
    flat = std <= 1e-6 * f.abs().amax(0)
    if bool(flat.any()):
        which = flat.nonzero().flatten().tolist()
        raise ValueError(
            f"feature {which[:10]} is the same for all {len(f)} images, so it cannot be standardised: leave it out, or take more images"
        )
    return Standardised(feature, mean, std)


def estimate(terms: Tensor, w: Tensor) -> Estimate:
    """The weighted mean of the terms (n, k) and its standard error."""
    mean = (w[:, None] * terms).sum(0)
    return Estimate(mean, (w[:, None] * (terms - mean)).square().sum(0).sqrt(), len(terms))


def usefulness(feature: Feature, data: Dataset, *, balanced: bool = False) -> Estimate:
    """How much a feature is correlated with the label (section 2, eq. 1).

        rho_D(f) = E [ y f(x) ]

    feature   images -> (n,) or (n, k); it is standardised under `data` first, unless it is Standardised already
    data      labels -1 / +1 or 0 / 1
    balanced  let both classes count for a half, in the mean and in the standardisation

    rho lies between -1 and 1; below 0, it is -f that is useful.
    """
    y = signs(data)
    f = feature if isinstance(feature, Standardised) else standardise(feature, data, balanced=balanced)
    return estimate(y[:, None] * values(f, data.pixels), weights(y, balanced))


def robust_usefulness(feature: Feature, data: Dataset, ball: Ball, *, steps: int = 20, balanced: bool = False) -> Estimate:
    """How much of the correlation is left when every image is perturbed against it (section 2, eq. 2).

        gamma_D(f) = E [ inf over delta in Delta(x) of y f(x + delta) ]

    ball   Delta, L2(eps) or Linf(eps), eps in pixels of [0, 1]; perturbed images stay in [0, 1]
    steps  of the descent that looks for the infimum; other arguments as for `usefulness`

    The descent may miss the infimum, so this is an upper bound on gamma. It is exact where f is linear and the infimum lies inside the
    box; see `closed_form`. bounds.lower_bound closes the bracket from below. A feature whose gradient is 0 on every image (it rounds, it
    compares) is refused with a ValueError: no descent would move it, and gamma = rho would say nothing.
    """
    if not math.isfinite(ball.eps):
        raise ValueError("gamma over a ball without limit is the least value of the feature over all images: give a finite eps")
    y = signs(data)
    f = feature if isinstance(feature, Standardised) else standardise(feature, data, balanced=balanced)
    k = len(f.std)
    size = max(1, engine.chunk(data.device.type) // k)
    parts = zip(data.pixels.split(size), y.split(size), strict=True)
    terms, moves = zip(*(_least(f, x, sign, ball, steps) for x, sign in parts), strict=True)
    still = (~torch.stack(moves).any(0)).nonzero().flatten().tolist()
    if still and ball.eps and steps:
        raise ValueError(
            f"the gradient of feature {still[0]} is 0 on every image: no descent can lower it, and calling it robust would be wrong. "
            "Does it round or compare? Give a smooth one"
        )
    return estimate(torch.cat(terms).double(), weights(y, balanced))


def _least(f: Standardised, x: Tensor, sign: Tensor, ball: Ball, steps: int) -> tuple[Tensor, Tensor]:
    """The least y f found in the ball around each image (n, k), and which features have a gradient other than 0 on any image (k,).

    All k features are attacked at once, each with its own perturbation.
    """
    n, k = len(x), len(f.std)
    which = torch.arange(k, device=x.device).repeat(n)[:, None]
    x, sign = x.repeat_interleave(k, 0), sign.repeat_interleave(k)

    def goal(z: Tensor) -> Tensor:
        return sign * _two_axes(f(z), z).gather(1, which)[:, 0]

    with torch.no_grad():
        least, moves = goal(x), torch.zeros(n, k, dtype=torch.bool)
    if ball.eps and steps:
        moves = pixel_gradient(goal, x)[1].flatten(1).any(1).view(n, k).cpu()
        z = descend(goal, x, ball=ball, steps=steps, step=2.5 * ball.eps / steps, decay=True, best=True)
        with torch.no_grad():
            least = torch.minimum(least, goal(z))
    return least.view(n, k), moves.any(0)


def kind(rho: float, gamma: float) -> str:
    """What section 2 calls a feature of this usefulness and robust usefulness: one of KINDS."""
    return KINDS[2] if rho <= 0 else KINDS[0] if gamma > 0 else KINDS[1]


# features to look at


@dataclass(frozen=True, eq=False)
class Linear:
    """k features linear in the pixels, f(x) = a . x: directions a (k, c, h, w)."""

    directions: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, k)"""
        return images.flatten(1) @ self.directions.to(images).flatten(1).T


def pixel(row: int, column: int, like: Tensor) -> Linear:
    """The simplest feature: one pixel (of the first channel) of images shaped like `like` (n, c, h, w)."""
    direction = torch.zeros_like(like[:1], dtype=torch.float32)
    direction[0, 0, row, column] = 1
    return Linear(direction)


def principal_components(data: Dataset, k: int) -> Linear:
    """The k directions of unit length along which the images vary most, in decreasing order."""
    x = data.pixels.flatten(1).double()
    _, vectors = torch.linalg.eigh(torch.cov(x.T))
    directions = vectors.flip(1)[:, :k].T.float()
    return Linear(directions.reshape(k, *data.images.shape[1:]))


def closed_form(feature: Linear, data: Dataset, ball: Ball, *, balanced: bool = False) -> Tensor:
    """gamma of linear features exactly (k,), if perturbed images may leave the box [0, 1].

    gamma = rho - eps ||a||_q / s,   1/p + 1/q = 1,   s the standard deviation of a . x under D
    """
    rho, s = usefulness(feature, data, balanced=balanced), standardise(feature, data, balanced=balanced).std
    dual = feature.directions.flatten(1).double().norm(p=2 if isinstance(ball, L2) else 1, dim=1)
    return rho.value - ball.eps * dual / s


def mixture(features: Linear, shares: Tensor, data: Dataset) -> Linear:
    """One linear feature with these shares (k,) of k others, each divided by its standard deviation under D first."""
    s = standardise(features, data).std
    return Linear(torch.einsum("k,k...->...", (shares.double() / s), features.directions.double())[None].float())


class Units:
    """The penultimate units of a network, F_C of section 2, as k features; `index` chooses some of them. Weights as they are now."""

    def __init__(self, model: Classifier, index: Tensor | slice = slice(None)):
        self.network, self.index = engine.frozen(model), index

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> (n, k)"""
        return self.network.represent(images)[:, self.index]


@dataclass(frozen=True, eq=False)
class Composition:
    """C = (F, w, b) of section 2, for several classes: the class with the greatest b_c + sum over f of w_fc f(x).

    features  standardised, k of them
    w         (k, classes); each row has mean 0, since adding a number to a row changes no decision
    b         (classes,)
    """

    features: Standardised
    w: Tensor
    b: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """(n, c, h, w) -> logits (n, classes), up to a number that is the same for all classes of an image."""
        return self.features(images).float() @ self.w + self.b


def compose(model: Classifier, data: Dataset) -> Composition:
    """A network as section 2 sees it: its penultimate units, standardised under `data`, with weights that leave its decisions unchanged."""
    f = Units(model)
    found = values(f, data.pixels)
    mean, std = found.mean(0), found.std(0, correction=0).clamp_min(1e-12)
    w = centred(model)
    b = model.head.bias.detach().double() + mean @ w
    return Composition(Standardised(f, mean, std), (w * std[:, None]).float(), b.float())


def centred(model: Classifier) -> Tensor:
    """The head's weights (k, classes) in float64, each unit's mean over the classes subtracted."""
    w = model.head.weight.detach().double().T
    return w - w.mean(1, keepdim=True)
