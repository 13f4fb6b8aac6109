"""What a second core is worth: workers, each with a chunk of its own, beside threads inside operations.

    python -m benchmarks.workers [--images 1000] [--rounds 7] [--out results]

Attack, inversion, evaluation, spectrum and adversarial training, each with one thread, with as many workers
as there are threads, and with those threads inside operations instead; then all of it again beside as many
busy processes as `--busy` says. Rounds are interleaved, medians are printed, as multiples of one thread's
speed in the same surroundings.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from unittest import mock

import torch
from torch import nn

import featlab as fl
from featlab import models
from featlab.engine import workers
from featlab.experiments import reports
from featlab.experiments.speed import clock
from featlab.features.spectrum import parts_of_spectrum
from featlab.training import Training
from featlab.types import Dataset

STEPS, RADII = 10, (0.0, 0.25, 0.5, 1.0)


def loops(model: nn.Module, units: nn.Module, data: Dataset) -> dict[str, Callable[[], object]]:
    """What featlab does chunk by chunk."""
    attack = fl.PGD(fl.L2(0.5), steps=STEPS)

    def defend() -> None:
        recipe = fl.Recipe(epochs=1, batch=125, lr=0.01)
        inner = fl.PGD(fl.L2(1.0), steps=5)
        list(Training(models.build("cnn", data), data[:500], attack=inner, recipe=recipe, seed=0))

    def train() -> None:
        list(
            Training(models.build("cnn", data), data, recipe=fl.Recipe(epochs=1, batch=125, lr=0.01), seed=0)
        )

    return {
        "attack": lambda: attack(model, data.pixels, data.labels),
        "inversion": lambda: fl.robustify(model, data, steps=STEPS),
        "evaluation": lambda: fl.predict(model, data.images),
        "spectrum": lambda: list(parts_of_spectrum(units, data[:60], RADII).parts()),
        "adversarial training": defend,
        "training": train,
    }


@contextmanager
def threads(number: int, inside: bool = False) -> Iterator[None]:
    """Within this block torch may use so many threads, as workers or, if `inside`, within operations."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    with mock.patch.object(workers, "MOST_WORKERS", 1 if inside else number):
        yield
    torch.set_num_threads(before)


@contextmanager
def beside(busy: int) -> Iterator[None]:
    """Within this block so many processes of one thread compute as well."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure(each: dict[str, Callable[[], object]], number: int, rounds: int) -> dict[str, dict[str, float]]:
    """How many times as fast as one thread `number` of them are; medians of rounds."""
    ways = {"one thread": (1, False), "workers": (number, False), "threads inside": (number, True)}
    took: dict[str, dict[str, list[float]]] = {name: {way: [] for way in ways} for name in each}
    for turn in range(rounds + 1):
        for name, run in each.items():
            for way, (many, inside) in ways.items():
                with threads(many, inside):
                    seconds = clock(run)
                if turn:
                    took[name][way].append(seconds)
    return {
        name: {"seconds of one": round(median(of["one thread"]), 3)}
        | {
            way: round(median(one / many for one, many in zip(of["one thread"], of[way], strict=True)), 2)
            for way in (*ways,)[1:]
        }
        for name, of in took.items()
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--busy", type=int, default=1)
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    o = options.parse_args()
    number, data = torch.get_num_threads(), fl.load()[0][: o.images]
    model, units = (fl.train(models.build(name, data), data, epochs=1, seed=0) for name in ("cnn", "cnn64"))
    each = loops(model, units, data)
    table: dict = {"provenance": reports.provenance(), "images": o.images, "rounds": o.rounds, "rows": {}}
    for busy in (0, o.busy):
        with beside(busy):
            rows = table["rows"][f"beside {busy} busy"] = measure(each, number, o.rounds)
        print(f"\nbeside {busy} busy processes{'seconds of one':>20}{'workers':>10}{'inside':>10}")
        for name, row in rows.items():
            one, many, inside = row.values()
            print(f"{name:<26}{one:>18.2f}{many:>10.2f}{inside:>10.2f}")
    if o.out:
        reports.write_once(o.out / "workers-cpu.json", table)


if __name__ == "__main__":
    main()
