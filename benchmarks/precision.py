"""Does bfloat16 change the science?

The same model attacked, the same sets trained on, in float32 and in what the processor chooses.

    python benchmarks/precision.py                         # the laptop's preset, some minutes
    python benchmarks/precision.py --preset ten-minutes    # on a GPU

The teacher, the robust model and the sets that are trained on are made in float32. Then each precision makes
the sets again, from the same models (what they achieve, how far they move), and trains fresh networks on the
float32 sets, from the same weights in the same order.
"""

import argparse
from pathlib import Path

from featlab import models
from featlab.engine import devices
from featlab.experiments import reports, store
from featlab.experiments.lab import Lab
from featlab.training import Training, accuracy
from featlab.types import Dataset

ACHIEVED = {"D_R": "distance", "D_rand": "reached"}


def made(lab: Lab, name: str) -> Dataset:
    """A set from models of float32, in the precision that is set."""
    with devices.precision("float32"):
        sources = {
            "standard": lab.model("standard"),
            "teacher": lab.model("teacher"),
            "robust": lab.model("robust"),
        }
    lab.model = sources.__getitem__
    setting = f"{lab.setting(name)} from float32 models; {devices.describe_precision()}"
    return lab.store.dataset(name, setting, lambda: lab.construction(name, lab.data[0]))


def student(lab: Lab, name: str, data: Dataset, seed: int) -> float:
    """Accuracy of a fresh network trained on the set in the precision that is set."""
    setting = f"{lab.setting(name)} of float32, {lab.preset.recipe(name)}, seed {seed}"
    fresh = models.build(lab.preset.model, data)
    begin = lambda model: Training(model, data, recipe=lab.preset.recipe(name), seed=seed)  # noqa: E731
    return float(accuracy(lab.store.model(f"student of {name}", setting, fresh, begin), lab.data[1]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--preset", default="laptop")
    options.add_argument("--seeds", type=int, default=3, help="fresh networks a set and precision")
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    o, rows = options.parse_args(), []
    for name, quantity in ACHIEVED.items():
        with devices.precision("float32"):
            reference = made(Lab(o.preset, store=store.Store(released=False)), name)
        for precision in ("float32", "auto"):
            with devices.precision(precision):
                lab = Lab(o.preset, store=store.Store(released=False))
                report = made(lab, name).report
                students = [round(student(lab, name, reference, seed), 4) for seed in range(o.seeds)]
                where = devices.describe_precision()
            means = {key: round(report[key].float().mean().item(), 4) for key in (quantity, "length")}
            rows.append({"set": name, "precision": where, **means, "students": students})
            achieved = f"{quantity} {means[quantity]:.4f}, length {means['length']:.4f}"
            print(
                f"{name:<8}{where:<24}{achieved:<36}students "
                + "  ".join(f"{100 * s:.1f}" for s in students),
                flush=True,
            )
    if o.out:
        reports.write_once(
            o.out / f"precision-{o.preset}.json", {"provenance": reports.provenance(), "rows": rows}
        )


if __name__ == "__main__":
    main()
