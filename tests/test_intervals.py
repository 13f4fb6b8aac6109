"""Intervals against scipy, against the spread over many draws, and by their symmetries."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import binomtest

from featlab.intervals import Accuracy, Estimate, Mean, Runs, pearson, spearman


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_wilsons(counts):
    right, n = counts
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert Accuracy(right, n).interval == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_an_accuracy_is_a_number_that_prints_its_interval():
    assert str(Accuracy(50, 100)) == "50.0 % (40.4 to 59.6, n = 100)"
    assert Accuracy(50, 100) == 0.5 and isinstance(Accuracy(50, 100), float)


@pytest.mark.parametrize("right, n", [(5, 4), (-1, 4), (0, 0)])
def test_more_than_all_less_than_none_and_some_of_nothing_are_no_accuracy(right, n):
    with pytest.raises(ValueError, match="number"):
        Accuracy(right, n)


def test_95_in_100_intervals_hold_the_mean():
    draws = torch.randn(4000, 100, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 3
    means, errors = draws.mean(1), draws.std(1, correction=0) / 100**0.5
    intervals = [Estimate(*found, 100).interval for found in zip(means, errors, strict=True)]
    held = sum(bool(low <= 3 <= high) for low, high in intervals) / len(intervals)
    assert held == pytest.approx(0.95, abs=0.012)


def test_an_estimate_prints_at_most_four_features_with_their_intervals_and_is_a_number_if_it_is_one():
    one = Estimate(torch.tensor([0.5]), torch.tensor([0.1]), 1200)
    assert repr(one) == "0.500 (0.304 to 0.696) from 1,200 images" and float(one) == 0.5
    many = Estimate(torch.zeros(6), torch.ones(6), 10)
    assert repr(many).count(" to ") == 4 and "... 6 features from 10 images" in repr(many)
    with pytest.raises(TypeError, match="there are 6 features"):
        float(many)


def test_pearsons_interval_is_scipys():
    x, y = [1.0, 2, 3, 4, 7, 5], [2.0, 1, 4, 3, 9, 4]
    got, expected = pearson(x, y), stats.pearsonr(x, y)
    assert got.value == pytest.approx(expected.statistic)
    assert (got.low, got.high) == pytest.approx(tuple(expected.confidence_interval(0.95)), abs=1e-5)
    assert spearman(x, y).value == pytest.approx(stats.spearmanr(x, y).statistic)


def test_ranks_do_not_see_a_monotone_change_and_their_interval_is_wider():
    x, y = [0.1, 0.4, 0.2, 0.9, 0.7], [0.3, 0.2, 0.5, 0.8, 0.9]
    assert spearman(x, y) == spearman([v**3 for v in x], y)
    assert (
        spearman(x, y).high - spearman(x, y).low
        > (p := pearson(stats.rankdata(x), stats.rankdata(y))).high - p.low
    )
    assert pearson(x, [2 - v for v in x]).value == pytest.approx(-1)


def test_a_correlation_of_too_few_or_of_equal_points_is_refused():
    with pytest.raises(ValueError, match="at least 4"):
        pearson([1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match="at least 4"):
        spearman([1, 2, 3, 4], [1, 2, 3])
    with pytest.raises(ValueError, match="equal"):
        pearson([1, 2, 3, 4], [5, 5, 5, 5])


@pytest.mark.parametrize("correlation", [pearson, spearman])
def test_a_correlation_does_not_know_which_list_comes_first_and_a_sign_mirrors_it(correlation):
    x, y = [1.0, 2, 3, 4, 7, 5], [2.0, 1, 4, 3, 9, 4]
    there, back, mirrored = correlation(x, y), correlation(y, x), correlation([-v for v in x], y)
    assert (back.value, back.low, back.high) == pytest.approx((there.value, there.low, there.high))
    expected = (-there.value, -there.high, -there.low)
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx(expected)


def test_a_mean_has_the_interval_of_its_shares_and_a_difference_that_of_pairs():
    terms = torch.tensor([0.1, 0.5, 0.3, 0.7])
    mean = Mean(terms.mean().item(), (terms - terms.mean()) / 4)
    low, high = mean.interval
    assert high - float(mean) == pytest.approx(1.959964 * terms.std(correction=0).item() / 2)
    assert low == pytest.approx(2 * float(mean) - high) and mean.n == 4
    none = mean - mean
    assert none.interval == (0, 0) and str(mean).startswith("0.400 (")
    with pytest.raises(ValueError, match="same images"):
        mean - Mean(0.5, torch.zeros(3))


def test_runs_have_student_s_interval_and_differences_are_run_by_run():
    runs = Runs((0.5, 0.6, 0.55))
    low, high = stats.t.interval(0.95, 2, loc=0.55, scale=stats.sem([0.5, 0.6, 0.55]))
    assert runs.value == pytest.approx(0.55) and runs.interval == pytest.approx((low, high))
    assert Runs((0.5,)).interval is None
    assert (runs - Runs((0.4, 0.5, 0.45))).values == pytest.approx((0.1, 0.1, 0.1))
    with pytest.raises(ValueError):
        runs - Runs((0.1, 0.2))
