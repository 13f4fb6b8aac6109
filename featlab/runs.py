"""What surrounds a run on the command line: which preset, what it will cost, one bar over all of it, and when to stop."""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from featlab import engine, models, parallel, speed
from featlab.clock import LOOK, TimeIsUp
from featlab.parallel import say
from featlab.presets import FOR_DATA, PRESETS, Preset
from featlab.reproduce import Lab
from featlab.results import Progress

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


@dataclass
class Within:
    """A Progress that raises TimeIsUp before an item of work that would end after `until`, a time of time.monotonic().

    How long an item takes is judged by those before it, the first of a piece by `expected` (label, total) -> seconds. However short the
    time, one item is done, so that every start comes forward. All processes agree.
    """

    progress: Progress
    until: float = math.inf
    expected: Callable[[str, int], float] = lambda label, total: 0.0
    begun: bool = False

    def look(self, seconds: float) -> int:
        """How many items of so many seconds to do until the next look, about a second's; or TimeIsUp."""
        room = min(LOOK, (self.until - time.monotonic()) / max(seconds, 0.01))
        items = 0 if self.begun and room < 1 else max(1, int(min(room, 1 / max(seconds, 0.01))))
        if not (items := parallel.agreed(items)):
            raise TimeIsUp
        return items

    def __call__(self, items: Iterable, label: str, total: int) -> Iterator:
        self.look(self.expected(label, total))
        since, looked, wait = time.monotonic(), 0, 1
        for done, item in enumerate(self.progress(items, label, total), 1):
            yield item
            self.begun = True
            if done < total and done - looked == wait:
                now = time.monotonic()
                since, looked, seconds = now, done, (now - since) / wait
                wait = self.look(seconds)


@dataclass(frozen=True)
class Estimate:
    """What a preset costs on this machine, from a probe of about a second: operations (10^15) and seconds."""

    pflop: float
    seconds: float

    def __str__(self) -> str:
        hours = self.seconds / 3600
        length = f"{hours:.0f} hours" if hours >= 2 else f"{60 * hours:.0f} minutes"
        return f"{self.pflop:.3g} x 10^15 operations, about {length} on this machine"


def estimate(lab: Lab, passes: float) -> Estimate:
    """Count the operations of so many passes of images through the lab's network, and measure how fast it runs here."""
    shape = lab.data[0].images.shape[1:]
    model = models.build(lab.preset.model, lab.data[0]).to(engine.device())
    images = 32 if engine.device().type == "cpu" else 0
    rate = parallel.agreed(parallel.world() * speed.throughput(model, shape, images))
    return Estimate(passes * speed.flops(model, shape) / speed.PETA, passes / rate)


def confirmed(name: str, cost: Estimate, yes: bool) -> bool:
    """Whether a run may begin: one that takes long on a CPU says so first, offers the small preset, and begins only if wished."""
    if engine.device().type != "cpu" or yes or cost.seconds < LONG:
        say(f"The preset {name} takes {cost}, if nothing of it is there yet.")
        return True
    say(f"There is no GPU here. The preset {name} takes {cost}.")
    say("  --preset small   the same experiment with a small network on 10,000 + 2,000 images of CIFAR-10: minutes on a CPU")
    say("  --yes            begin nevertheless; it can be interrupted at any moment and goes on")
    return False
