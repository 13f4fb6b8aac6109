"""When to save, and when to stop: the time that work may cost if it is lost, and the time that was given."""

import time
from collections.abc import Callable
from typing import TypeVar

from featlab.engine import parallel

_T = TypeVar("_T")
SAVE_EVERY = 2.0  # seconds of work that an interruption may cost, or more where saving takes long:
SHARE = 0.02  # of the time at most goes into saving
LOOK = 10  # items of work between two looks at the clock where several processes must agree on the time


class TimeIsUp(Exception):
    """The time that was given is over; a Progress raises it between two items, and what was made is kept."""


class Saving:
    """When to save: not more often than SAVE_EVERY seconds, nor for more than the SHARE of the time."""

    def __init__(self) -> None:
        self.last, self.took = time.monotonic(), 0.0

    def due(self, item: int) -> bool:
        """Whether enough work has been done since the last time;
        several processes ask each other only at every LOOK-th item.
        """
        if parallel.world() > 1 and item % LOOK:
            return False
        return parallel.broadcast(time.monotonic() - self.last > max(SAVE_EVERY, self.took / SHARE))

    def by(self, save: Callable[[], _T]) -> _T:
        """Save, and note how long it took; what `save` returns is returned."""
        begun = time.monotonic()
        saved = save()
        self.last = time.monotonic()
        self.took = self.last - begun
        return saved
