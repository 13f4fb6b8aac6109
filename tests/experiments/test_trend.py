"""The trend of Figure 3, read from known points."""

import featlab as fl
from featlab.experiments import trend


def stored(**found) -> dict:
    """A report with these points: name -> (accuracy, rate)."""
    rows = {n: {"D_det": x, "transfer": {"untargeted": {"1.5": y}}} for n, (x, y) in found.items()}
    return {"radius": "1.5", "rows": rows}


def test_the_trend_is_that_of_the_means_over_seeds():
    one = stored(a=(0.1, 0.2), b=(0.2, 0.5), c=(0.3, 0.6), d=(0.4, 0.9), e=(0.9, 0.0))
    two = stored(a=(0.3, 0.4), b=(0.2, 0.5), c=(0.3, 0.6), d=(0.4, 0.9), e=(0.9, 0.0))
    assert trend.scatter_points([one, two])["a"] == [(0.1, 0.2), (0.3, 0.4)]
    whole, part = trend.correlations([one, two]), trend.correlations([one, two], without="e")
    expected = fl.intervals.pearson([0.2, 0.2, 0.3, 0.4, 0.9], [0.3, 0.5, 0.6, 0.9, 0.0])
    assert whole["Pearson"] == expected
    assert part["Pearson"].n == 4 and part["Pearson"].value > 0.9 > 0 > whole["Pearson"].value
