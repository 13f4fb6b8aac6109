"""The feature spectrum: usefulness rho and robust usefulness gamma of every penultimate unit of a network,
for every class (section 2).

A point is a pair (unit, class): the unit as the network uses it for that class against the rest, with the
sign of its weight. As the radius grows the points fall, from gamma = rho; those that cross 0 are useful,
non-robust features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from featlab import doors
from featlab.attacks import L2, check_reach, descend_outwards
from featlab.doors import dataset
from featlab.engine import chunks, devices
from featlab.features.units import Units, centred
from featlab.inputs.checks import instance, numbers, real
from featlab.models import Classifier
from featlab.parts import Construction, Part
from featlab.types import Dataset, pixels

RADII = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The points of one network.

    radii  (r,)               l2, in pixels of [0, 1], from 0 up
    gamma  (r, units, classes) robust usefulness at each radius, of the unit times the sign of its weight;
           gamma[0] is rho
    error  (r, units, classes) standard errors of gamma
    w      (units, classes)    weights of the standardised units, each unit's mean over the classes subtracted
    """

    radii: np.ndarray
    gamma: np.ndarray
    error: np.ndarray
    w: np.ndarray

    @property
    def rho(self) -> np.ndarray:
        """Usefulness (units, classes)."""
        return self.gamma[0]

    def at(self, eps: float) -> np.ndarray:
        """gamma (units, classes) at any radius, l2 in pixels of [0, 1], up to the last;
        straight lines between the measured ones.
        """
        if not self.radii[0] <= real(eps, "eps") <= self.radii[-1]:
            raise ValueError(
                f"the spectrum was measured for eps from {self.radii[0]:g} to {self.radii[-1]:g}, not {eps:g}"
            )
        i = min(int(np.searchsorted(self.radii, eps, side="right")), len(self.radii) - 1)
        share = (eps - self.radii[i - 1]) / (self.radii[i] - self.radii[i - 1])
        return (1 - share) * self.gamma[i - 1] + share * self.gamma[i]

    def kinds(self, eps: float) -> np.ndarray:
        """Which of features.KINDS each point (units, classes) is: 0 robustly useful, 1 useful but non-robust,
        2 not useful as used. eps in pixels of [0, 1].
        """
        return np.where(self.rho <= 0, 2, np.where(self.at(eps) > 0, 0, 1))

    def shares(self, eps: float) -> np.ndarray:
        """What part of the head's weight, sum of |w|, rests on each of features.KINDS (3,) at an eps, l2 in
        pixels of [0, 1].
        """
        weight, kinds = np.abs(self.w), self.kinds(eps)
        return np.array([weight[kinds == i].sum() for i in range(3)]) / weight.sum()

    def counts(self, eps: float) -> np.ndarray:
        """What part of the points is of each of features.KINDS (3,) at an eps in pixels of [0, 1]."""
        return np.bincount(self.kinds(eps).ravel(), minlength=3) / self.w.size


