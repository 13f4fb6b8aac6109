"""A solved example of the open assignment: do non-robust features stand in the upper half of a picture?

    python docs/fourth_set.py [SEEDS]       writes docs/fourth-set.json, one row a seed

D_upper is D_rand, but only the upper half of an image may change. Its control has the same labels on images
that nobody pushed; D_rand itself, made of the same images, is the other end of the scale.
"""

import json
import sys
from pathlib import Path

import torch

import featlab as fl
from featlab.experiments.reports import provenance

IMAGES, EPOCHS, PUSH = 1000, 20, {"steps": 10, "targeted": True}
TABLE = Path(__file__).with_name("fourth-set.json")


class UpperHalf(fl.L2):
    """The changes of length at most eps, in pixels of [0, 1], that leave the lower half of an image alone."""

    def project(self, delta: torch.Tensor) -> torch.Tensor:
        """Both limits: (n, c, h, w) -> (n, c, h, w)"""
        return super().project(self.upper(delta))

    def steepest(self, gradient: torch.Tensor) -> torch.Tensor:
        """The steepest direction among those allowed: (n, c, h, w) -> (n, c, h, w)"""
        return super().steepest(self.upper(gradient))

    @staticmethod
    def upper(delta: torch.Tensor) -> torch.Tensor:
        """What lies in the upper half: (n, c, h, w) -> (n, c, h, w)"""
        rows = torch.arange(delta.shape[2], device=delta.device)[:, None]
        return delta * (rows < delta.shape[2] // 2)


ATTACKS = {
    "D_rand": fl.PGD(fl.L2(1.5), **PUSH),
    "D_upper": fl.PGD(UpperHalf(1.5), **PUSH),
    "control": None,
}


def row(seed: int) -> dict[str, float]:
    """How many of the real test images a student of each set gets right, as a share: one run of the seed."""
    train, test = fl.load("fashion-mnist")
    teacher, some = fl.Lab("laptop").model("teacher"), train[:IMAGES]
    right = {}
    for name, attack in ATTACKS.items():
        made = fl.mislabel(teacher, some, fl.random_labels, attack, seed=seed)
        right[name] = float(fl.accuracy(fl.train(fl.cnn(), made, seed=100 + seed, epochs=EPOCHS), test))
    return right


if __name__ == "__main__":
    rows: list[dict[str, float]] = []
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 10):
        rows.append(row(seed))
        report = {"images": IMAGES, "epochs": EPOCHS, "provenance": provenance(), "rows": rows}
        TABLE.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        print(seed, rows[-1], flush=True)
