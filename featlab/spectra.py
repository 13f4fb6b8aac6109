"""The feature spectra of a standard and of a robust network side by side, and where the weight of their heads rests (notebook 01)."""

from dataclasses import replace

from featlab import engine, reproduce
from featlab.features import KINDS
from featlab.reproduce import Lab
from featlab.results import Store, provenance
from featlab.spectrum import RADII, Spectrum, measure, measuring

NETWORKS = ("standard", "robust")
QUICK_RADII = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5)
PRESETS = {
    "laptop": (replace(reproduce.PRESETS["laptop"], model="cnn64"), RADII),
    "quick": (replace(reproduce.PRESETS["quick"], model="cnn64", tests=500), QUICK_RADII),
}


class Spectra:
    """Two networks with 64 penultimate units and their spectra; each piece is loaded from the store or made."""

    def __init__(self, preset: str = "laptop", *, seed: int = 0, store: Store | None = None):
        chosen, self.radii = PRESETS[reproduce.known(preset, PRESETS, "preset")]
        self.lab = Lab(chosen, seed=seed, store=store)

    def spectrum(self, name: str) -> Spectrum:
        """That of "standard" or "robust", on the test images."""
        model, (_, test) = self.lab.model(name), self.lab.data
        setting = f"spectrum {self.lab.preset} {self.radii} seed {self.lab.seed} {name} {engine.describe_precision()}"
        measured = self.lab.store.dataset(f"spectrum of {name}", setting, lambda: measuring(model, test, self.radii))
        return measure(measured, model, self.radii)

    def report(self) -> dict:
        """Accuracies, and what share of the weight and of the points is of each kind at each radius, with provenance."""
        rows = {}
        for name in NETWORKS:
            found = self.spectrum(name)
            kinds = {f"{eps:g}": {"weight": _named(found.shares(eps)), "points": _named(found.counts(eps))} for eps in self.radii}
            rows[name] = {"accuracy": self.lab.row("D" if name == "standard" else name), "kinds": kinds}
        preset = {"preset": str(self.lab.preset), "images measured": len(self.lab.data[1])}
        return {"seed": self.lab.seed, **preset, "provenance": provenance(), "rows": rows, "seconds": self.lab.store.seconds}


def _named(shares) -> dict[str, float]:
    return {kind: round(float(share), 4) for kind, share in zip(KINDS, shares, strict=True)}
