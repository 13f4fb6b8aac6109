"""The ledger: what the paper claims, what it measured, and whether what was measured here agrees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from featlab.experiments.entries import Entry

# Ilyas et al. 2019, CIFAR-10, ResNet-50: clean accuracy of D, D_rand and D_det from Table 1; that of D_R and
# D_NR, and all accuracy under l2 0.25, from the README of the authors' release of the datasets. Fractions;
# None where neither gives a number.
PAPER = {
    "D": (0.953, None),
    "D_R": (0.84, 0.48),
    "D_NR": (0.88, 0.0),
    "D_rand": (0.633, 0.0),
    "D_det": (0.437, 0.0),
}
PAPER_SETTING = "CIFAR-10, ResNet-50; under attack: l2 0.25 (Table 1 and the README of the authors' datasets)"

# row -> {"clean": Entry, "attacked": {radius: Entry}}
_Rows = Mapping[str, Mapping]


def low(accuracy: Entry) -> float:
    """The lower end of its 95 % interval."""
    return accuracy.interval[0]


def high(accuracy: Entry) -> float:
    """The upper end of its 95 % interval."""
    return accuracy.interval[1]


@dataclass(frozen=True)
class Claim:
    """One sentence of the paper, and the test that measured rows must pass for it."""

    where: str
    says: str
    holds: Callable[[_Rows, str], bool]


CLAIMS = (
    Claim(
        "3.1",
        "Normal training on D_R gives accuracy and robustness: more accurate under attack than "
        "normal training on D and on D_NR.",
        lambda rows, r: (
            low(rows["D_R"]["attacked"][r]) > max(high(rows[d]["attacked"][r]) for d in ("D", "D_NR"))
        ),
    ),
    Claim(
        "3.1",
        "Normal training on D_NR gives accuracy without robustness: accurate on clean images, "
        "not more robust than training on D.",
        lambda rows, r: (
            rows["D_NR"]["clean"] > 0.5 and rows["D_NR"]["attacked"][r] <= high(rows["D"]["attacked"][r])
        ),
    ),
    Claim(
        "3.2",
        "Normal training on D_rand, whose labels look random, generalises to the real test set.",
        lambda rows, r: low(rows["D_rand"]["clean"]) > max(0.1, high(rows["D_rand control"]["clean"])),
    ),
    Claim(
        "3.2",
        "So does D_det, whose labels are all wrong by one: there the robust features point to "
        "the wrong class.",
        lambda rows, r: low(rows["D_det"]["clean"]) > max(0.1, high(rows["D_det control"]["clean"])),
    ),
)


def verdicts(rows: _Rows, radius: str) -> list[tuple[Claim, bool]]:
    """Each claim with whether these rows agree with it under attack at `radius`, in pixels;
    what is more must be more beyond the 95 % intervals.
    """
    return [(claim, bool(claim.holds(rows, radius))) for claim in CLAIMS]
