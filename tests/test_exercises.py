"""A check says what it found and always returns something that works."""

import pytest
import torch

from featlab.exercises import check

CASES = [(torch.tensor([1.0, 2.0]),), (torch.tensor([0.0]),)]


def double(x):
    return 2 * x


def stub(x): ...


def unwritten(x):
    raise NotImplementedError


def wrong(x):
    return 2 * x + (x == 0)


def misshapen(x):
    return (2 * x)[None]


def broken(x):
    return x.nothing


def test_a_right_attempt_passes_and_is_kept(capsys):
    def mine(x):
        return x + x

    assert check(mine, double, CASES) is mine
    assert capsys.readouterr().out == "mine: passed, 2 of 2 cases.\n"


@pytest.mark.parametrize("attempt", [stub, unwritten])
def test_what_is_not_written_goes_on_with_the_reference(attempt, capsys):
    assert check(attempt, double, CASES) is double
    assert "not written yet" in capsys.readouterr().out


@pytest.mark.parametrize("attempt", [wrong, misshapen, broken])
def test_a_wrong_attempt_shows_input_expected_and_got(attempt, capsys):
    assert check(attempt, double, CASES) is double
    said = capsys.readouterr().out
    assert all(word in said for word in ("wrong", "input", "expected", "got", "reference"))


def test_tolerance_decides_what_is_equal():
    near = lambda x: 2 * x + 0.01  # noqa: E731
    assert check(near, double, CASES) is double
    assert check(near, double, CASES, tolerance=0.1) is near
