"""The released networks are whole, found by their setting, and as right as their card says."""

import json
import shutil
from pathlib import Path

import pytest
import torch

import featlab as fl
from featlab.experiments import released, store


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A copy of the released networks that a test may damage."""
    folder = tmp_path / "networks"
    shutil.copytree(released.FOLDER, folder)
    monkeypatch.setattr(released, "FOLDER", folder)
    released.card.cache_clear()
    yield folder
    released.card.cache_clear()


def file_of(folder: Path, name: str) -> Path:
    return next(folder / entry["file"] for entry in released.card().values() if entry["name"] == name)


def test_every_file_is_whole_named_on_the_card_and_together_they_are_small():
    entries = released.card()
    assert all(released.find(setting) is not None for setting in entries)
    assert {entry["file"] for entry in entries.values()} == {
        path.name for path in released.FOLDER.glob("*.safetensors")
    }
    assert sum(path.stat().st_size for path in released.FOLDER.iterdir()) < 8 * 2**20


def test_released_networks_are_there_at_once_and_as_right_as_the_card_says(tmp_path):
    lab = fl.Lab("laptop", store=fl.Store(tmp_path, lambda *_: pytest.fail("nothing needs to be made")))
    pieces = {"standard": "standard", "student of D_det": "student of D_det"}
    for piece, name in pieces.items():
        entry = released.card()[lab.setting(piece)]
        assert entry["name"] == name and lab.source(piece) == store.RELEASE
        assert float(fl.accuracy(lab.make(piece), lab.data[1])) == entry["clean"]


def test_a_damaged_release_is_made_anew_and_said(elsewhere, tmp_path):
    path = file_of(elsewhere, "teacher")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="altered"):
        assert released.find(fl.Lab("laptop").setting("teacher")) is None


def test_a_copy_without_the_release_says_so_once_and_goes_on(elsewhere):
    (elsewhere / "card.json").unlink()
    with pytest.warns(UserWarning, match="not in this copy of featlab") as said:
        assert released.find("anything") is None and released.find("anything else") is None
    assert len(said) == 1


def test_the_readers_own_whole_file_comes_before_the_release_and_a_damaged_one_after(tmp_path):
    lab = fl.Lab("laptop", store=fl.Store(tmp_path))
    setting = f"{lab.setting('teacher')}; {fl.engine.devices.describe_precision()}"
    path = lab.store.path("teacher", setting, ".safetensors")
    mine = {name: torch.zeros_like(t) for name, t in lab.model("teacher").state_dict().items()}
    fl.engine.files.write_tensors(path, mine, setting)
    assert lab.source("teacher") == store.CACHE and not lab.model("teacher").head.weight.any()
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.warns(UserWarning, match="cut short"):
        assert lab.source("teacher") == store.RELEASE


def test_what_is_made_from_a_released_network_is_kept_apart_from_what_commands_make(tmp_path):
    notebook, command = (
        fl.Lab("laptop", store=fl.Store(tmp_path, released=taken)) for taken in (True, False)
    )
    assert notebook.lineage("D_det") == "; from a released network"
    command.model = lambda name: None  # nothing is trained in this test
    assert command.lineage("D_det") == "" and notebook.lineage("D") == ""


def test_the_card_holds_what_a_reader_must_know():
    card = json.loads((released.FOLDER / "card.json").read_text())
    assert card["precision"] == "float32" and card["seed"] == 0 and {"date", "device", "torch"} <= set(card)
