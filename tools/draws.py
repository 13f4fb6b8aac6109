"""Inputs of the graded exercises, drawn from a seed: one function for each exercise of the course.

Each takes numpy's generator and gives the arguments of the reader's function, small enough to be written into
a test as literals. `network(seed)` of a Call stands for a network that the assignment's first cell can make.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import featlab as fl

Rng = np.random.Generator


@dataclass(frozen=True)
class Call:
    """An argument that is made by a call in the assignment: its text and its value."""

    text: str
    value: Any


def normal(rng: Rng, *shape: int) -> torch.Tensor:
    """Numbers around 0, (shape), with two decimals."""
    return torch.tensor(rng.normal(size=shape).round(2), dtype=torch.float32)


def uniform(rng: Rng, *shape: int) -> torch.Tensor:
    """Pixels of [0, 1], (shape), with two decimals."""
    return torch.tensor(rng.uniform(size=shape).round(2), dtype=torch.float32)


def whole(rng: Rng, n: int, classes: int) -> torch.Tensor:
    """Labels (n,) from 0 to classes - 1."""
    return torch.tensor(rng.integers(classes, size=n))


def coins(rng: Rng, n: int) -> torch.Tensor:
    """True and False, (n,), the first two True."""
    return torch.tensor([True, True, *(rng.uniform(size=n - 2) < 0.6).tolist()])


def between(rng: Rng, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 2)


def network(seed: int) -> fl.Classifier:
    """A small network with random weights, for 8 x 8 images, as the assignment's first cell makes it."""
    torch.manual_seed(seed)
    return fl.cnn(width=4, size=8)


def breaking_point(rng: Rng) -> tuple:
    radii = sorted({between(rng, 0, 3) for _ in range(4)})
    return radii, (rng.uniform(size=len(radii)) < 0.7).tolist()


def rho_of(rng: Rng) -> tuple:
    signs = torch.tensor([-1, 1, *rng.choice([-1, 1], size=4).tolist()])
    return normal(rng, 6), signs


def fragile_share(rng: Rng) -> tuple:
    rho = rng.uniform(-0.2, 0.8, size=6).round(2)
    return rho, (rho - rng.uniform(0, 0.6, size=6)).round(2), rng.normal(size=6).round(2)


def gamma(rng: Rng) -> tuple:
    half = rng.normal(size=(2, 2)).round(1)
    return (
        rng.normal(size=2).round(2),
        rng.normal(size=2).round(2),
        half @ half.T + np.eye(2),
        between(rng, 0, 2),
    )


def invert(rng: Rng) -> tuple:
    seed = int(rng.integers(1000))
    return Call(f"network({seed})", network(seed)), uniform(rng, 1, 1, 8, 8), uniform(rng, 1, 1, 8, 8)


def transfer_rate(rng: Rng) -> tuple:
    return coins(rng, 6), coins(rng, 6), whole(rng, 6, 3), whole(rng, 6, 3)


def selective(rng: Rng) -> tuple:
    return normal(rng, 3, 4), whole(rng, 3, 4), normal(rng, 3, 4), normal(rng, 3, 4), between(rng, 0.5, 5)


DRAWS: dict[str, dict[str, Callable[[Rng], tuple]]] = {
    "00": {
        "length": lambda rng: (normal(rng, 3, 1, 2, 2),),
        "climb": lambda rng: (uniform(rng, 2, 1, 2, 2), normal(rng, 2, 1, 2, 2), between(rng, 0.1, 1)),
        "breaking_point": breaking_point,
    },
    "01": {
        "rho_of": rho_of,
        "crossing": lambda rng: (between(rng, 0.1, 0.9), normal(rng, 4), between(rng, 0.5, 4)),
        "fragile_share": fragile_share,
    },
    "02": {
        "gamma": gamma,
        "least_vulnerable": lambda rng: (between(rng, 1, 9), int(rng.integers(2, 5))),
        "worst_angle": lambda rng: (rng.uniform(0.5, 9, size=3).round(2), between(rng, 0.1, 5)),
    },
    "03": {
        "distance": lambda rng: (normal(rng, 3, 4), normal(rng, 3, 4)),
        "invert": invert,
        "agreement": lambda rng: (whole(rng, 8, 3), whole(rng, 8, 3)),
    },
    "04": {
        "next_label": lambda rng: (torch.tensor([0, 4, *rng.integers(5, size=4).tolist()]), 5),
        "other_label": lambda rng: (whole(rng, 6, 5), whole(rng, 6, 4), 5),
        "lucky": lambda rng: (whole(rng, 8, 3), whole(rng, 8, 3)),
    },
    "05": {
        "transfer_rate": transfer_rate,
        "fisher": lambda rng: (between(rng, -0.95, 0.95), int(rng.integers(5, 60))),
        "selective": selective,
    },
    "06": {
        "gamma": lambda rng: tuple(between(rng, low, 2) for low in (0, 0, 0.5, 0.5)),
        "above_suspicion": lambda rng: (whole(rng, 8, 3), whole(rng, 8, 3), whole(rng, 8, 3)),
        "lead": lambda rng: (normal(rng, 3, 4), whole(rng, 3, 4)),
    },
    "07": {
        "hours": lambda rng: (
            1e6 * between(rng, 1, 900),
            between(rng, 0.5, 4),
            100 * between(rng, 1, 9),
            0.25,
        ),
        "share": lambda rng: (1e5 * between(rng, 1, 90), 1e9 * between(rng, 1, 4), between(rng, 5, 90), 4e14),
        "calls": lambda rng: (int(rng.integers(9, 400)), int(rng.integers(8, 20)), int(rng.integers(1, 7))),
    },
}
