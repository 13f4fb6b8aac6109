"""What the ledger computes in closed form is what the functions of section 4 and the trend say."""

import numpy as np
import pytest

import featlab as fl
from featlab import gaussian
from featlab.experiments import trend
from featlab.experiments.ledger import theory
from featlab.experiments.ledger.rules import BEYOND
from featlab.experiments.ledger.section4 import SECTION_4


def test_every_exact_number_is_used_and_finite():
    places = [place for s in SECTION_4 for place in (s.measured, s.than) if isinstance(place, str)]
    used = {place.partition(": ")[2] for place in places}
    assert used == set(theory.EXACT)
    assert all(s.beyond != BEYOND for s in SECTION_4)


def test_the_literal_print_is_half_of_the_price_doubled():
    literal = gaussian.vulnerability(np.diag([4.0, 1.0, 0.5]), 6) / 2
    assert literal == pytest.approx(0.889, abs=0.001)
    assert theory.EXACT["Theorem 1, error of the print to the letter"]() == pytest.approx(
        1 - literal / 9.44, abs=1e-3
    )


def test_the_gap_of_the_relaxation_falls_like_one_over_the_dimensions():
    for d in (2, 8):
        gap = theory.EXACT[f"relaxation gap in {d} dimensions"]()
        assert 0.08 / d < gap < 0.2 / d


def test_the_correlations_are_those_of_figure_3():
    found = trend.correlations(fl.measured("figure3"))["Pearson"]
    entry = theory.TRENDS["untargeted"]()
    assert (float(entry), entry.interval) == (found.value, (found.low, found.high))
