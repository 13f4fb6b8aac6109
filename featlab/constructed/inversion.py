"""Images that a model cannot tell from others: D_R and D_NR (section 3.1, Figure 5)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from featlab import doors
from featlab.attacks import L2, Goal, check_steps, descend, pixel_gradient
from featlab.engine import chunks, devices, freezing, parallel
from featlab.inputs.checks import changed, flag, instance, known, real, whole
from featlab.parts import Construction, Part
from featlab.types import Dataset, Representing, check_images, pixels

STARTS = ("images", "noise")


@dataclass(frozen=True)
class Inversion:
    """How the images of section 3.1 are found: gradient descent on the distance of representations, within
    the box [0, 1]^d.

    Call it: inversion(model, x, start) -> the images that it finds from `start`.

    steps  normalised gradient steps
    step   l2 length of the first step, in pixels of [0, 1]
    decay  let the length fall linearly to 0, which gets close in few steps; the paper has 1000 constant steps
           of 0.1 (CIFAR-10)
    start  where robustify begins: "images" (another image drawn independently) or "noise" (uniform; appendix
           D.1)

    Steps below 0, a step that is not above 0 and finite, and an unknown start are refused with a ValueError.
    """

    steps: int = 30
    step: float = 1.2
    decay: bool = True
    start: str = "images"

    def __post_init__(self) -> None:
        check_steps(self.steps, self.step)
        object.__setattr__(self, "steps", whole(self.steps, "steps"))
        object.__setattr__(self, "step", real(self.step, "step"))
        flag(self.decay, "decay")
        known(self.start, STARTS, "start")

    def __repr__(self) -> str:
        flags = "" if self.decay else ", decay=False"
        flags += "" if self.start == "images" else f", start={self.start!r}"
        return f"Inversion(steps={self.steps}, step={self.step:.12g}{flags})"

    def __call__(self, model: Representing, x: Tensor, start: Tensor) -> Tensor:
        """x, start (n, c, h, w) pixels -> the image found for each x, (n, c, h, w) float pixels in [0, 1]."""
        network, x, start = _enter(model, x, start)
        with torch.no_grad():
            target = check_representation(network.represent(x), len(x))
        return self.descend(Goal(apart, network, target), start)

    def descend(self, goal: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
        """The least of a goal found from `start` (n, c, h, w)."""
        everywhere = L2(float("inf"))
        return descend(goal, start, ball=everywhere, steps=self.steps, step=self.step, decay=self.decay)

    def path(self, model: Representing, x: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """The same with every z on the way: (steps + 1, n, c, h, w), and its distance ||g(z) - g(x)|| /
        ||g(x)||, (steps + 1, n).
        """
        network, x, start = _enter(model, x, start)
        with torch.no_grad():
            target = check_representation(network.represent(x), len(x))
        way, distances = [], []

        def goal(z: Tensor) -> Tensor:
            distance = apart(network, z, target)
            way.append(z.detach())
            distances.append((distance / target.norm(dim=1)).detach())
            return distance

        with torch.no_grad():
            goal(self.descend(goal, start))
        return torch.stack(way), torch.stack(distances)


def _enter(model: object, x: object, start: object) -> tuple[Representing, Tensor, Tensor]:
    """A representing model, frozen, and images of one shape (n, c, h, w) as float pixels; a ValueError if x
    and start differ in shape, a TypeError for a model without a representation.
    """
    network = freezing.frozen(doors.representing(model))
    x, start = pixels(check_images(x)), pixels(check_images(start))
    if start.shape != x.shape:
        shapes = f"{tuple(x.shape)} and {tuple(start.shape)}"
        raise ValueError(f"x and start must be images of one shape, got {shapes}")
    return network, x, start


def apart(network: Representing, z: Tensor, target: Tensor) -> Tensor:
    """|| g(z) - g(x) ||_2 for each image, (n,), from z (n, c, h, w) and the target g(x) (n, d)."""
    return (network.represent(z) - target).norm(dim=1)


def check_representation(g: object, n: int) -> Tensor:
    """What `represent` returned, if it is one row of finite numbers per image, (n, d)."""
    if not isinstance(g, Tensor) or g.ndim != 2 or len(g) != n or not g.shape[1] or g.is_complex():
        got = tuple(g.shape) if isinstance(g, Tensor) else type(g).__name__
        raise ValueError(
            f"represent must give one row of numbers per image, here ({n}, d); it gave {got}: .flatten(1) it"
        )
    if not bool(g.isfinite().all()):
        raise ValueError(
            "the representation is NaN or infinite for some images: has the model diverged, or "
            "does it divide by 0?"
        )
    return g


def check_moved(goal: Goal, begin: Tensor, z: Tensor) -> None:
    """Warn if many images z (n, c, h, w) lie where they began, at a distance, for want of a gradient: they
    are no matches, whatever their labels say.
    """
    _, gradient = pixel_gradient(goal, begin)
    with torch.no_grad():
        dark = ~gradient.flatten(1).any(1) & (z == begin).flatten(1).all(1) & (goal(begin) > 0)
    doors.say_blind("robustify", int(dark.sum()), len(begin))


def check_inversion(inversion: object) -> Inversion:
    """The inversion, if it is one."""
    return instance(inversion, Inversion, "the inversion must be fl.Inversion(steps=..., step=...)")


def beginnings(data: Dataset, start: str, seed: int) -> Tensor:
    """Where the search for each image begins (n, c, h, w): at another image, or at noise."""
    generator = torch.Generator().manual_seed(whole(seed, "seed", least=None))
    if start == "noise":
        return torch.rand(data.images.shape, generator=generator).to(data.device)
    return data.images[torch.randint(len(data), (len(data),), generator=generator).to(data.device)]


def parts_of_robustify(
    model: Representing, data: Dataset, inversion: Inversion = Inversion(), *, seed: int = 0
) -> Construction:
    """The construction behind `robustify`; same arguments."""
    check_inversion(inversion)
    doors.dataset(data)
    doors.representing(model)
    data = data.to(devices.device_of(model) or data.device)
    first, network = beginnings(data, inversion.start, seed), freezing.frozen(model)

    def make(index: Tensor, places: range) -> Part:
        with torch.no_grad():
            # (n, d), computed once
            target = check_representation(network.represent(pixels(data.images[index])), len(index))
        goal, begin = Goal(apart, network, target), pixels(first[index])
        z = inversion.descend(goal, begin)
        with torch.no_grad():
            distance = goal(z) / target.norm(dim=1).clamp_min(1e-12)
        if not places.start and inversion.steps:
            check_moved(goal, begin, z)
        return Part(places.start, z, {"distance": distance, "length": L2.norm(z - begin)})

    size, thread_safe = chunks.chunk(data.device.type), doors.thread_safe(network, pixels(data.images[:2]))
    return Construction(data, data.labels, make, parallel.broadcast(size), thread_safe=thread_safe)


def robustify(
    model: Representing,
    data: Dataset,
    inversion: Inversion = Inversion(),
    *,
    seed: int = 0,
    progress: Callable | None = None,
    **changes: float | bool | str,
) -> Dataset:
    """The images that a model cannot tell from the originals: D_R from a robust model, D_NR from a standard
    one (section 3.1, Figure 5).

        x_R = argmin over z in [0, 1]^d of || g(z) - g(x) ||_2, begun at another image x' ~ D; the label stays
        y, that of x

    The paper assumes that what the model does not use stays that of x', whose label is independent of y. It
    does so in part only: `python -m featlab signal` measures how useful other networks' features become.

    model      a Classifier, whose g is matched
    inversion  how: fl.Inversion(steps=30, step=1.2), and where the search begins; further keywords change its
               fields: robustify(model, data, steps=15, step=1.8)
    seed       draws the beginnings
    progress   shows the work: featlab.widgets.progress in a notebook, featlab.experiments.progress.bar in a
               terminal

    The report holds `distance` ||g(x_R) - g(x)|| / ||g(x)|| and `length` ||x_R - x'||_2.

    A model without a representation is refused with a TypeError, one that gives NaN with a ValueError.
    """
    inversion = changed(check_inversion(inversion), changes)
    return parts_of_robustify(model, data, inversion, seed=seed).whole(progress, "robustify")
