"""Measured numbers and json: an accuracy is written with its interval, and read as an Entry."""

import json
from typing import Any


class Entry(float):
    """A measured fraction with its 95 % interval, as a report holds it: to four digits.

    interval  (low, high)
    n         of how many images; None for a difference between two networks, image by image
    """

    interval: tuple[float, float]
    n: int | None

    def __new__(cls, value: float, low: float, high: float, n: int | None = None) -> "Entry":
        self = super().__new__(cls, value)
        self.interval, self.n = (low, high), n
        return self

    def __getnewargs__(self) -> tuple:
        return float(self), *self.interval, self.n  # for copies

    def __str__(self) -> str:
        low, high = self.interval
        return f"{100 * self:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def plain(value: Any) -> Any:
    """The value as json carries it: each number that has an interval (an Accuracy, a Rate, an Entry)
    with that, to four digits.
    """
    if hasattr(value, "interval"):
        low, high = value.interval
        numbers = {"value": float(value), "low": low, "high": high}
        size = {} if value.n is None else {"n": value.n}
        return {name: round(number, 4) for name, number in numbers.items()} | size
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def parse(text: str) -> Any:
    """What json text holds, with an Entry for every number that was written with its interval."""
    return json.loads(text, object_hook=_entry)


def _entry(found: dict) -> object:
    return Entry(**found) if found.keys() >= {"value", "low", "high"} else found
