"""How far each loop is from its floor: the convolutions and matrix products that it cannot do without.

    python -m benchmarks.floor [--images 500] [--rounds 9] [--out results]

The floor of a step is measured in the same run as the step, on the same processor, so that the ratio says the
same on every machine. It is the network's convolutions and matrix products alone, with channels last in
memory, each for the chunk of images in which it is fastest: forward and the gradient with respect to its
input for a step that follows pixels, and that of its weights as well for a step of training. What lies
between is elementwise work, layouts, pooling, allocation and Python. Rounds are interleaved, medians are
printed, one thread.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import featlab as fl
from featlab import models
from featlab.engine import devices
from featlab.experiments import reports
from featlab.experiments.speed import clock
from featlab.features.spectrum import parts_of_spectrum
from featlab.training import Training
from featlab.types import Dataset

CHUNKS = (125, 250, 500)
STEPS, INNER = 30, 5
RADII = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Product:
    """One convolution or matrix product of a network: the layer, and the shape of an image's input to it."""

    layer: nn.Conv2d | nn.Linear
    shape: tuple[int, ...]
    first: bool

    def work(self, n: int, dtype: torch.dtype, weights: bool, pixels: bool) -> Callable[[], object]:
        """Forward and backward of n images, on random numbers.

        weights  the gradient of the weights as well
        pixels   the gradient of the input even of the first layer
        """
        wanted = [pixels or not self.first, weights, False]
        x = torch.randn(n, *self.shape).to(dtype)
        w = self.layer.weight.detach().to(dtype)
        if isinstance(self.layer, nn.Linear):
            return partial(_linear, x, w, wanted)
        x, w = (t.to(memory_format=torch.channels_last) for t in (x, w))
        g = F.conv2d(x, w, None, self.layer.stride, self.layer.padding)
        back = partial(
            torch.ops.aten.convolution_backward,
            torch.randn_like(g), x, w, None, self.layer.stride, self.layer.padding, (1, 1), False, (0, 0), 1,
            wanted,
        )  # fmt: skip
        return lambda: (F.conv2d(x, w, None, self.layer.stride, self.layer.padding), any(wanted) and back())


def _linear(x: Tensor, w: Tensor, wanted: list[bool]) -> object:
    y = F.linear(x, w)
    return y, wanted[0] and y @ w, wanted[1] and y.T @ x


def products(model: nn.Module, x: Tensor) -> list[Product]:
    """The convolutions and matrix products of a network, in the order in which images x (n, c, h, w) meet
    them.
    """
    found: list[Product] = []

    def note(layer: nn.Module, given: tuple[Tensor]) -> None:
        found.append(Product(layer, tuple(given[0].shape[1:]), first=not found))

    layers = [part for part in model.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_pre_hook(note) for layer in layers]
    with torch.no_grad():
        model(x[:2])
    for hook in hooks:
        hook.remove()
    return found


def floor_of(each: list[Product], dtype: torch.dtype, weights: bool = False, pixels: bool = True) -> float:
    """Seconds that an image's products take at least: each in the chunk in which it is fastest."""
    return sum(min(_seconds(one.work(n, dtype, weights, pixels)) / n for n in CHUNKS) for one in each)


def _seconds(work: Callable[[], object]) -> float:
    work()
    return median(clock(work) for _ in range(3))


@dataclass(frozen=True)
class Loop:
    """A loop, how many steps of an image a call of it makes, and the floor of one of them in seconds."""

    run: Callable[[], object]
    steps: int
    floor: Callable[[], float]


def loops(model: nn.Module, units: nn.Module, data: Dataset, dtype: torch.dtype) -> dict[str, Loop]:
    """What featlab spends its time on, each beside its floor."""
    n, attack = len(data), fl.PGD(fl.L2(0.5), steps=STEPS)
    each, of_units = products(model, data.pixels), products(units, data.pixels)
    inner = fl.PGD(fl.L2(1.0), steps=INNER)
    step = partial(floor_of, each, dtype)
    train = partial(floor_of, each, dtype, weights=True, pixels=False)

    def trained(attack: fl.PGD | None) -> None:
        recipe = fl.Recipe(epochs=1, batch=125, lr=0.01)
        list(Training(models.build("cnn", data), data, attack=attack, recipe=recipe, seed=0))

    k = units.head.in_features
    walked = 2 * k * (len(RADII) - 1) + 2 * k
    return {
        "PGD step": Loop(lambda: attack(model, data.pixels, data.labels), n * STEPS, step),
        "inversion step": Loop(
            lambda: fl.robustify(model, data, steps=STEPS), n * STEPS, partial(floor_of, each[:-1], dtype)
        ),
        "training step": Loop(lambda: trained(None), n, train),
        "adversarial training step": Loop(
            lambda: trained(inner), n, lambda: train() + INNER * step()
        ),
        "spectrum step": Loop(
            lambda: list(parts_of_spectrum(units, data[:100], RADII).parts()),
            100 * walked,
            partial(floor_of, of_units[:-1], dtype),
        ),
    }  # fmt: skip


def measure(precision: str, images: int, rounds: int) -> dict[str, dict[str, float]]:
    """Each loop's microseconds an image and step, its floor's, and how many times that is; medians."""
    with devices.precision(precision):
        data = fl.load()[0][:images]
        model, units = (
            fl.train(models.build(name, data), data, epochs=1, seed=0) for name in ("cnn", "cnn64")
        )
        dtype = torch.bfloat16 if devices.describe_precision().startswith("bfloat16") else torch.float32
        each = loops(model, units, data, dtype)
        found = {name: [] for name in each}
        for loop in each.values():
            loop.run()
        for _ in range(rounds):
            for name, loop in each.items():
                found[name].append((clock(loop.run) / loop.steps, loop.floor()))
    rows = {}
    for name, pairs in found.items():
        step, floor = (1e6 * median(column) for column in zip(*pairs, strict=True))
        times = median(one / least for one, least in pairs)
        rows[name] = {"us": round(step, 2), "floor us": round(floor, 2), "times the floor": round(times, 2)}
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--images", type=int, default=500)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    o = options.parse_args()
    torch.set_num_threads(1)
    table: dict = {"provenance": reports.provenance(), "images": o.images, "rounds": o.rounds, "rows": {}}
    for precision in dict.fromkeys((reports.provenance()["precision"], "float32")):
        rows = measure("float32" if precision == "float32" else "auto", o.images, o.rounds)
        table["rows"][precision] = rows
        print(f"\n{precision:<28}{'us':>9}{'floor':>9}{'times':>8}")
        for name, row in rows.items():
            us, floor, times = row.values()
            print(f"{name:<28}{us:9.1f}{floor:9.1f}{times:8.2f}", flush=True)
    if o.out:
        reports.write_once(o.out / "floor-cpu.json", table)


if __name__ == "__main__":
    main()
