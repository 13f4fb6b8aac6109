"""The paper's constructed datasets: D_R and D_NR (section 3.1, Figure 5), D_rand and D_det (section 3.2,
Figure 6).

Each construction is a function Dataset -> Dataset, image by image in the order given. Behind both stands a
`parts.Construction`, an iterator of parts, so that a caller can show progress, stop and go on.
"""

from featlab.constructed.controls import blended, static
from featlab.constructed.inversion import Inversion, parts_of_robustify, robustify
from featlab.constructed.labels import (
    Rule,
    mislabel,
    next_labels,
    other_labels,
    parts_of_mislabel,
    random_labels,
)

__all__ = [
    "Inversion",
    "Rule",
    "blended",
    "mislabel",
    "next_labels",
    "other_labels",
    "parts_of_mislabel",
    "parts_of_robustify",
    "random_labels",
    "robustify",
    "static",
]
