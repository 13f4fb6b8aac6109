"""How fast attacks, inversions and trainings run here, and what share of the measured matrix-product peak that is.

    python benchmarks/speed.py --models cnn                        # a CPU
    python benchmarks/speed.py --models resnet18 resnet50 --modes plain graph compile --out results/own      # a GPU

A PGD step and an inversion step are two passes of an image through the network, a training step three. Each mode (FEATLAB_STEPS, for a GPU)
is first compared with "plain": how far the attacked images lie from those, over the attack's radius.
"""

import argparse
import os
from pathlib import Path

import torch
from attacks import in_colour
from torch import nn

import featlab as fl
from featlab import constructed, engine, graphs, models, results, speed
from featlab.recipes import Recipe
from featlab.training import Training
from featlab.types import Dataset

STEPS = 30


def rates(model: nn.Module, data: Dataset, batch: int) -> dict[str, float]:
    """Image-steps a second of PGD, inversion and training, each after a warm-up of the same shape."""
    kind, n = data.device.type, len(data)
    attack = fl.PGD(fl.L2(0.5), steps=STEPS)
    run = {
        "PGD step": lambda: attack(model, data.pixels, data.labels),
        "inversion step": lambda: list(constructed.robustifying(model, data, steps=STEPS).parts()),
    }
    found = {}
    for name, work in run.items():
        work()
        found[name] = n * STEPS / min(speed.clock(work, kind) for _ in range(2))
    steps = iter(Training(model, data, recipe=Recipe(epochs=1000, batch=batch, lr=0.01), seed=0))
    for _ in range(5):
        next(steps)
    few = 20 if kind == "cuda" else 4
    found["training step"] = few * batch / speed.clock(lambda: [next(steps) for _ in range(few)], kind)
    return found


def deviation(model: nn.Module, data: Dataset) -> float:
    """How far recorded or compiled steps lead from plain ones: the mean distance of the attacked images, over the attack's radius."""
    attack, mode = fl.PGD(fl.L2(0.5), steps=graphs.PATIENCE + 40), os.environ.get("FEATLAB_STEPS", "graph")
    ours = attack(model, data.pixels, data.labels)
    if engine.device().type in graphs.KINDS and mode != "plain":
        assert any(engine.frozen(model).graphs["steps"].recorded.values()), "no step was recorded, so nothing is compared"
    os.environ["FEATLAB_STEPS"] = "plain"
    theirs = attack(model, data.pixels, data.labels)
    os.environ["FEATLAB_STEPS"] = mode
    return (fl.L2(0).norm(ours - theirs).mean() / 0.5).item()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--models", nargs="+", default=["resnet18", "resnet50"])
    options.add_argument("--modes", nargs="+", default=[graphs.mode()], choices=graphs.MODES)
    options.add_argument("--images", type=int, default=4000)
    options.add_argument("--batch", type=int, default=500)
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    o = options.parse_args()
    data, kind, rows = fl.load()[0][: o.images], engine.device().type, []
    best = speed.peak(kind)
    made = results.provenance()
    print(f"torch {torch.__version__} on {made['device']}, {made['precision']}; matrix products: {best / 1e12:.4g} TFLOP/s")
    print(f"{'':<12}{'mode':<9}{'':<16}{'images/s':>12}{'share of peak':>15}{'off plain':>11}")
    for name in o.models:
        images = data if name == "cnn" else in_colour(data)
        for mode in o.modes:
            os.environ["FEATLAB_STEPS"] = mode
            torch.manual_seed(0)
            model = models.build(name, images).to(data.device)
            model.standardise(images.images)
            model.trained.fill_(True)
            model.eval()
            each, off = speed.flops(model, images.images.shape[1:]), deviation(model, images[:500])
            for work, rate in rates(model, images, o.batch).items():
                share = rate * each * (3 if work == "training step" else 2) / best
                rows.append(
                    {"model": name, "mode": mode, "work": work, "images/s": round(rate), "share": round(share, 4), "off": round(off, 5)}
                )
                print(f"{name:<12}{mode:<9}{work:<16}{rate:>12,.0f}{share:>15.1%}{off:>11.2%}", flush=True)
    if o.out:
        results.write_json(o.out / f"speed-{kind}.json", {"provenance": made, "peak": best, "batch": o.batch, "rows": rows})


if __name__ == "__main__":
    main()
