"""How fast attacks, inversions and trainings run here, and what share of the measured matrix-product peak
that is.

    python benchmarks/speed.py --models cnn resnet18 resnet50 --images 125 --batch 125    # a CPU, a quarter
                                                                                          of an hour
    python benchmarks/speed.py --modes plain graph compile --out results/own              # a GPU
    eval "$(python benchmarks/speed.py --choose results/own/speed-cuda.json)"             # from then on in
                                                                                          the fastest way

A PGD step and an inversion step are two passes of an image through the network, a training step three. Each
mode of steps (FEATLAB_STEPS, for a GPU) is first compared with "plain": how far the attacked images lie from
those, over the attack's radius, beside what rounding alone does, plain steps in float32. Trainings have modes
of their own (FEATLAB_TRAINING).
"""

import argparse
import json
import os
from pathlib import Path

import torch
from attacks import in_colour
from torch import Tensor, nn

import featlab as fl
from featlab import constructed, models
from featlab.engine import devices, freezing, graphs
from featlab.experiments import reports, speed
from featlab.recipes import Recipe
from featlab.training import Training
from featlab.types import Dataset

STEPS, RADIUS = 30, 0.5


def rates(model: nn.Module, data: Dataset) -> dict[str, float]:
    """Image-steps a second of PGD and inversion, each after a warm-up of the same shape."""
    kind, n = data.device.type, len(data)
    attack = fl.PGD(fl.L2(RADIUS), steps=STEPS)
    run = {
        "PGD step": lambda: attack(model, data.pixels, data.labels),
        "inversion step": lambda: list(
            constructed.parts_of_robustify(model, data, fl.Inversion(steps=STEPS)).parts()
        ),
    }
    found = {}
    for name, work in run.items():
        work()
        found[name] = n * STEPS / min(speed.clock(work, kind) for _ in range(2))
    return found


def training(model: nn.Module, data: Dataset, batch: int) -> dict[str, float]:
    """Images a second of training; says how long the first steps took, in which a compiled one compiles."""
    kind, batch = data.device.type, min(batch, len(data))
    steps = iter(Training(model, data, recipe=Recipe(epochs=1000, batch=batch, lr=0.01), seed=0))
    first = speed.clock(lambda: [next(steps) for _ in range(5)], kind)
    few = 40 if kind == "cuda" else 4
    rounds = [speed.clock(lambda: [next(steps) for _ in range(few)], kind) for _ in range(3)]
    print(f"{'':<12}{graphs.mode('FEATLAB_TRAINING'):<9}the first five steps of training took {first:.1f} s")
    return {"training step": few * batch / min(rounds)}


def ready(name: str, images: Dataset) -> nn.Module:
    """A fresh network that can be attacked."""
    torch.manual_seed(0)
    model = models.build(name, images).to(images.device)
    model.standardise(images.images)
    model.trained.fill_(True)
    return model.eval()


def attacked(model: nn.Module, data: Dataset, mode: str, precision: str = "auto") -> Tensor:
    """Images after so many steps that recorded ones are among them; on a CPU, where all modes are one,
    after none.
    """
    steps = graphs.REPEATS + 40 if graphs.can_record(devices.device().type) else 0
    os.environ["FEATLAB_STEPS"] = mode
    with devices.precision(precision):
        found = fl.PGD(fl.L2(RADIUS), steps=steps)(model, data.pixels, data.labels)
        if steps and mode != "plain":
            assert any(freezing.frozen(model).graphs["steps"].recorded.values()), (
                "no step was recorded, so nothing is compared"
            )
    return found


def apart(a: Tensor, b: Tensor) -> float:
    """The mean distance of two sets of attacked images, over the attack's radius."""
    return round(fl.L2.norm(a - b).mean().item() / RADIUS, 5)


# what a mode may lead away from plain steps, over the radius, to be chosen; or as far as rounding leads
EXACT = 0.01


def chosen(rows: list[dict]) -> str:
    """The environment in which the first model's PGD steps and its training were fastest,
    as words for a shell.
    """
    own = [row for row in rows if row["model"] == rows[0]["model"]]
    allowed = max(EXACT, *(row["rounding"] for row in own))
    steps = [row for row in own if row["work"] == "PGD step" and row["off"] <= allowed]
    trainings = [row for row in own if row["work"] == "training step"]
    best = [max(each, key=lambda row: row["images/s"])["mode"] for each in (steps, trainings)]
    return "export " + " ".join(f"{name}={mode}" for name, mode in zip(graphs.MODES, best, strict=True))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--models", nargs="+", default=["resnet18", "resnet50"])
    options.add_argument("--modes", nargs="+", default=["plain"], choices=graphs.MODES["FEATLAB_STEPS"])
    options.add_argument("--images", type=int, default=4000)
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    options.add_argument(
        "--choose",
        type=Path,
        help="measure nothing: say the fastest modes of such a json, for a shell's eval",
    )
    o = options.parse_args()
    if o.choose:
        return print(chosen(json.loads(o.choose.read_text(encoding="utf-8"))["rows"]))
    data, kind, rows = fl.load()[0][: o.images], devices.device().type, []
    best = speed.peak(kind)
    made = reports.provenance()
    print(
        f"torch {torch.__version__} on {made['device']}, {made['precision']}; matrix products: "
        f"{best / 1e12:.4g} TFLOP/s"
    )
    print(f"{'':<12}{'mode':<9}{'':<16}{'images/s':>12}{'share of peak':>15}{'off plain':>11}")
    for name in o.models:
        images = data if name == "cnn" else in_colour(data)
        model, few = ready(name, images), images[:500]
        each, plain = speed.flops(model, images.images.shape[1:]), attacked(model, few, "plain")
        rounding = apart(plain, attacked(model, few, "plain", "float32"))
        if graphs.can_record(kind):
            print(f"{name:<12}plain steps in float32 lead off by {rounding:.2%}")
        for mode in o.modes:
            model = ready(name, images)
            off, found = apart(plain, attacked(model, few, mode)), rates(model, images)
            if mode in graphs.MODES["FEATLAB_TRAINING"]:
                os.environ["FEATLAB_TRAINING"] = mode
                found |= training(ready(name, images), images, o.batch)
            for work, rate in found.items():
                share = rate * each * (3 if work == "training step" else 2) / best
                row = {
                    "model": name,
                    "mode": mode,
                    "work": work,
                    "images/s": round(rate),
                    "share": round(share, 4),
                }
                rows.append(row | {"off": off, "rounding": rounding})
                print(f"{name:<12}{mode:<9}{work:<16}{rate:>12,.0f}{share:>15.1%}{off:>11.2%}", flush=True)
            if o.out:  # each time, for a call that is cut short
                table = {
                    "provenance": made,
                    "peak": best,
                    "images": len(data),
                    "batch": o.batch,
                    "rows": rows,
                }
                reports.write_once(o.out / f"speed-{kind}.json", table)


if __name__ == "__main__":
    main()
