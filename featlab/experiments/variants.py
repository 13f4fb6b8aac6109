"""Labs that differ in one choice: over one folder, on the same images, under one bar."""

from collections.abc import Iterable, Mapping

from featlab.experiments.lab import Lab
from featlab.experiments.presets import Preset
from featlab.experiments.store import Store


def variants(lab: Lab, presets: Mapping[str, Preset], own: str = "") -> dict[str, Lab]:
    """A lab for each preset, over the folder, the images and the progress of this one.

    Its pieces are called by its name, which says what differs; those of `own` by nothing more.
    """
    found = {}
    for name, preset in presets.items():
        found[name] = Lab(preset, seed=lab.seed, size=lab.size, store=store_of(lab, name, own))
        found[name].data = lab.data  # once in memory
    return found


def store_of(lab: Lab, name: str, own: str) -> Store:
    """The store of a variant: that of the lab, but for the names of pieces."""

    def show(items: Iterable, piece: str, total: int) -> Iterable:
        return lab.store.progress(items, piece_of(piece, name, own), total)

    return Store(lab.store.folder, show, released=lab.store.released)


def piece_of(piece: str, name: str, own: str = "") -> str:
    """What a variant's piece is called."""
    return piece if name == own else f"{piece}, {name}"
