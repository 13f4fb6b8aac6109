"""Exercises that never block: check what the reader wrote, say what came out,
go on with a function that works.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from featlab.inputs.limits import Overdue, few_words, own_copies, short, within

SECONDS = (
    10.0  # what an attempt may take for one input, and never less than SLOWER times what the reference takes
)
SLOWER = 20
_KINDS = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "numbers"}
UNWRITTEN = "not written yet"


def check(
    attempt: Callable,
    reference: Callable,
    cases: Iterable[tuple],
    *,
    tolerance: float = 1e-4,
    seconds: float = SECONDS,
) -> Callable:
    """Print whether `attempt` is passed, not written yet or wrong, and return it if it passes, else
    `reference`.

    Right means: equal to the reference on every case, kind and shape included. A wrong answer is shown with
    its input, what was expected and what came. An attempt that returns None or ... or raises
    NotImplementedError is not written yet. One that is not done after `seconds` for one input is stopped.

        rate = check(rate, solution, [(0.1, 8), (0.5, 2)])
    """
    _check_limit("seconds, the time for one input,", seconds, 1e-9)
    _check_limit("tolerance", tolerance, 0)
    if not callable(reference):
        raise TypeError(f"the reference must be a function that does it right, got {reference!r}")
    name = getattr(attempt, "__name__", "exercise")
    cases = list(cases) if isinstance(cases, Iterable) else cases
    if not cases or not isinstance(cases, list) or not all(isinstance(case, tuple | list) for case in cases):
        raise TypeError(
            f"cases must be a list of tuples, such as [(0.1, 8)] for one call; got {short(cases)}"
        )
    for case in cases:
        begun = time.monotonic()
        expected = reference(*own_copies(case))
        room = max(seconds, SLOWER * (time.monotonic() - begun))
        if fault := _fault(attempt, case, expected, (tolerance, room)):
            print(
                f"{name}: {fault}{'. ' if fault == UNWRITTEN else chr(10)}The cells below go on "
                "with the reference."
            )
            return reference
    print(f"{name}: passed, {len(cases)} of {len(cases)} cases.")
    return attempt


def require(
    attempt: Callable,
    cases: Iterable[tuple[tuple, Any]],
    *,
    tolerance: float = 1e-4,
    seconds: float = SECONDS,
) -> None:
    """Raise AssertionError, with the words of `check`, unless `attempt` gives what is expected on every case.

    cases  pairs of a call's arguments and what must come: [((0.1, 8), 0.57)]. For graders: no reference is
           needed, so the answer need not stand anywhere.
    """
    _check_limit("seconds, the time for one input,", seconds, 1e-9)
    _check_limit("tolerance", tolerance, 0)
    for arguments, expected in cases:
        fault = _fault(attempt, arguments, expected, (tolerance, seconds))
        assert not fault, f"{getattr(attempt, '__name__', 'exercise')}: {fault}"


def _check_limit(name: str, value: Any, least: float) -> None:
    """Refuse what is no number from `least` to a million."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not least <= value < 1e6:
        kind = "positive number" if least else "number from 0"
        raise ValueError(f"{name} must be a {kind} below a million, got {value!r}")


def _fault(attempt: Callable, case: tuple, expected: object, limits: tuple[float, float]) -> str:
    """What is to be said of an attempt on one case, within a tolerance and so many seconds;
    nothing if it is right.
    """
    tolerance, seconds = limits
    right = array(expected)
    try:
        with few_words():
            got = within(seconds, lambda: _difference(attempt(*own_copies(case)), right, tolerance))
    except NotImplementedError:
        return UNWRITTEN
    except KeyboardInterrupt:
        raise
    except Overdue as overdue:
        rest = (
            " It still runs in the background: restart the kernel to end it." if overdue.left_behind else ""
        )
        return (
            f"stopped after {seconds:.3g} s for the input {short(case)}. Does a loop in it never end?{rest}"
        )
    except BaseException as error:  # the learner's error, SystemExit too, is an answer like any other
        got = f"{type(error).__name__}: {short(error, of=str)}"
    return f"wrong for the input {short(case)}\n  expected {short(expected)}\n  got      {got}" if got else ""


def _difference(got: object, right: np.ndarray, tolerance: float) -> str:
    """An answer in words if it is not the right one, with the reason where its values are not:
    kind and shape first.
    """
    if got is None or got is ...:
        raise NotImplementedError
    shown = short(got)
    if isinstance(got, Iterator):
        return f"{shown}, which is a {type(got).__name__}: return the values themselves"
    if isinstance(got, list | tuple) and len(got) != (len(right) if right.ndim else -1):
        return (
            f"{shown}, which has length {len(got)}, where "
            f"{f'length {len(right)}' if right.ndim else 'one number'} is expected"
        )
    try:
        answer = array(got)
    except Exception:  # whatever cannot be read as numbers is none
        return f"{shown}, which is a {type(got).__name__}, where {_KINDS[right.dtype.kind]} are expected"
    if (answer.dtype.kind == "b") != (right.dtype.kind == "b") or _mixed(got, answer):
        return (
            f"{shown}, which is {_KINDS['b' if right.dtype.kind != 'b' else 'f']}, where "
            f"{_KINDS[right.dtype.kind]} is expected"
        )
    if answer.shape != right.shape:
        return f"{shown}, which has shape {answer.shape}, where {right.shape} is expected"
    same = np.allclose(
        answer.astype(float), right.astype(float), rtol=tolerance, atol=tolerance, equal_nan=True
    )
    return "" if same else shown


def array(value: Any) -> np.ndarray:
    """Numbers, or true and false, as an array of any shape; TypeError for anything else, ValueError for
    ragged rows.
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    value = np.asarray(value)
    if value.dtype == object and all(isinstance(entry, Real | Decimal) for entry in value.flat):  # fractions
        value = value.astype(float)
    if value.dtype.kind not in _KINDS:
        raise TypeError(f"{value.dtype} is no kind of number")
    return value


def _mixed(got: object, answer: np.ndarray) -> bool:
    """Whether a list hides true and false among its numbers: numpy would count them as 1 and 0."""
    return (
        isinstance(got, list | tuple)
        and answer.dtype.kind != "b"
        and any(isinstance(entry, bool | np.bool_) for entry in got)
    )
