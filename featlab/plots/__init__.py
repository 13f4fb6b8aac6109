"""Numbers or images -> plotly figures. Each names its axes and carries its message without colour too.

`style` and `sliders` are what they share, `images`, `rows` and `charts` are what every chapter draws; the
rest is one file per chapter.
"""

from importlib import import_module
from types import ModuleType

from featlab.plots.charts import bars, curves
from featlab.plots.images import (
    attack_panel,
    attack_steps,
    data_uri,
    image_trace,
    perturbation,
    png,
    strip,
)
from featlab.plots.rows import samples, sliding
from featlab.plots.style import (
    BESIDE,
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALETTE,
    PATTERNS,
    PURPLE,
    RED,
    SKY,
    WIDTH,
    names_of,
)

__all__ = [
    "BESIDE",
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "ORANGE",
    "PALETTE",
    "PATTERNS",
    "PURPLE",
    "RED",
    "SKY",
    "WIDTH",
    "attack_panel",
    "attack_steps",
    "bars",
    "curves",
    "data_uri",
    "image_trace",
    "names_of",
    "perturbation",
    "png",
    "samples",
    "sliding",
    "strip",
]


def __getattr__(name: str) -> ModuleType:
    """The figures of one chapter, loaded when they are first used."""
    if name in ("angles", "debate", "features", "gaussian", "scale", "signal", "theorems", "transfer"):
        return import_module(f"featlab.plots.{name}")
    raise AttributeError(f"featlab.plots has no {name!r}")
