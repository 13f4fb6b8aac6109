"""What surrounds a run on the command line: which preset, what it will cost, one bar over all of it,
and when to stop.
"""

import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from featlab import models
from featlab.data import NAMES
from featlab.engine import devices, parallel
from featlab.engine.clock import LOOK, TimeIsUp
from featlab.engine.parallel import say
from featlab.experiments import speed
from featlab.experiments.lab import Lab
from featlab.experiments.plan import with_data
from featlab.experiments.progress import Progress
from featlab.inputs.options import known_option
from featlab.inputs.options import seconds_of as seconds_of

LONG = 1800  # seconds above which a run on a CPU wants to be confirmed


def choose_preset(preset: str | None, data: str | None, room: ModuleType) -> tuple[str, Any]:
    """The preset of an experiment that these options mean, with its name: by default that of the data."""
    if data is not None and not Path(data).expanduser().is_dir():
        known_option(data, NAMES, "dataset, and no folder,")
    if preset is None:
        preset = getattr(room, "FOR_DATA", {}).get(data or "fashion-mnist", "laptop")
    name = known_option(preset, room.PRESETS, getattr(room, "KIND", "preset"))
    return name, with_data(room.PRESETS[name], data)


def check_options(lab: Lab) -> Lab:
    """The lab, if its data can be learned: an experiment on one class would run for long and say nothing."""
    if (classes := lab.data[0].num_classes) < 2:
        raise ValueError(
            f"{lab.preset.data} has {classes} class, and there is nothing to tell apart: it needs "
            "at least two"
        )
    return lab


class WorkBar:
    """A Store's progress as one bar over all the work left, in passes of images through the network,
    with the time left.

    resumed  what is said above the bar when the first piece is made: that others were found
    making   whether any piece was made
    """

    resumed, making = "", False

    def __init__(self, costs: dict[str, float]):
        from tqdm import tqdm

        self.costs = dict(costs)
        form = "{percentage:3.0f}% {bar} {elapsed} so far, {remaining} left  {desc}"
        quiet = bool(parallel.rank())
        self.bar = tqdm(
            total=sum(costs.values()), bar_format=form, dynamic_ncols=True, file=sys.stderr, disable=quiet
        )

    def __call__(self, items: Iterable, label: str, total: int) -> Iterator:
        """Show that `label` is being made."""
        if self.resumed and not self.making and not parallel.rank():
            self.bar.write(self.resumed, file=sys.stderr)
        self.making = True
        share = self.costs.pop(label, 0)
        self.bar.set_description_str(label)
        for item in items:
            yield item
            # the sum of rounded shares may be a little more
            self.bar.update(min(share / total, self.bar.total - self.bar.n))

    def settle(self, label: str) -> None:
        """What was loaded instead of made is no longer work left."""
        self.bar.total -= self.costs.pop(label, 0)
        self.bar.refresh()


@dataclass
class Deadline:
    """A Progress that raises TimeIsUp before an item of work that would end after `until`, a time of
    time.monotonic().

    How long an item takes is judged by those before it, the first of a piece by `expected` (label, total) ->
    seconds. However short the time, one item is done, so that every start comes forward. All processes agree.
    """

    progress: Progress
    until: float = math.inf
    expected: Callable[[str, int], float] = lambda label, total: 0.0
    begun: bool = False

    def look(self, seconds: float) -> int:
        """How many items of so many seconds to do until the next look, about a second's; or TimeIsUp."""
        room = min(LOOK, (self.until - time.monotonic()) / max(seconds, 0.01))
        items = 0 if self.begun and room < 1 else max(1, int(min(room, 1 / max(seconds, 0.01))))
        if not (items := parallel.broadcast(items)):
            raise TimeIsUp
        return items

    def __call__(self, items: Iterable, label: str, total: int) -> Iterator:
        self.look(self.expected(label, total))
        begun, look_at = time.monotonic(), 1
        for done, item in enumerate(self.progress(items, label, total), 1):
            yield item
            self.begun = True
            if (
                look_at == done < total
            ):  # by all so far: of several made at once, one comes late and others at once
                look_at += self.look((time.monotonic() - begun) / done)


@dataclass(frozen=True)
class Forecast:
    """What a preset costs on this machine, from a probe of about a second: operations (10^15) and seconds."""

    pflop: float
    seconds: float

    def __str__(self) -> str:
        hours = self.seconds / 3600
        length = f"{hours:.0f} hours" if hours >= 2 else f"{60 * hours:.0f} minutes"
        return f"{self.pflop:.3g} x 10^15 operations, about {length} on this machine"


def forecast(lab: Lab, passes: float) -> Forecast:
    """Count the operations of so many passes of images through the lab's network,
    and measure how fast it runs here.
    """
    shape = lab.data[0].images.shape[1:]
    model = models.build(lab.preset.model, lab.data[0]).to(devices.device())
    images = 32 if devices.device().type == "cpu" else 0
    rate = parallel.broadcast(parallel.world() * speed.throughput(model, shape, images))
    return Forecast(passes * speed.flops(model, shape) / speed.PETA, passes / rate)


def confirm(name: str, cost: Forecast, yes: bool) -> bool:
    """Whether a run may begin: one that takes long on a CPU says so first, offers the small preset,
    and begins only if wished.
    """
    if devices.device().type != "cpu" or yes or cost.seconds < LONG:
        say(f"The preset {name} takes {cost}, if nothing of it is there yet.")
        return True
    say(f"There is no GPU here. The preset {name} takes {cost}.")
    say(
        "  --preset small   the same experiment with a small network on 10,000 + 2,000 images of "
        "CIFAR-10: minutes on a CPU"
    )
    say("  --yes            begin nevertheless; it can be interrupted at any moment and goes on")
    return False
