"""The largest value of a convex quadratic on a sphere, for many centres at once: the secular equation."""

import numpy as np


def surplus(pull: np.ndarray, curvature: np.ndarray, radius: float) -> np.ndarray:
    """How far the multiplier eta lies above the largest curvature, row by row: eta - max(a) >= 0, (n,).

    maximise sum_i a_i (u_i + delta_i)^2 over ||delta|| = radius > 0. The maximiser is delta_i = a_i u_i /
    (eta - a_i), where ||delta|| falls as eta grows, so one number a row is sought.

    pull       (n, d)  |a_i u_i|
    curvature  (d,)    a > 0

    Newton's method on 1/||delta(eta)|| = 1/radius. The left side is concave and increasing in eta, so from
    any start on the left of the root the iterates stay on the left and rise to it. The starts below are on
    the left because no single |delta_i| may exceed the radius, and because eta - a_i <= eta - min(a). A row
    that stays at 0 with ||delta|| < radius is the hard case: u has no part along the top axes.
    """
    gap = curvature.max() - curvature
    start = (pull / radius - gap).max(axis=1)
    x = np.maximum(np.maximum(start, np.linalg.norm(pull, axis=1) / radius - gap.max()), 0)
    # about ten, unless a row is within rounding of the hard case: then two a factor of ten
    for _ in range(1200):
        size, slope = _length(pull, x[:, None] + gap)
        short = size / radius - 1
        if (short <= 1e-12).all():
            break
        x = x + np.where(short > 0, size**2 * short / slope, 0)
    return x


def divide(pull: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """pull / distance, both (..., d), with 0/0 = 0: an axis that does not pull does not move."""
    return np.divide(pull, distance, out=np.zeros_like(pull), where=distance > 0)


def _length(pull: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """||delta|| (n,) and sum_i delta_i^2 / (eta - a_i) (n,), positive wherever ||delta|| is."""
    delta = divide(pull, distance)
    return np.linalg.norm(delta, axis=1), np.maximum(
        divide(delta**2, distance).sum(axis=1), np.finfo(float).tiny
    )
