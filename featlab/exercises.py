"""Exercises that never block: check what the reader wrote, say what came out, go on with a function that works."""

from collections.abc import Callable, Iterable

import numpy as np


def _array(value: object) -> np.ndarray:
    value = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if np.iscomplexobj(value):
        raise TypeError("a complex number is no answer here")
    return value.astype(float)


def _same(got: object, expected: object, tolerance: float) -> bool:
    try:
        got, expected = _array(got), _array(expected)
    except Exception:  # whatever cannot be read as numbers is not the same
        return False
    return got.shape == expected.shape and bool(np.allclose(got, expected, rtol=tolerance, atol=tolerance))


def _own(value: object) -> object:
    """A copy of a tensor or an array, so that an attempt that changes its input spoils nothing."""
    return value.clone() if hasattr(value, "clone") else value.copy() if isinstance(value, np.ndarray) else value


def _short(value: object, room: int = 120) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # the learner's own class may not know how to show itself
        text = f"a {type(value).__name__}"
    return text if len(text) <= room else text[: room - 1] + "…"


def check(attempt: Callable, reference: Callable, cases: Iterable[tuple], *, tolerance: float = 1e-4) -> Callable:
    """Print whether `attempt` is passed, not written yet or wrong, and return it if it passes, else `reference`.

    Right means: equal to the reference on every case, shape included. A wrong answer is shown with its input, what was expected and what
    came. An attempt that returns None or ... or raises NotImplementedError is not written yet.

        rate = check(rate, solution, [(0.1, 8), (0.5, 2)])
    """
    name = getattr(attempt, "__name__", "exercise")
    cases = list(cases)
    for case in cases:
        expected = reference(*case)
        try:
            got = attempt(*map(_own, case))
        except NotImplementedError:
            got = None
        except (Exception, SystemExit) as error:  # the learner's error is an answer like any other
            got = f"{type(error).__name__}: {error}"
        if got is None or got is ...:
            print(f"{name}: not written yet. The cells below go on with the reference.")
            return reference
        if not _same(got, expected, tolerance):
            print(f"{name}: wrong for the input {_short(case)}\n  expected {_short(expected)}\n  got      {_short(got)}")
            print("The cells below go on with the reference.")
            return reference
    print(f"{name}: passed, {len(cases)} of {len(cases)} cases.")
    return attempt
