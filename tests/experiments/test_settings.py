"""No setting moves by accident: cache keys, with their seeds, are those under which results were stored."""

import hashlib

import pytest
import torch

import featlab as fl
from featlab.experiments import appendix, converse, figure3, leaks, presets, signal, spectra
from featlab.experiments.settings import EXTRA_ROWS, SETS, STUDENT
from featlab.types import Dataset

# the first 16 digits of the sha256 of all settings of seeds 0 and 1, on the images below
KNOWN = {
    "lab laptop": "2cf5002d03cc6560",
    "lab quick": "f92eff8d53975080",
    "lab small": "86b81574bdfcc0c7",
    "lab trial": "7bc2fdc8971394c6",
    "lab ten-minutes": "05f6e6d1f3404384",
    "lab paper": "cac2c318a84e70c9",
    "figure3 laptop": "f8ad00e4610582b7",
    "figure3 quick": "075eb85e183ac033",
    "figure3 cifar10": "22785d5bd566e786",
    "spectra laptop": "b1aa71b9a052345e",
    "spectra quick": "a23b8b47a679d69e",
}


def images(channels: int) -> tuple[Dataset, Dataset]:
    """Images that are the same for ever."""
    size = 28 if channels == 1 else 32
    values = torch.arange(40 * channels * size * size) % 251
    data = Dataset(values.view(40, channels, size, size).byte(), torch.arange(40) % 10, tuple("abcdefghij"))
    return data, data[:20]


def given(lab: fl.Lab) -> fl.Lab:
    """The lab, on these images."""
    lab.data = images(1 if lab.preset.data.startswith("fashion") else 3)
    return lab


def given_figure(figure: figure3.Figure3) -> figure3.Figure3:
    """The figure, on these images."""
    given(figure.lab)
    return figure


def settings_of(kind: str, name: str, seed: int) -> list[str]:
    """All settings of a preset."""
    if kind == "lab":
        lab = given(fl.Lab(name, seed=seed))
        students = [lab.setting(STUDENT + made) for made in (*SETS, "D")]
        return [*(lab.setting(piece) for piece in (*presets.MODELS, *SETS)), *students, lab.identity]
    if kind == "spectra":
        run = spectra.Spectra(name, seed=seed)
        given(run.lab)
        return [run.setting(network) for network in spectra.NETWORKS]
    figure = given_figure(figure3.Figure3(name, seed=seed))
    trained = [figure.setting(one, on) for one in figure.preset.architectures for on in ("D", "D_det")]
    return [*trained, figure.identity, converse.Converse(figure).setting("row")]


@pytest.mark.parametrize("kind_and_name", KNOWN)
def test_settings_are_what_they_were(kind_and_name):
    kind, name = kind_and_name.split()
    text = "\n".join(line for seed in (0, 1) for line in settings_of(kind, name, seed))
    text = text.replace("bfloat16 convolutions", "float32")  # whatever this processor would choose
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == KNOWN[kind_and_name]


def test_every_preset_is_held():
    rooms = {"lab": presets, "figure3": figure3, "spectra": spectra}
    assert set(KNOWN) == {f"{kind} {name}" for kind, room in rooms.items() for name in room.PRESETS}


# seeds


def network_seeds(seed: int) -> dict[str, int]:
    """Every network that a lab of this seed, the appendix and the debate train: name -> training seed."""
    lab = given(fl.Lab("quick", seed=seed))
    fits = {name: lab.settings.model(name) for name in presets.MODELS}
    fits |= {STUDENT + name: lab.settings.student(name) for name in (*SETS, *EXTRA_ROWS)}
    fits["untrained"] = lab.settings.model("untrained")
    fits |= {
        f"{STUDENT}{name} (residual)": lab.settings.student(name, "residual") for name in appendix.RETAUGHT
    }
    seeds = {name: fit.seed for name, fit in fits.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaks, "train", lambda model, data, seed, recipe: seed)
        seeds["independent"] = signal.independent_seed(seed)
        seeds["debate, early"] = leaks.early(lab)
        # one network for every set of the debate: a control and its genuine twin differ in their images only
        seeds["debate, fresh"] = leaks.fresh(lab, lab.data[0])
        seeds["debate, student of other classes"] = leaks.fresh(lab, lab.data[0], shift=1)
    return {f"{name}, seed {seed}": number for name, number in seeds.items()}


def test_no_two_networks_of_ten_labs_and_their_debates_share_a_seed():
    seeds = {name: number for seed in range(10) for name, number in network_seeds(seed).items()}
    assert len(seeds) == 10 * (3 + len(SETS) + len(EXTRA_ROWS) + 2 + 3 + 3)
    assert len(set(seeds.values())) == len(seeds)


def test_a_paper_whose_teacher_is_the_standard_model_trains_it_once():
    lab = given(fl.Lab("paper"))
    assert lab.settings.model("teacher") == lab.settings.model("standard")


@pytest.mark.parametrize("name", figure3.PRESETS)
def test_the_architectures_of_figure_3_have_seeds_of_their_own_and_so_has_its_converse(name):
    taken = set()
    for seed in range(10):
        figure = given_figure(figure3.Figure3(name, seed=seed))
        fits = [figure.fit(one, on).seed for one in figure.preset.architectures for on in ("D", "D_det")]
        lab = [figure.lab.settings.model(one).seed for one in presets.MODELS]
        lab += [figure.lab.settings.student(one).seed for one in ("D_det", "D_det control")]
        # the two students of the converse are twins: only their training set differs
        found = [*fits, *lab, *converse.spared_seeds(seed), converse.student_seed(seed)]
        assert len(set(found)) == len(found) and not taken & set(found)
        taken |= set(found)
