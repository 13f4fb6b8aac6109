"""What surrounds a run on the command line: which preset, what it will cost, one bar over all of it, and when to stop."""

import math
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from featlab import engine, models, parallel, speed
from featlab.clock import LOOK, TimeIsUp
from featlab.presets import FOR_DATA, PRESETS, Preset, cost
from featlab.results import Progress
from featlab.types import Dataset

LONG = 1800  # seconds above which a run on a CPU wants to be confirmed
UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str | None) -> float:
    """ "90", "90s", "9m" or "1.5h" in seconds; no text is no limit."""
    if text is None:
        return math.inf
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        value = float(number) * UNITS[unit]
    except ValueError:
        value = -1.0
    if not value > 0:
        raise ValueError(f"{text!r} is no time: say 90s, 9m or 1.5h")
    return value


def chosen(preset: str | None, data: str | None) -> tuple[str, Preset]:
    """The preset that these options mean, with its name: by default that of the data."""
    name = preset or FOR_DATA.get(data or "fashion-mnist", "laptop")
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}: choose one of {', '.join(PRESETS)}")
    return name, replace(PRESETS[name], data=data) if data else PRESETS[name]


class OneBar:
    """A Store's progress as one bar over all the work left, in passes of images through the network, with the time left."""

    def __init__(self, costs: dict[str, float]):
        from tqdm import tqdm

        self.costs = dict(costs)
        form = "{percentage:3.0f}% {bar} {elapsed} so far, {remaining} left  {desc}"
        quiet = bool(parallel.rank())
        self.bar = tqdm(total=sum(costs.values()), bar_format=form, dynamic_ncols=True, file=sys.stderr, disable=quiet)

    def __call__(self, items: Iterable, label: str, total: int) -> Iterator:
        """Show that `label` is being made."""
        share = self.costs.pop(label, 0)
        self.bar.set_description_str(label)
        for item in items:
            yield item
            self.bar.update(min(share / total, self.bar.total - self.bar.n))  # the sum of rounded shares may be a little more

    def settle(self, label: str) -> None:
        """What was loaded instead of made is no longer work left."""
        self.bar.total -= self.costs.pop(label, 0)
        self.bar.refresh()


def within(progress: Progress, until: float) -> Progress:
    """The same progress, which raises TimeIsUp between two items of work once time.monotonic() is past `until`; all processes agree."""

    def look() -> None:
        if parallel.agreed(time.monotonic() > until):
            raise TimeIsUp

    def watched(items: Iterable, label: str, total: int) -> Iterator:
        look()
        for done, item in enumerate(progress(items, label, total), 1):
            yield item
            if done < total and (parallel.world() == 1 or done % LOOK == 0):
                look()

    return watched


@dataclass(frozen=True)
class Estimate:
    """What a preset costs on this machine, from a probe of about a second: operations (10^15) and hours."""

    pflop: float
    hours: float

    def __str__(self) -> str:
        length = f"{self.hours:.0f} hours" if self.hours >= 2 else f"{60 * self.hours:.0f} minutes"
        return f"{self.pflop:.3g} x 10^15 operations, about {length} on this machine"


def estimate(preset: Preset, data: tuple[Dataset, Dataset], images: int = 32) -> Estimate:
    """Count the operations of all pieces, and measure how fast the network runs here."""
    shape = data[0].images.shape[1:]
    model = models.build(preset.model, data[0]).to(engine.device())
    passes = sum(cost(preset, *(len(part) for part in data)).values())
    return Estimate(passes * speed.flops(model, shape) / speed.PETA, passes / speed.throughput(model, shape, images) / 3600)


def confirmed(name: str, preset: Preset, data: tuple[Dataset, Dataset], yes: bool) -> bool:
    """Whether a run may begin: one that takes long on a CPU says so first, offers the small preset, and begins only if wished."""
    if engine.device().type != "cpu" or preset.model == "cnn" or yes:
        return True
    cost = estimate(preset, data)
    if 3600 * cost.hours < LONG:
        return True
    print(f"There is no GPU here. The preset {name} takes {cost}.")
    print("  --preset small   the same experiment with a small network on 10,000 + 2,000 images of CIFAR-10: minutes on a CPU")
    print("  --yes            begin nevertheless; it can be interrupted at any moment and goes on")
    return False
