"""featlab: run the paper "Adversarial Examples Are Not Bugs, They Are Features" (Ilyas et al., NeurIPS 2019).

The public names in the order of the paper; each is loaded from its room when first used, so that importing featlab costs nothing.
"""

from importlib import import_module
from pkgutil import iter_modules

_ROOMS = {
    "types": ["Dataset", "Attack"],
    "data": ["load"],
    "models": ["Classifier", "cnn", "resnet18", "resnet50"],
    "attacks": ["L2", "Linf", "PGD", "descend"],  # section 2: Delta(x)
    "features": ["usefulness", "robust_usefulness", "standardise"],  # section 2: rho, gamma
    "training": ["Training", "Recipe", "train", "accuracy", "predict"],  # eq. (3)
    "constructed": ["robustify", "mislabel", "random_labels", "other_labels", "next_labels"],  # sections 3.1 and 3.2
    "transfer": ["craft", "Selective"],  # section 3.3
    "results": ["Store"],
    "reproduce": ["Lab"],
    "health": ["setup", "doctor"],
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = [name for _, name, _ in iter_modules(__path__) if not name.startswith("_")]
__all__ = list(_HOME)
__version__ = "0.2.0"


def __getattr__(name: str):
    if name in _HOME:
        return getattr(import_module(f"featlab.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"featlab.{name}")
    raise AttributeError(f"featlab has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_MODULES])
