"""Make the released networks anew: python -m featlab.embedded.release (half an hour; interrupted, it goes
on).

Everything is trained and measured in float32 from seed 0 by the laptop presets, and written with a card
beside it. Nothing is chosen: each network is the first that its setting gave.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, as_tensor, nn

from featlab.attacks import L2, PGD
from featlab.engine import devices, files
from featlab.experiments import released, reports, store
from featlab.experiments.figure3 import RELEASED, Figure3
from featlab.experiments.lab import Lab
from featlab.experiments.progress import bar
from featlab.experiments.settings import STUDENT
from featlab.experiments.spectra import NETWORKS, PARTS, Spectra
from featlab.training import accuracy
from featlab.types import Dataset

# D_rand's control says one class to every image
STUDENTS = ("D_R", "D_NR", "D_rand", "D_other", "D_det", "D_det control")
_RADII = (0.5, 1.0)


@dataclass(frozen=True)
class Release:
    """One file: its name, the setting that it is found by, its tensors, and what was measured."""

    name: str
    setting: str
    tensors: dict[str, Tensor]
    measured: dict[str, object]


def release_of(name: str, setting: str, model: nn.Module, test: Dataset) -> Release:
    """A trained network with its accuracy, clean and under attack."""
    attacked = {f"{eps:g}": accuracy(model, test, PGD(L2(eps), steps=20)) for eps in _RADII}
    return Release(name, setting, model.state_dict(), {"clean": accuracy(model, test), "attacked": attacked})


def everything(store: store.Store) -> Iterator[Release]:
    """All that is released, in the order of its making."""
    lab, figure, spectra = (
        Lab("laptop", store=store),
        Figure3("laptop", store=store),
        Spectra("laptop", store=store),
    )
    test = lab.data[1]
    for name in ("standard", "robust", "teacher"):
        yield release_of(name, lab.setting(name), lab.model(name), test)
    yield release_of("figure 3 source", figure.lab.setting("teacher"), figure.source, test)
    for name in RELEASED:
        yield release_of(f"figure 3 {name}", figure.setting(name, "D"), figure.target(name), test)
    for name in NETWORKS:
        yield release_of(f"spectra {name}", spectra.lab.setting(name), spectra.lab.model(name), test)
    for name in STUDENTS:
        yield release_of(f"{STUDENT}{name}", lab.setting(f"{STUDENT}{name}"), lab.student(name), test)
    for name in NETWORKS:
        found = spectra.spectrum(name)
        tensors = {part: as_tensor(getattr(found, part)).float() for part in PARTS}
        yield Release(f"spectrum of {name}", spectra.setting(name), tensors, {"images": len(test)})


def main() -> None:
    mine, cards = store.Store(progress=bar, released=False), []
    with devices.precision("float32"):
        for one in everything(mine):
            path = store.Store(released.FOLDER).path(one.name, one.setting, ".safetensors")
            files.write_tensors(path, one.tensors, one.setting)
            cards.append({"name": one.name, "file": path.name, "setting": one.setting, **one.measured})
            about = {"made by": "python -m featlab.embedded.release", "seed": 0, **reports.provenance()}
            reports.write_once(released.FOLDER / "card.json", {**about, "networks": cards})
            print(f"{one.name}: {one.measured.get('clean', '')}", flush=True)


if __name__ == "__main__":
    main()
