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


class Shy:
    def __repr__(self):
        raise RuntimeError("no picture")


def leave(x):
    raise SystemExit


@pytest.mark.parametrize(
    "got", [[torch.ones(2, requires_grad=True)], torch.ones(2, device="meta"), 1 + 2j, Shy()], ids=["graph", "meta", "complex", "shy"]
)
def test_no_answer_stops_a_notebook(got, capsys, recwarn):
    assert check(lambda x: got, lambda x: x, [(1.0,)])(3) == 3
    assert "wrong" in capsys.readouterr().out and not recwarn.list


def test_neither_does_leaving(capsys):
    assert check(leave, lambda x: x, [(1.0,)])(3) == 3
    assert "SystemExit" in capsys.readouterr().out


def test_an_attempt_that_changes_its_input_spoils_no_case(capsys):
    x = torch.tensor([1.0, 2.0])
    check(lambda x: x.add_(5), lambda x: x + 4, [(x,)])
    assert x.tolist() == [1, 2] and "tensor([1., 2.])" in capsys.readouterr().out
