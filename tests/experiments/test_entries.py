"""An accuracy is written with its interval and read as an Entry, and nothing else changes on the way."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featlab.evaluation import Accuracy
from featlab.experiments import entries
from featlab.experiments.entries import Entry
from featlab.transfer import Rate


@given(st.integers(0, 2000), st.integers(1, 2000))
def test_what_is_read_is_what_was_written_to_four_digits(right, n):
    accuracy = Accuracy(min(right, n), n)
    found = entries.parse(json.dumps(entries.plain({"D": [accuracy]})))["D"][0]
    assert (found.n, type(found)) == (n, Entry)
    assert (float(found), *found.interval) == tuple(round(v, 4) for v in (accuracy, *accuracy.interval))
    assert entries.plain(found) == entries.plain(accuracy)


def test_a_rate_is_written_like_an_accuracy_and_a_difference_without_n():
    assert entries.plain(Rate(3, 10)) == entries.plain(Accuracy(3, 10))
    assert entries.plain(Entry(0.12345, -0.1, 0.3)) == {"value": 0.1235, "low": -0.1, "high": 0.3}


def test_what_has_no_interval_passes_as_json_gives_it():
    value = {"a": [1, 2.5, None, True], "b": ("x", {"value": 1, "high": 2})}
    assert entries.parse(json.dumps(entries.plain(value))) == {**value, "b": list(value["b"])}


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_copy_keeps_its_interval(again):
    one = Entry(0.5, 0.4, 0.6, 40)
    assert (again(one), again(one).interval, again(one).n) == (0.5, (0.4, 0.6), 40)


def test_it_counts_as_a_number_and_prints_with_its_interval():
    one = Entry(0.5, 0.4, 0.6, 40)
    assert 100 * one == 50 and f"{one:.0%}" == "50%" and max(one, 0.3) is one
    assert str(one) == "50.0 (40.0 to 60.0)"
