"""How far the live trainings of the notebooks scatter over seeds, precisions, threads and instruction sets.

    python -m benchmarks.calibrate                # all runs that results/calibration.json does not hold yet,
                                                  each in a fresh process
    python -m benchmarks.calibrate --one SEED     # one run in this process, as json

Each value is what the notebook's cell measures, by the same calls. Nothing is kept between runs: the released
networks are the same in all, everything made from them is made anew.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import torch

import featlab as fl
from featlab.debate import bugs, leakage, wrong_labels
from featlab.experiments import reports
from featlab.experiments.leaks import TRAINED

PATH = reports.RESULTS / "calibration.json"
MACHINES = {  # what other processors would do, by the environment
    "float32": {"FEATLAB_PRECISION": "float32"},
    "bfloat16": {"FEATLAB_PRECISION": "bfloat16"},
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "FEATLAB_PRECISION": "float32"},
    "SSE4.1": {
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "ATEN_CPU_CAPABILITY": "default",
        "FEATLAB_PRECISION": "float32",
    },
}
PLAN = [  # machine, threads, seeds: many seeds where a run is fast, some of each kind where it is slow
    *(("float32", 1, seed) for seed in range(14)),
    *(("float32", 2, seed) for seed in range(3)),
    *((machine, 1, seed) for seed in range(2) for machine in ("AVX2", "bfloat16", "SSE4.1")),
]
PART = 5000  # images of the sets that notebook 06 makes


def measure(seed: int) -> Iterator[tuple[str, float]]:
    """Every claim's number once, by name."""
    lab = fl.Lab("laptop")
    train, test = lab.data
    part = train[:PART]
    yield "two epochs", fl.accuracy(fl.train(fl.cnn(), train, seed=seed, epochs=2), test)
    yield "D_det", fl.accuracy(fl.train(fl.cnn(), made(lab, "D_det", train, seed), seed=seed), test)
    d_r = fl.robustify(lab.model("robust"), train, fl.Inversion(steps=15, step=1.8), seed=seed)
    yield "D_R", fl.accuracy(fl.train(fl.cnn(), d_r, seed=seed), test, fl.PGD(fl.L2(0.5), steps=20))
    yield from leaks(lab, part, test, seed)
    yield "lucky labels", fl.accuracy(fl.train(fl.cnn(), patterned(lab, part, seed), seed=seed), test)
    for name, noise in (("squares", 0.0), ("noisy squares", 0.2)):
        model = bugs.fitted(400, label_noise=noise, passes=10_000, seed=seed)
        yield name, fl.accuracy(model, bugs.squares(400, seed=7), fl.PGD(fl.Linf(0.05), steps=20))


def made(lab: fl.Lab, name: str, data: fl.Dataset, seed: int) -> fl.Dataset:
    """D_rand or D_det of these images, from the lab's teacher."""
    return fl.mislabel(
        lab.model("teacher"),
        data,
        fl.random_labels if name == "D_rand" else fl.next_labels,
        lab.preset.push,
        seed=seed,
    )


def leaks(lab: fl.Lab, part: fl.Dataset, test: fl.Dataset, seed: int) -> Iterator[tuple[str, float]]:
    """What ten robust numbers teach."""
    robust = leakage.robust_linear(part, TRAINED, seed=seed)
    for name in ("D_rand", "D_det"):
        yield (
            f"leak of {name}",
            fl.accuracy(leakage.on_features(robust, made(lab, name, part, seed), seed=seed), test),
        )


def patterned(lab: fl.Lab, part: fl.Dataset, seed: int) -> fl.Dataset:
    """Lucky labels on clean images, and invented patterns on all others."""
    labels = fl.random_labels(part.labels, 10, torch.Generator().manual_seed(seed))
    return wrong_labels.accidental_only(
        part, labels, labels == part.labels, eps=lab.preset.push.ball.eps, seed=seed
    )


def one(seed: int) -> dict:
    """One run in this process: what it measured, and on what."""
    begun = time.perf_counter()
    values = {name: round(float(value), 4) for name, value in measure(seed)}
    where = {"processor": fl.engine.devices.processor(), "precision": fl.engine.devices.describe_precision()}
    return {"values": values, "seconds": round(time.perf_counter() - begun, 1), **where}


def elsewhere(run: dict) -> dict:
    """A run in a fresh process with the environment of another machine, and an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        more = {"OMP_NUM_THREADS": str(run["threads"]), "FEATLAB_CACHE": cache, **MACHINES[run["machine"]]}
        command = [sys.executable, "-m", "benchmarks.calibrate", "--one", str(run["seed"])]
        said = subprocess.run(
            command, env={**os.environ, **more}, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
    return {**run, **json.loads(said.splitlines()[-1])}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--one", type=int, metavar="SEED", help="one run in this process")
    seed = options.parse_args().one
    if seed is not None:
        print(json.dumps(one(seed)))
        return
    runs = json.loads(PATH.read_text(encoding="utf-8"))["runs"] if PATH.exists() else []
    for run in (dict(zip(("machine", "threads", "seed"), planned, strict=True)) for planned in PLAN):
        if not any(run.items() <= done.items() for done in runs):
            runs.append(elsewhere(run))
            reports.write_once(
                PATH, {"made by": "python -m benchmarks.calibrate", **reports.provenance(), "runs": runs}
            )
            print(runs[-1], flush=True)


if __name__ == "__main__":
    main()
