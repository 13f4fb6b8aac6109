"""Your own run beside stored ones: the claims that notebooks make about trainings that run before the
reader's eyes.

Training amplifies the last bit of a processor's arithmetic, so such a number differs from machine to machine,
as it does from seed to seed. `benchmarks/calibrate.py` measured each of them over seeds, precisions, threads
and instruction sets. A claim may be asserted only if its threshold lies at least three standard deviations of
these runs away (a test says so).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from statistics import mean, stdev

from featlab.experiments import reports


@dataclass(frozen=True)
class Threshold:
    """What a cell measures, a fraction, and the threshold that it must lie above or, with `below`, under."""

    says: str
    threshold: float
    below: bool = False

    def holds(self, value: float) -> bool:
        return value < self.threshold if self.below else value > self.threshold


THRESHOLDS: Mapping[str, Threshold] = {
    "two epochs": Threshold("accuracy of a network that saw every image twice", 0.75),
    "D_R": Threshold("accuracy under l2 0.5 of a student of D_R", 0.45),
    "D_det": Threshold("accuracy of a student of D_det on real images", 0.15),
    "leak of D_rand": Threshold("accuracy of a student of D_rand that sees ten robust numbers", 0.2),
    "leak of D_det": Threshold(
        "accuracy of a student of D_det that sees ten robust numbers", 0.08, below=True
    ),
    "lucky labels": Threshold("accuracy of a student of lucky labels and invented patterns", 0.3),
    "squares": Threshold("accuracy under attack of a network that fitted right labels", 0.7),
    "noisy squares": Threshold(
        "accuracy under attack of a network that fitted wrong labels as well", 0.4, below=True
    ),
}


@dataclass(frozen=True)
class Comparison:
    """Your value and the stored runs' values of the same thing."""

    claim: Threshold
    value: float
    runs: tuple[float, ...]

    def __str__(self) -> str:
        least, greatest = min(self.runs), max(self.runs)
        spread = f"{100 * least:.1f} to {100 * greatest:.1f} %, mean {100 * mean(self.runs):.1f} %"
        return f"yours: {100 * self.value:.1f} %; {len(self.runs)} stored runs: {spread}"


@cache
def measurements() -> dict:
    """What was measured: results/calibration.json, with one run a seed, precision,
    number of threads and instruction set.
    """
    return reports.read(reports.RESULTS / "calibration.json")


def runs(name: str) -> tuple[float, ...]:
    """The stored values of a claim's number, fractions."""
    return tuple(run["values"][name] for run in measurements()["runs"] if name in run["values"])


def distance(name: str) -> float:
    """How many standard deviations of the stored runs lie between their mean and the claim's threshold,
    on the right side.
    """
    claim, values = THRESHOLDS[name], runs(name)
    room = claim.threshold - mean(values) if claim.below else mean(values) - claim.threshold
    return room / max(stdev(values), 1e-9)


def compare(name: str, value: float) -> Comparison:
    """Your value beside the stored runs; an AssertionError if the claim does not hold for it,
    which no stored run came near.
    """
    found = Comparison(THRESHOLDS[name], float(value), runs(name))
    if not found.claim.holds(found.value):
        bound = "under" if found.claim.below else "above"
        raise AssertionError(
            f"{found.claim.says}: {found}. It should be {bound} {100 * found.claim.threshold:.0f} "
            "%, as in every stored run: "
            "if nothing was changed in this notebook, please report it with what fl.doctor() prints"
        )
    return found
