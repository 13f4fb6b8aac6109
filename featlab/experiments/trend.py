"""The trend of Figure 3, read from stored reports: do architectures that learn more from D_det catch more?"""

from collections.abc import Sequence

from featlab.experiments.reports import Report
from featlab.intervals import Correlation, pearson, spearman


def scatter_points(
    reports: Sequence[Report], kind: str = "untargeted", radius: str = ""
) -> dict[str, list[tuple[float, float]]]:
    """Architecture -> its point (accuracy from D_det, transfer rate) for each seed, fractions;
    at the radius of D_det, l2 in pixels of [0, 1], unless given.
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for report in reports:
        for name, row in report["rows"].items():
            rate = row["transfer"][kind][radius or report["radius"]]
            found.setdefault(name, []).append((row["D_det"], rate))
    return found


def correlations(
    reports: Sequence[Report], kind: str = "untargeted", radius: str = "", without: str = ""
) -> dict[str, Correlation]:
    """Pearson's and Spearman's over the architectures, each at the mean of its seeds (which are no
    independent points).

    Their intervals are too narrow: they take chosen, related architectures for independent draws, means over
    seeds for exact, and know the points of one source only.

    radius   l2 in pixels of [0, 1]; that of D_det unless given
    without  an architecture to leave out: does the trend hang on it?
    """
    found = scatter_points(reports, kind, radius)
    means = [
        tuple(sum(v) / len(v) for v in zip(*seeds, strict=True))
        for name, seeds in found.items()
        if name != without
    ]
    x, y = zip(*means, strict=True)
    return {"Pearson": pearson(x, y), "Spearman": spearman(x, y)}
