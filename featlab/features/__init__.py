"""Features, as section 2 defines them: useful, robustly useful, non-robust; and the classifier made of them.

A feature is a function of images: pixels (n, c, h, w) in [0, 1] -> (n,) numbers, or (n, k) for k features at
once. Its usefulness is defined with labels y = +1 and -1: `one_against_rest` and `pair` make such data of ten
classes.
"""

from featlab.features.definitions import (
    KINDS,
    Standardised,
    check_moves,
    kind,
    one_against_rest,
    pair,
    robust_usefulness,
    standardise,
    usefulness,
)
from featlab.features.linear import Linear, check_linear, closed_form, mixture, pixel, principal_components
from featlab.features.measuring import Feature, values
from featlab.features.units import Composition, Units, centred, compose

__all__ = [
    "KINDS",
    "Composition",
    "Feature",
    "Linear",
    "Standardised",
    "Units",
    "centred",
    "check_linear",
    "check_moves",
    "closed_form",
    "compose",
    "kind",
    "mixture",
    "one_against_rest",
    "pair",
    "pixel",
    "principal_components",
    "robust_usefulness",
    "standardise",
    "usefulness",
    "values",
]
