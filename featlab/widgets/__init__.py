"""Live pictures: the only room that knows ipywidgets. Each has a static twin that works without a kernel.

`live` is the base that they share, `knobs`, `pictures` and `sliders` are what they are made of, and `answers`
looks at the models that readers bring. The rest is one file per chapter, loaded when it is first used.
"""

from importlib import import_module
from typing import Any

_CHAPTERS = {
    "live": ["Live"],
    "predict": ["Predict"],
    "training": ["watch", "progress"],
    "attack": ["AttackExplorer"],
    "beside": ["SideBySide"],
    "features": ["SpectrumExplorer", "Containment"],
    "gaussian": ["TwoGaussians", "GradientAngles"],
    "inversion": ["InversionExplorer"],
    "mislabel": ["PushExplorer"],
    "transfer": ["TransferExplorer"],
    "debate": ["FeatureExplorer"],
    "scale": ["CostExplorer"],
}
_HOME = {name: chapter for chapter, names in _CHAPTERS.items() for name in names}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"featlab.widgets.{_HOME[name]}"), name)
    if name in _CHAPTERS:
        return import_module(f"featlab.widgets.{name}")
    raise AttributeError(f"featlab.widgets has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_CHAPTERS])
