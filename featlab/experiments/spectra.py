"""The feature spectra of a standard and of a robust network side by side,
and where the weight of their heads rests (notebook 01).
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from featlab import models
from featlab.engine import devices
from featlab.experiments import presets
from featlab.experiments.lab import Study
from featlab.experiments.plan import Piece
from featlab.experiments.presets import Preset as LabPreset
from featlab.experiments.presets import cost
from featlab.experiments.reports import Report, report_of
from featlab.features import KINDS
from featlab.features.spectrum import RADII, Spectrum, parts_of_spectrum, spectrum_of

NETWORKS = ("standard", "robust")
PARTS = ("gamma", "error", "w")  # of a Spectrum that is released
QUICK_RADII = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5)


@dataclass(frozen=True)
class Preset:
    """Everything that a run depends on but the seed: the lab whose networks are measured, and the radii."""

    lab: LabPreset
    radii: tuple[float, ...] = RADII


PRESETS = {
    "laptop": Preset(replace(presets.PRESETS["laptop"], model="cnn64")),
    "quick": Preset(replace(presets.PRESETS["quick"], model="cnn64", tests=500), QUICK_RADII),
}


class Spectra(Study):
    """Two networks with 64 penultimate units and their spectra;
    each piece is loaded from the store or made.
    """

    presets = PRESETS

    def setting(self, name: str) -> str:
        """The text that says how the spectrum of a network is measured, down to the images."""
        radii, test = self.preset.radii, self.lab.data[1]
        return f"spectrum at {radii} on {test.fingerprint} of ({self.lab.setting(name)})"

    def spectrum(self, name: str) -> Spectrum:
        """That of "standard" or "robust", on the test images; released, from the store, or measured."""
        model, store, radii = self.lab.model(name), self.lab.store, self.preset.radii
        if (tensors := store.release(self.setting(name))) is not None:
            return Spectrum(np.array(radii), **{part: tensors[part].numpy() for part in PARTS})
        lineage = store.lineage(self.lab.setting(name))
        setting = f"{self.setting(name)}{lineage}; {devices.describe_precision()}"
        test = self.lab.data[1]
        found = store.dataset(f"spectrum of {name}", setting, lambda: parts_of_spectrum(model, test, radii))
        return spectrum_of(found, model, radii)


def by_kind(shares: np.ndarray) -> dict[str, float]:
    """One share per kind of feature, (3,), by its name."""
    return {kind: round(float(share), 4) for kind, share in zip(KINDS, shares, strict=True)}


begin = Spectra


def pieces(run: Spectra) -> list[Piece]:
    """Everything that `report` needs."""
    lab, train, test = run.lab, *(len(part) for part in run.lab.data)
    once = cost(lab.preset, train, test)
    units = models.build(lab.preset.model, lab.data[0]).head.in_features
    # up and down for each unit, forward and backward
    walked = 2 * units * test * (2 * len(run.preset.radii) - 1)
    found = [Piece(name, once[name], partial(lab.make, name)) for name in NETWORKS]
    found += [Piece(f"spectrum of {name}", walked, partial(run.spectrum, name)) for name in NETWORKS]
    rows = [f"accuracy of {row}" for row in ("D", "robust")]
    return found + [Piece(name, once[name], partial(lab.make, name)) for name in rows]


def report(run: Spectra) -> Report:
    """Accuracies, and what share of the weight and of the points is of each kind at each radius:
    what results/*-spectra-*.json holds.
    """
    rows = {}
    for name in NETWORKS:
        spectrum = run.spectrum(name)
        kinds = {
            f"{eps:g}": {"weight": by_kind(spectrum.shares(eps)), "points": by_kind(spectrum.counts(eps))}
            for eps in run.preset.radii
        }
        rows[name] = {"accuracy": run.lab.row("D" if name == "standard" else name), "kinds": kinds}
    return report_of(run.preset, run.lab.seed, rows, seconds=run.lab.store.seconds)


def text_table(report: Report) -> str:
    """Where the weight of the heads rests, for a terminal."""
    lines = [f"{'network':<12}{'l2':>6}" + "".join(f"{kind:>26}" for kind in KINDS) + "   % of the weight"]
    for name, row in report["rows"].items():
        for eps, found in row["kinds"].items():
            shares = "".join(f"{100 * found['weight'][kind]:26.1f}" for kind in KINDS)
            lines.append(f"{name:<12}{eps:>6}{shares}")
    return "\n".join(lines)
