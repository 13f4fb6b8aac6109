"""What an experiment makes, piece by piece: for the bar, the deadline, and what an unfinished run leaves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Piece:
    """One thing that an experiment makes, once.

    name    what the bar, the log and the store say
    passes  of images through the network, forward or backward, that making it takes: for cost, bar, deadline
    make    loads it, or makes it, after what it needs
    """

    name: str
    passes: float
    make: Callable[[], object]


def lab_of(one: Any) -> Any:
    """The lab of a run, or the lab's preset of a preset: itself, where it stands on nothing else."""
    return getattr(one, "lab", one)


def with_data(preset: Any, data: str | None) -> Any:
    """The preset on other data, if any is named."""
    if data is None:
        return preset
    if hasattr(preset, "lab"):
        return replace(preset, lab=with_data(preset.lab, data))
    return replace(preset, data=data)