def parts_of_spectrum(model: Classifier, data: Dataset, radii: Sequence[float] = RADII) -> Construction:
    """The work behind `spectrum`, in parts: beside each image the `least` and the `greatest` value of every
    unit in each ball around it.

    Both are (n, r, units), radii are l2 in pixels of [0, 1]. Every unit has its own perturbations, all
    computed side by side.
    """
    balls = growing_balls(model, data, radii)
    data = data.to(devices.device_of(model) or data.device)
    units, k = Units(model), model.head.in_features

    def make(index: Tensor, places: range) -> Part:
        images = data.images[index]
        least, greatest = extremes(units, pixels(images), balls, k)
        return Part(places.start, images, {"least": least, "greatest": greatest})

    size = max(1, 2 * chunks.chunk(data.device.type) // k)
    thread_safe = doors.thread_safe(units.network, pixels(data.images[:2]))
    return Construction(data, data.labels, make, size, 2 * k, thread_safe=thread_safe)


def growing_balls(model: Classifier, data: Dataset, radii: Sequence[float]) -> list[L2]:
    """The balls of a spectrum, all but that of radius 0; what cannot be measured in them is refused with a
    TypeError or ValueError. Radii are l2, in pixels of [0, 1].
    """
    instance(model, Classifier, "the model must be a featlab Classifier, whose units and head are measured")
    radii = numbers(radii, "radii")
    if list(radii) != sorted(set(radii)) or len(radii) < 2 or radii[0] != 0:
        raise ValueError(f"radii must increase and begin with 0, got {list(radii)}")
    if dataset(data).num_classes < 2 or len(data.labels.unique()) < data.num_classes:
        raise ValueError(
            "the spectrum sets each class against the rest, so the data must hold images of every class"
        )
    balls = [L2(r) for r in radii[1:]]
    check_reach(balls[-1], balls[-1].eps, data.images)
    return balls


def extremes(units: Units, x: Tensor, balls: Sequence[L2], k: int) -> tuple[Tensor, Tensor]:
    """The least and the greatest value of each of k units at x (n, c, h, w) itself and in each ball around
    it: two tensors (n, r, k), found by one descent for f and one for -f.
    """
    n = len(x)
    which = torch.arange(k, device=x.device).repeat(2 * n)[:, None]
    up = torch.tensor([1.0, -1.0], device=x.device).repeat_interleave(k).repeat(n)  # f, then -f, downwards

    def goal(z: Tensor) -> Tensor:
        return up * units(z).gather(1, which)[:, 0]

    found = torch.stack(list(descend_outwards(goal, x.repeat_interleave(2 * k, 0), balls))) * up
    if not bool(found.isfinite().all()):
        raise ValueError(
            "the units or their gradients are NaN or infinite: has the model diverged, or "
            "does it divide by 0?"
        )
    least, greatest = found.view(len(balls) + 1, n, 2, k).permute(2, 1, 0, 3)
    return least.contiguous(), greatest.contiguous()


def spectrum(model: Classifier, data: Dataset, radii: Sequence[float] = RADII) -> Spectrum:
    """Measure rho and gamma of all units, one class against the rest with both counting for a half, under l2
    perturbations.

        gamma = 1/2 ( mean over class c of inf f  -  mean over the rest of sup f ) / s,   f times -1 where its
                                                  weight is negative

    model  a Classifier; thousands of units take long (see models.cnn's `features`)
    data   images with class labels, D
    radii  increasing, beginning with 0, in pixels of [0, 1]

    The infima are found by `attacks.descend_outwards`: one gradient step per radius. Each gamma is an upper
    bound.
    """
    work = parts_of_spectrum(model, data, radii)
    return spectrum_of(work.join(list(work.parts())), model, radii)


def moments(share: Tensor, terms: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (..., units, classes) of terms (..., images, units) in
    which each image has a share (classes, images).
    """
    mean, square = (torch.einsum("cn,...nu->...uc", share, t) for t in (terms, terms**2))
    return mean, (square - mean**2).clamp_min(0)


def spectrum_of(measured: Dataset, model: Classifier, radii: Sequence[float]) -> Spectrum:
    """The spectrum from what `parts_of_spectrum` found, radii in pixels: the formula of `spectrum`."""
    own = torch.nn.functional.one_hot(measured.labels, model.classes).double().T  # (classes, images)
    m, n = own.sum(1), (1 - own).sum(1)  # images of each class, and of the rest
    own, rest = own / m[:, None], (1 - own) / n[:, None]
    # (r, images, units)
    least, greatest = (measured.report[name].double().movedim(1, 0) for name in ("least", "greatest"))
    w = centred(model).to(own.device) * least[0].std(0, correction=0)[:, None]
    s = moments((own + rest) / 2, least[0])[1].sqrt().clamp_min(1e-12)
    (low, a), (high, b) = moments(own, least), moments(rest, greatest)
    (top, c), (bottom, d) = moments(own, greatest), moments(rest, least)
    gamma = torch.where(w >= 0, low - high, bottom - top) / (2 * s)
    error = torch.where(w >= 0, a / m + b / n, c / m + d / n).sqrt() / (2 * s)
    return Spectrum(np.array(radii), gamma.cpu().numpy(), error.cpu().numpy(), w.cpu().numpy())
