"""Figure 14: data on which one linear rule is perfectly accurate and perfectly robust, and standard training
misses it.

    y uniform on {-1, +1},    x_1 = y U[2, 20],    x_2 = y U[0.2, 1]

Both coordinates separate the classes. Only x_1 does so from afar: the rule sign(x_1) survives every
perturbation of length below 2.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit

from featlab.gaussian.checks import check_count, check_number, check_points, check_rng, check_signs


def sample_separable(n: int, rng: np.random.Generator | int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw x (n, 2) and y (n,) in {-1, +1}. rng is a Generator or a seed."""
    n, rng = check_count(n, "the number of points"), check_rng(rng)
    y = rng.choice([-1.0, 1.0], size=n)
    return y[:, None] * rng.uniform([2, 0.2], [20, 1], size=(n, 2)), y


def logistic_regression(x: ArrayLike, y: ArrayLike, ridge: float = 1e-3) -> np.ndarray:
    """Weights (d,) of least mean log(1 + exp(-y w.x)) + ridge/2 ||w||_2^2.

    On separable data, as ridge goes to 0, w turns to the direction of largest l2 margin: of all linear rules
    the most robust one in l2.
    """
    x = check_points(x)
    if not len(x) or not 0 <= check_number(ridge, "ridge") < np.inf:
        raise ValueError(f"a fit needs points and a ridge from 0 up, got points {x.shape} and ridge {ridge}")
    signed = check_signs(y, len(x))[:, None] * x

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = signed @ w
        gradient = ridge * w - signed.T @ expit(-margin) / len(x)
        return np.logaddexp(0, -margin).mean() + ridge / 2 * w @ w, gradient

    return minimize(
        loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9}
    ).x
