"""What a store keeps on the disk is used again only if it is what was written."""

import pytest
import torch
from small import same, snapshot, tiny
from storing import DATA, Counting, construct_in, equal, train_in

from featlab.constructed import parts_of_mislabel, random_labels
from featlab.engine import chunks, clock, files
from featlab.experiments import store
from featlab.experiments.store import Store


@pytest.fixture(autouse=True)
def parts_of_a_hundred(monkeypatch):
    """The number of parts is the test's, not the processor's."""
    monkeypatch.setattr(chunks, "chunk", lambda kind: 100)
    monkeypatch.setattr(clock, "SHARE", 1e9)  # saving may take as long as it likes


def test_parts_that_changed_places_are_said_and_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    whole = construct_in(Store(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        construct_in(Store(tmp_path, Counting(4)))
    first, second, *_ = sorted(next(tmp_path.glob("*.parts")).iterdir())
    ours, theirs = first.read_bytes(), second.read_bytes()
    first.write_bytes(theirs), second.write_bytes(ours)
    with pytest.warns(UserWarning, match="another setting.*made again"):
        again = construct_in(Store(tmp_path))
    assert equal(whole, again)


def test_saved_parts_leave_enough_images_for_all_processes(monkeypatch):
    """One image left and two processes: the last saved part is made again together."""
    work = parts_of_mislabel(tiny(), DATA[:201], random_labels, None)
    monkeypatch.setattr(store.parallel, "world", lambda: 2)
    part = lambda start, count: store.Part(start, DATA.images[:count], {})  # noqa: E731
    saved = [part(0, 100), part(100, 100)]
    assert [p.start for p in work.startable(saved)] == [0] and len(
        work.startable([*saved, part(200, 1)])
    ) == 3


@pytest.mark.parametrize(
    "noted", ["null", "[]", "{}", "true", "NaN", "-1", "1e999", "9" * 400, '"5"', "[" * 100_000, "", "\0"]
)
def test_a_spoilt_note_of_seconds_is_no_obstacle(noted, tmp_path):
    made = train_in(Store(tmp_path))
    for note in tmp_path.glob("*.seconds"):
        note.write_text(noted)
    store = Store(tmp_path)
    assert same(snapshot(train_in(store)), snapshot(made)) and store.seconds.get("net", 0) == 0


def test_a_value_of_another_format_or_nested_too_deeply_is_said_and_computed_again(tmp_path):
    Store(tmp_path).value("accuracy", "one", lambda: 0.5)
    (path,) = tmp_path.glob("*.json")
    good = path.read_text()
    for spoilt in (
        good.replace('"format": "1"', '"format": "0"'),
        "[" * 100_000,
        good.replace("0.5", "[" * 100_000),
    ):
        path.write_text(spoilt)
        with pytest.warns(UserWarning, match="made again"):
            assert Store(tmp_path).value("accuracy", "one", lambda: 0.5) == 0.5
    assert path.read_text() == good


def test_a_state_of_more_than_tensors_is_refused_before_the_training(tmp_path):
    class Extra(torch.nn.Linear):
        def get_extra_state(self):
            return {"any": 1}

        def set_extra_state(self, state):
            pass

    with pytest.raises(TypeError, match=r"_extra_state.*Store cannot write"):
        Store(tmp_path).model("extra", "x", Extra(64, 4), lambda model: pytest.fail("it was trained"))


def test_a_file_of_the_other_kind_under_one_name_is_said_and_made_again(tmp_path):
    """A model and a dataset of the same name and setting."""
    store = Store(tmp_path)
    path = store.path("wrong", "rule", ".safetensors")
    files.write_tensors(path, snapshot(tiny()), "rule")
    with pytest.warns(UserWarning, match="other images.*made again"):
        made = construct_in(store)
    assert equal(made, construct_in(Store(tmp_path)))
