"""Every 95 % interval in one place: of a fraction, of a mean over images, of a correlation."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from featlab.inputs.checks import between, numbers, whole


class Accuracy(float):
    """A fraction of n images, with its 95 % Wilson interval."""

    n: int

    def __new__(cls, right: int, n: int) -> "Accuracy":
        n = whole(n, "the number of images", least=1)
        what = "the number that is right"
        self = super().__new__(cls, between(whole(right, what), what, 0, n) / n)
        self.n = n
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval of level 95 %."""
        z, n = 1.959964, self.n
        centre, spread = self + z * z / (2 * n), z * math.sqrt(self * (1 - self) / n + z * z / (4 * n * n))
        return max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n))

    def __repr__(self) -> str:
        low, high = self.interval
        return f"{100 * self:.1f} % ({100 * low:.1f} to {100 * high:.1f}, n = {self.n:,})"

    __str__ = __repr__


@dataclass(frozen=True)
class Estimate:
    """A mean over n images for each of k features: value (k,) and its standard error (k,).

    float() takes a single one.
    """

    value: Tensor
    error: Tensor
    n: int

    @property
    def interval(self) -> tuple[Tensor, Tensor]:
        """95 % interval of the mean over images drawn like these: two tensors (k,)."""
        return self.value - 1.96 * self.error, self.value + 1.96 * self.error

    def __float__(self) -> float:
        if len(self.value) != 1:
            raise TypeError(
                f"there are {len(self.value)} features here, so not one number: take .value, a tensor"
            )
        return self.value.item()

    def __repr__(self) -> str:
        low, high = self.interval
        each = zip(self.value.tolist(), low.tolist(), high.tolist(), strict=True)
        words = [f"{v:.3f} ({a:.3f} to {b:.3f})" for v, a, b in each]
        return (
            ", ".join(words[:4])
            + (f", ... {len(words)} features" if len(words) > 4 else "")
            + f" from {self.n:,} images"
        )


@dataclass(frozen=True)
class Correlation:
    """A coefficient over n points with its approximate 95 % interval; with few points the interval is wide,
    and should be read first.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f}, n = {self.n})"


def pearson(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Linear correlation, with Fisher's interval: tanh(atanh(r) +- 1.96 / sqrt(n - 3))."""
    return _fisher(x, y, lambda r: 1.0)


def spearman(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Correlation of the ranks, with Bonett and Wright's interval: Fisher's, wider by sqrt(1 + r^2 / 2)."""
    from scipy.stats import rankdata  # half a second to import, and nothing else here needs it

    return _fisher(rankdata(numbers(x, "x")), rankdata(numbers(y, "y")), lambda r: math.sqrt(1 + r * r / 2))


def _fisher(x: Sequence[float], y: Sequence[float], widening: Callable[[float], float]) -> Correlation:
    a, b = np.array(numbers(x, "x")), np.array(numbers(y, "y"))
    if a.shape != b.shape or len(a) < 4:
        raise ValueError(
            "a correlation with an interval needs two lists of the same length, at least 4; got "
            f"{a.shape} and {b.shape}"
        )
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("all values of one list are equal, so there is no correlation")
    r = float(np.clip(np.corrcoef(a, b)[0, 1], -1, 1))
    with np.errstate(divide="ignore"):
        centre, spread = np.arctanh(r), 1.959964 * widening(r) / math.sqrt(len(a) - 3)
    return Correlation(r, float(np.tanh(centre - spread)), float(np.tanh(centre + spread)), len(a))


@dataclass(frozen=True, eq=False)
class Mean:
    """A mean over n images, with what each of them adds to it: so that the difference of two means over the
    same images, `a - b`, has the interval of pairs.

    shares  (n,) what each image adds to the value, minus its part of the value: they sum to 0
    """

    value: float
    shares: Tensor

    @property
    def n(self) -> int:
        """How many images."""
        return len(self.shares)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean over images drawn like these."""
        error = 1.959964 * self.shares.double().norm().item()
        return self.value - error, self.value + error

    def __float__(self) -> float:
        return self.value

    def __sub__(self, other: "Mean") -> "Mean":
        if self.n != other.n:
            raise ValueError(
                f"means can be compared over the same images only, not over {self.n} and {other.n}"
            )
        return Mean(self.value - other.value, self.shares - other.shares)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.3f} ({low:.3f} to {high:.3f}, n = {self.n:,})"


@dataclass(frozen=True)
class Runs:
    """The mean over runs with other seeds and its 95 % t-interval, with the runs themselves."""

    values: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(numbers(self.values, "values")))

    @property
    def value(self) -> float:
        """The mean."""
        return sum(self.values) / len(self.values)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's interval of the mean; one run has none."""
        n = len(self.values)
        if n < 2:
            return None
        from scipy.special import stdtrit

        half = float(stdtrit(n - 1, 0.975)) * float(np.std(self.values, ddof=1)) / math.sqrt(n)
        return self.value - half, self.value + half

    def __sub__(self, other: "Runs") -> "Runs":
        """Run by run: of the same seeds."""
        return Runs(tuple(a - b for a, b in zip(self.values, other.values, strict=True)))
