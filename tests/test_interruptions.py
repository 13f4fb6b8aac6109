"""A part of what `make test-faults` does for every operation, every kind of end and a thousand damages."""

import random
import warnings

import pytest
from interrupting import (
    ENDS,
    damaged,
    digest,
    everything,
    half_made,
    in_child,
    leftovers,
    operations,
    survives,
)

from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    status, made = in_child(lambda: digest(Store(tmp_path_factory.mktemp("whole"))))
    assert status == 0
    return made


def test_an_interruption_at_a_file_operation_of_any_kind_costs_no_bit(expected, tmp_path):
    """One operation of each kind for each end; `make test-faults` takes all."""
    done = operations(tmp_path / "counted")
    draw = random.Random(0)
    for end in ENDS:
        for kind in sorted(set(done)):
            at = draw.choice([number for number, what in enumerate(done) if what == kind])
            survives(tmp_path / f"{end}-{at}", at, end, expected)


def test_no_damage_gives_another_result(tmp_path):
    half_made(tmp_path / "template")
    draw = random.Random(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = everything(tmp_path / "undamaged")
        for _ in range(40):
            damaged(tmp_path / "template", tmp_path / "copy", draw, expected)


def test_nothing_temporary_is_left(expected, tmp_path):
    assert in_child(lambda: digest(Store(tmp_path))) == (0, expected)
    assert not leftovers(tmp_path)
