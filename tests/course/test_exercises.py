"""A check says what it found and always returns something that works."""

import signal
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from featlab.course.exercises import check

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
    "got",
    [[torch.ones(2, requires_grad=True)], torch.ones(2, device="meta"), 1 + 2j, Shy()],
    ids=["graph", "meta", "complex", "shy"],
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


# what does not end, and what is almost right


def forever(x):
    while True:
        pass


def stubborn(x):
    while True:
        try:
            x + 1
        except:  # noqa: E722
            x = 1


def chatty(x):
    while True:
        print("still here")


def endless(x):
    yield from iter(int, 1)


def deep(x):
    return deep(x) + 1


@pytest.fixture(params=["alarm", "thread"])
def means(request, monkeypatch):
    """Both ways to stop a loop: the alarm of Linux and macOS, and the thread of all others."""
    if request.param == "thread":
        monkeypatch.delattr(signal, "setitimer")
    return request.param


@pytest.mark.parametrize("attempt", [forever, stubborn, chatty])
def test_a_loop_that_never_ends_is_stopped_and_the_name_is_the_references(attempt, means, capsys):
    begun = time.monotonic()
    assert check(attempt, double, CASES, seconds=0.3) is double
    said = capsys.readouterr().out
    assert time.monotonic() - begun < 3
    assert (
        f"{attempt.__name__}: stopped after 0.3 s" in said
        and "reference" in said
        and "background" not in said
    )
    assert len(said) < 6000


def test_what_cannot_be_stopped_is_said_to_go_on(monkeypatch, capsys):
    monkeypatch.delattr(signal, "setitimer")
    assert check(lambda x: time.sleep(3), double, CASES, seconds=0.1) is double
    assert "still runs in the background" in capsys.readouterr().out


def test_a_slow_right_answer_has_as_long_as_many_references(capsys):
    def slow(x):
        time.sleep(0.05)
        return 2 * x

    def slower(x):
        time.sleep(0.3)
        return 2 * x

    assert check(slower, slow, CASES, seconds=0.01) is slower


def test_an_alarm_that_somebody_had_set_still_rings(capsys):
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        check(forever, double, CASES, seconds=0.2)
        assert not rang
        time.sleep(0.5)
        assert rang == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_no_alarm_is_left_behind(capsys):
    before = signal.getsignal(signal.SIGALRM)
    for attempt in (double, forever, broken):
        check(attempt, double, CASES, seconds=0.05)
        assert signal.getsignal(signal.SIGALRM) == before and signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_ctrl_c_passes_on(means):
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check(interrupted, double, CASES)


@pytest.mark.parametrize(
    ("got", "says"),
    [
        ("4.0", "is a str"),
        (True, "true or false"),
        (b"4", "is a bytes"),
        ([4.0], "one number"),
        (np.array([4.0]), "shape (1,)"),
        (np.bool_(True), "true or false"),
        ({4.0}, "is a set"),
        (float("nan"), "nan"),
        (4 + 0j, "is a complex"),
        (iter([4.0]), "return the values themselves"),
        (list(range(10**6)), "one number"),
        ("x" * 10**7, "is a str"),
        (10**5000, "is a int"),
        (double, "is a function"),
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) else "whole",
)
def test_what_only_resembles_the_answer_is_wrong_and_the_reason_is_said(got, says, capsys):
    reference = lambda x: 4.0  # noqa: E731
    assert check(lambda x: got, reference, [(1.0,)]) is reference
    said = capsys.readouterr().out
    assert says in said and len(said) < 600


@pytest.mark.parametrize(
    "got",
    [
        4,
        4.0,
        np.float32(4),
        np.array(4),
        torch.tensor(4),
        Fraction(4),
        Decimal(4),
        torch.tensor(4.0).bfloat16(),
    ],
)
def test_what_is_the_number_is_right_in_whatever_clothes(got, capsys):
    attempt = lambda x: got  # noqa: E731
    assert check(attempt, lambda x: 4.0, [(1.0,)]) is attempt


@pytest.mark.parametrize("got", [[1, 0], torch.tensor([1, 0]), [True, 0.0], np.array([1.0, 0.0])], ids=str)
def test_a_mask_is_not_numbers(got, capsys):
    assert check(lambda x: got, lambda x: torch.tensor([True, False]), [(1,)])(2).dtype == torch.bool
    assert check(lambda x: [True, 0.0], lambda x: [1.0, 0.0], [(1,)])(2) == [1.0, 0.0]
    assert capsys.readouterr().out.count("true or false") == 2


def test_nan_where_nan_is_right_passes(capsys):
    assert check(lambda x: float("nan"), lambda x: np.nan, [(1,)])(1) != 0
    assert "passed" in capsys.readouterr().out


@pytest.mark.parametrize("attempt", [endless, deep, lambda: 1, 5, iter])
def test_whatever_an_attempt_is_the_notebook_goes_on(attempt, means, capsys):
    assert check(attempt, double, CASES) is double
    assert "The cells below go on with the reference." in capsys.readouterr().out


@pytest.mark.parametrize(
    "given", [[3, 1, 2], {"a": [1]}, np.array([3, 1, 2]), ([3, 1],), bytearray(b"31")], ids=str
)
def test_the_input_shown_is_the_one_given_and_stays(given, capsys):
    def spoils(x):
        for inner in (x, *x) if isinstance(x, tuple) else (x,):
            if isinstance(inner, list):
                inner.sort()
            elif isinstance(inner, dict):
                inner["a"].append(2)
            elif not isinstance(inner, tuple):
                inner[0] = 9
        return -1.0

    before = repr(given)
    check(spoils, lambda x: 1.0, [(given,)])
    assert repr(given) == before and f"input ({before}" in capsys.readouterr().out


def test_an_error_that_cannot_be_shown_is_an_answer_too(capsys):
    class Mute(BaseException):
        def __str__(self):
            raise ValueError

    def raises(x):
        raise Mute

    assert check(raises, double, CASES) is double
    assert "Mute" in capsys.readouterr().out


def test_a_time_that_is_none_is_refused():
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="positive"):
            check(double, double, CASES, seconds=seconds)
