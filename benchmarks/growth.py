"""How cost grows: seconds and memory of each piece against images, their size, steps and networks.

    python -m benchmarks.growth [--most 60000] [--out results]

Each point is a process of its own, with one thread: processor seconds of the work alone, and how much more
memory the process held at its peak than before. The exponent is the slope of the logarithms: 1 is linear.
What a chunk keeps is bounded, so memory grows with the images that come out and not with what passes through
the network.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import featlab as fl
from featlab import models
from featlab.experiments import reports
from featlab.features.spectrum import parts_of_spectrum
from featlab.training import Training
from featlab.types import Dataset

IMAGES, SIZES, STEPS = (1000, 4000, 16_000, 60_000), (28, 48, 64, 96), (5, 10, 20, 40)
PIECES = ("attack", "robustify", "evaluation", "training")


def images(n: int, size: int, channels: int) -> Dataset:
    """So many of the embedded images, again and again, of this size."""
    train = fl.load()[0]
    index = torch.arange(n) % len(train)
    pixels = train.images[index]
    if size != pixels.shape[-1]:
        pixels = (255 * F.interpolate(pixels.float() / 255, size=(size, size), mode="bilinear")).byte()
    return Dataset(pixels.expand(-1, channels, -1, -1).contiguous(), train.labels[index], train.classes)


def point(piece: str, n: int, size: int, steps: int, network: str) -> dict[str, float]:
    """Seconds and megabytes of a piece of work, in this process."""
    torch.set_num_threads(1)
    data = images(n, size, 3 if network in ("residual", "resnet18") else 1)
    model = fl.train(models.build(network, data), data[:50], epochs=1, batch=25, seed=0)
    work = {
        "attack": lambda: fl.PGD(fl.L2(0.5), steps=steps)(model, data.images, data.labels),
        "robustify": lambda: fl.robustify(model, data, steps=steps),
        "evaluation": lambda: fl.predict(model, data.images),
        "training": lambda: [*Training(model, data, recipe=fl.Recipe(epochs=1, batch=125, lr=0.01), seed=0)],
        "spectrum": lambda: [*parts_of_spectrum(model, data, (0.0, 0.25, 0.5)).parts()],
    }[piece]
    before, begun = peak(), time.process_time()
    work()
    return {"seconds": time.process_time() - begun, "megabytes": peak() - before}


def peak() -> float:
    """The most memory that this process has held, in megabytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def elsewhere(*numbers: object) -> dict[str, float]:
    """`point` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.growth", "--point", *map(str, numbers)]
    run = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout.splitlines()[-1])


def exponent(at: list[float], cost: list[float]) -> float:
    """The slope of log cost against log `at`."""
    return float(np.polyfit(np.log(at), np.log(np.maximum(cost, 1e-9)), 1)[0])


def series(most: int) -> dict[str, list[tuple[float, tuple]]]:
    """What is varied -> (where, arguments of `point`), for each piece that it concerns."""
    found: dict[str, list[tuple[float, tuple]]] = {}
    for piece in PIECES:
        found[f"{piece} by images"] = [(n, (piece, n, 28, 2, "cnn")) for n in IMAGES if n <= most]
        found[f"{piece} by pixels"] = [(size**2, (piece, 500, size, 2, "cnn")) for size in SIZES]
    for piece in ("attack", "robustify"):
        found[f"{piece} by steps"] = [(steps, (piece, 500, 28, steps, "cnn")) for steps in STEPS]
    found["spectrum by images"] = [(n, ("spectrum", n, 28, 0, "cnn64")) for n in (50, 100, 200, 400)]
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--most", type=int, default=60_000, help="images")
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    options.add_argument("--point", nargs=5, help=argparse.SUPPRESS)
    o = options.parse_args()
    if o.point:
        piece, n, size, steps, network = o.point
        print(json.dumps(point(piece, int(n), int(size), int(steps), network)))
        return
    rows = {}
    for name, points in series(o.most).items():
        found = [elsewhere(*arguments) for _, arguments in points]
        at, seconds = [where for where, _ in points], [one["seconds"] for one in found]
        rows[name] = {
            "at": at,
            "seconds": [round(value, 3) for value in seconds],
            "megabytes": [round(one["megabytes"]) for one in found],
            "exponent": round(exponent(at, seconds), 2),
        }
        print(f"{name:<24} seconds {rows[name]['seconds']}  exponent {rows[name]['exponent']}", flush=True)
        print(f"{'':<24} megabytes {rows[name]['megabytes']}", flush=True)
    if o.out:
        reports.write_once(o.out / "growth-cpu.json", {"provenance": reports.provenance(), "rows": rows})


if __name__ == "__main__":
    main()
