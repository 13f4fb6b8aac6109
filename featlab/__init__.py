"""featlab: run the paper "Adversarial Examples Are Not Bugs, They Are Features" (Ilyas et al., NeurIPS 2019).

The house, from the ground up; each room imports from rooms above it in this list only:

    inputs       what readers bring is looked at: numbers, arrays, options, names that become markup
    gaussian     section 4, the two-Gaussian model: numpy and scipy only
    engine       device and precision, chunks that fit, frozen copies of models, processes, files
    balls        L2, Linf
    recipes      how a training goes
    types        Dataset, and what a model, a representation and an attack are
    course       setup, doctor, exercises, words for those who do not see
    doors        brings model, data and attack together, once
    data         load: embedded, downloaded, or a folder of images
    models       Classifier, cnn, further architectures
    attacks      descend, the one loop over pixels, and PGD (section 2)
    intervals    every 95 % in one place: Accuracy, Estimate, Correlation
    evaluation   accuracy, clean and under attack
    parts        work on images in parts that can be interrupted
    training     train, and its steps (equation (3))
    transfer     whom adversarial examples fool as well (section 3.3)
    sanity       doubt: is it robust, or does the attack not work?
    constructed  robustify, mislabel: D_R, D_NR, D_rand, D_other, D_det (sections 3.1, 3.2)
    debate       objections and later findings, one per file
    features     rho and gamma, units, bounds, the feature spectrum (equations (1), (2))
    portable     networks that attack in a browser: gradients in JavaScript, pages that need nothing else
    experiments  presets, the Lab, the Store, and everything that results/ holds
    plots        one file per chapter, on style, images and charts
    widgets      the same, live
    command      python -m featlab
    embedded     the images and networks that come with the package, and what makes them anew

The public names follow in the order of the paper; each is loaded from its room when first used, so that
importing featlab costs nothing.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_ROOMS = {
    "types": ["Dataset", "Attack"],
    "data": ["load"],
    "models": ["Classifier", "cnn", "resnet18", "resnet50"],
    "attacks": ["L2", "Linf", "PGD", "descend"],  # section 2: Delta(x)
    "features": ["usefulness", "robust_usefulness", "standardise"],  # section 2: rho, gamma
    "training": ["Training", "Recipe", "train", "accuracy", "predict"],  # eq. (3)
    "sanity": ["doubt"],  # is it robust, or does the attack not work?
    # sections 3.1 and 3.2
    "constructed": [
        "Inversion",
        "robustify",
        "mislabel",
        "random_labels",
        "other_labels",
        "next_labels",
        "static",
    ],
    "transfer": ["craft", "Selective"],  # section 3.3
    "portable": ["export_page"],  # a network in one file
    "experiments.store": ["Store"],
    "experiments.reports": ["measured"],
    "experiments.lab": ["Lab"],
    "experiments.ledger": ["ledger"],  # every statement, and what was measured of it
    "course.health": ["setup", "doctor"],
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = [name for _, name, _ in iter_modules(__path__) if not name.startswith("_")]
__all__ = list(_HOME)
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"featlab.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"featlab.{name}")
    from featlab.inputs.options import did_you_mean

    meant = did_you_mean(name, [*__all__, *_MODULES])
    raise AttributeError(f"featlab has no {name!r}; it has {', '.join(__all__)}{meant}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_MODULES])
