"""The paper's experiments and what they keep: presets, the store of pieces, and what was measured."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_MODULES = [module.name for module in iter_modules(__path__)]


def __getattr__(name: str) -> Any:
    """An experiment, loaded when it is first used."""
    if name in _MODULES:
        return import_module(f"featlab.experiments.{name}")
    raise AttributeError(f"featlab.experiments has no {name!r}; it has {', '.join(_MODULES)}")
