"""The door: every array and number that enters featlab.gaussian is checked here, once, with what,
why and what to do.
"""

import math
import operator
import reprlib

import numpy as np
from numpy.typing import ArrayLike


def floats(values: ArrayLike, what: str) -> np.ndarray:
    """Real numbers of any shape as an array of floats; else an error that names `what`."""
    try:
        if values is None or np.iscomplexobj(values) or np.asarray(values).dtype.kind in "USb":
            raise TypeError
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError, RuntimeError):
        shown = reprlib.repr(values)
        raise TypeError(f"{what} must be real numbers, rows of them of one length; got {shown}") from None


def check_number(value: float, what: str) -> float:
    """One real number."""
    if not isinstance(value, str) and np.size(value) == 1:
        return float(floats(value, what).reshape(()))
    raise TypeError(f"{what} must be one real number, got {reprlib.repr(value)}")


def check_count(n: int, what: str, least: int = 0) -> int:
    """A whole number from `least` up."""
    try:
        count = operator.index(n)
    except TypeError:
        count = least - 1
    if count < least:
        raise ValueError(f"{what} must be a whole number from {least} up, got {n!r}")
    return count


def check_rng(rng: np.random.Generator | int) -> np.random.Generator:
    """What draws: a Generator, or one made of a seed."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise TypeError(f"rng must be a numpy Generator or a seed from 0 up, got {rng!r}") from None


def eigenvalues(cov: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Variances (d,), ascending, and axes (d, d) in columns: cov = axes diag(variances) axes'.

    Exact for a diagonal matrix.
    """
    cov = floats(cov, "a covariance")
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1] or not cov.size:
        raise ValueError(
            f"a covariance is a (d, d) matrix, got shape {cov.shape}; for variances s write np.diag(s)"
        )
    if not np.isfinite(cov).all():
        raise ValueError("the covariance holds nan or inf; Theorems 1 to 3 need a finite matrix")
    size = np.abs(cov).max()
    asymmetry = np.abs(cov - cov.T).max()
    if asymmetry > 1e-8 * size:
        raise ValueError(
            "a covariance must be symmetric, entries differ from their mirror images by up to "
            f"{asymmetry:.2g}; use (cov + cov.T) / 2"
        )
    diagonal = np.diag(cov)
    if np.array_equal(cov, np.diag(diagonal)):
        order = np.argsort(diagonal, kind="stable")
        variances, axes, rounding = diagonal[order], np.eye(len(cov))[:, order], 0.0
    else:
        variances, axes = np.linalg.eigh((cov + cov.T) / 2)
        rounding = len(cov) * np.finfo(float).eps * variances[-1]
    if variances[0] <= rounding:
        raise ValueError(
            f"a covariance must be positive definite, its least eigenvalue is {variances[0]:.2g}: "
            "some direction has no spread, so "
            "the metric Sigma^-1 does not exist; drop that direction or add a small multiple of the identity"
        )
    return variances, axes


def check_mean(mu: ArrayLike, d: int) -> np.ndarray:
    """A mean as (d,) floats."""
    mu = floats(mu, "mu")
    if mu.shape != (d,):
        raise ValueError(f"mu must have the covariance's length, shape ({d},), got {mu.shape}")
    return _finite(mu, "mu")


def check_direction(w: ArrayLike, d: int) -> np.ndarray:
    """A direction, or rows of directions, as (..., d) floats, none of them zero."""
    w = floats(w, "a linear rule")
    if w.ndim < 1 or w.shape[-1] != d:
        raise ValueError(f"a linear rule has one weight for each coordinate: shape (..., {d}), got {w.shape}")
    if not np.abs(_finite(w, "the rule")).max(axis=-1).min() > 0:
        raise ValueError(
            "a linear rule with all weights 0 decides nothing: give a direction, such as weights(mu, cov)"
        )
    return w


def check_points(x: ArrayLike, d: int | None = None) -> np.ndarray:
    """Points as (n, d) floats, of any d if it is not given."""
    x = floats(x, "points")
    if x.ndim != 2 or d not in (None, x.shape[1]):
        length = d if d is not None else x.shape[-1] if x.ndim else "d"
        raise ValueError(f"points are rows of length {length}, shape (n, {length}), got {x.shape}")
    return _finite(x, "the points")


def check_signs(y: ArrayLike, n: int) -> np.ndarray:
    """Labels -1 and +1 as (n,) floats."""
    y = floats(y, "labels")
    if y.shape != (n,) or not (np.abs(y) == 1).all():
        raise ValueError(
            f"labels are -1 or +1, one a point: shape ({n},), got shape {y.shape}; from 0 and 1 use 2 * y - 1"
        )
    return y


def check_radius(radius: float) -> float:
    """A radius in [0, inf]."""
    if np.ndim(radius):
        raise ValueError(
            f"one radius at a time here, got an array of shape {np.shape(radius)}; for many, see robust_path"
        )
    return float(check_radii(radius))


def check_radii(radius: ArrayLike) -> np.ndarray:
    """One radius or many, of any shape, each in [0, inf]; a ValueError otherwise."""
    radius = floats(radius, "a radius")
    if not (radius >= 0).all():
        raise ValueError(f"a radius is a length, from 0 to inf in the units of x, got {radius}")
    return radius


def check_positive(value: float, what: str) -> float:
    """A number in (0, inf]."""
    value = check_number(value, what)
    if not value > 0 or math.isnan(value):
        raise ValueError(f"{what} must be above 0, got {value}")
    return value


def _finite(a: np.ndarray, what: str) -> np.ndarray:
    if not np.isfinite(a).all():
        raise ValueError(f"{what} must hold finite numbers, got nan or inf")
    return a
