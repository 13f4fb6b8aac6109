"""Covariances of all sizes, scales and conditions, and how many of them a test draws."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

THREE = np.diag([4.0, 1.0, 0.5])
lawful = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
few = settings(lawful, max_examples=15)
seeds = st.integers(0, 2**32 - 1)
radii = st.floats(-6, 6).map(lambda p: 10.0**p)


def rotation(d, rng):
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


@st.composite
def covariances(draw, max_d=50, decades=6.0, min_d=1):
    """Random axes, eigenvalues spread over up to `decades` powers of ten, any scale."""
    d, rng = draw(st.integers(min_d, max_d)), np.random.default_rng(draw(seeds))
    spread = draw(st.floats(0, decades)) * rng.random(d)
    Q = rotation(d, rng)
    cov = 10.0 ** draw(st.floats(-2, 2)) * (Q * 10**spread) @ Q.T
    return (cov + cov.T) / 2


def eigenvalues(cov):
    return np.linalg.eigvalsh(cov)
