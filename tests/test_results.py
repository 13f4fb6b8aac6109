"""Nothing expensive is computed twice or lost: artifacts by setting, repaired when spoilt, resumed after any kind of end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import linear, patches, same, snapshot, tiny

import featlab as fl
from featlab import clock, engine, results
from featlab.constructed import mislabelling, random_labels
from featlab.results import Store
from featlab.training import Recipe, Training

RECIPE = Recipe(epochs=6, batch=50, lr=0.02, augment=1, average=0.9)
ATTACK = fl.PGD(fl.L2(0.5), steps=2, targeted=True, random_start=True)
DATA = patches(450)


def untrained():
    model = tiny()
    model.trained.fill_(False)
    return model


def train_in(store: Store, setting: str = "recipe", seed: int = 0):
    attack = fl.PGD(fl.L2(0.5), steps=1, random_start=True)
    return store.model("net", setting, untrained(), lambda model: Training(model, DATA, recipe=RECIPE, attack=attack, seed=seed))


def construct_in(store: Store, setting: str = "rule", seed: int = 0):
    return store.dataset("wrong", setting, lambda: mislabelling(tiny(), DATA, random_labels, ATTACK, seed=seed))


def equal(a, b) -> bool:
    return same(results.tensors_of(a), results.tensors_of(b)) and a.classes == b.classes


MAKE = {"model": train_in, "dataset": construct_in}
AGREE = {"model": lambda a, b: same(snapshot(a), snapshot(b)), "dataset": equal}


class Counting:
    """A progress that counts the items of work and can stop after some of them."""

    def __init__(self, stop_after: int = 10**9):
        self.done, self.stop_after = 0, stop_after

    def __call__(self, items, label, total):
        for item in items:
            if self.done == self.stop_after:
                raise KeyboardInterrupt
            self.done += 1
            yield item


@pytest.fixture(autouse=True)
def parts_of_a_hundred(monkeypatch):
    """The number of parts is the test's, not the processor's."""
    monkeypatch.setattr(engine, "chunk", lambda kind: 100)
    monkeypatch.setattr(clock, "SHARE", 1e9)  # saving may take as long as it likes


@pytest.mark.parametrize("kind", MAKE)
def test_the_second_time_is_loaded_and_equal(kind, tmp_path):
    first, second = Counting(), Counting()
    made = MAKE[kind](Store(tmp_path, first))
    loaded = MAKE[kind](Store(tmp_path, second))
    assert first.done > 0 == second.done
    assert AGREE[kind](made, loaded)
    if kind == "model":
        assert not loaded.training and loaded.trained


@pytest.mark.parametrize("kind", MAKE)
def test_another_setting_is_another_file(kind, tmp_path):
    one, two = MAKE[kind](Store(tmp_path), "one", 0), MAKE[kind](Store(tmp_path), "two", 1)
    assert not AGREE[kind](one, two) and len(list(tmp_path.glob("*.safetensors"))) == 2
    count = Counting()
    assert AGREE[kind](one, MAKE[kind](Store(tmp_path, count), "one", 99)) and count.done == 0


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("spoil", ["cut short", "altered"])
def test_a_spoilt_artifact_is_said_and_made_again(kind, spoil, tmp_path):
    made = MAKE[kind](Store(tmp_path))
    (path,) = tmp_path.glob("*.safetensors")
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 255
    path.write_bytes(raw[: len(raw) // 2] if spoil == "cut short" else raw)
    count = Counting()
    with pytest.warns(UserWarning, match="made again"):
        again = MAKE[kind](Store(tmp_path, count))
    assert count.done > 0 and AGREE[kind](made, again)
    MAKE[kind](Store(tmp_path))  # and repaired: no warning now


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("stop_after", [0, 1, 3, 4])
def test_interrupted_at_any_moment_it_goes_on_and_ends_the_same(kind, stop_after, tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    whole = MAKE[kind](Store(tmp_path / "whole"))
    stop = 12 * stop_after if kind == "model" else stop_after
    with pytest.raises(KeyboardInterrupt):
        MAKE[kind](Store(tmp_path, Counting(stop)))
    count, total = Counting(), 54 if kind == "model" else 5
    torch.manual_seed(stop_after)
    again = MAKE[kind](Store(tmp_path, count))
    assert AGREE[kind](whole, again)
    assert count.done <= total - stop + (1 if kind == "model" else 0)  # at most the step begun is lost, and no finished part
    assert not list(tmp_path.glob("*.steps.safetensors")) and not list(tmp_path.glob("*.parts"))


def test_a_spoilt_part_costs_that_part_and_those_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    whole = construct_in(Store(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        construct_in(Store(tmp_path, Counting(4)))
    parts = sorted(next(tmp_path.glob("*.parts")).glob("*.safetensors"))
    assert len(parts) == 4
    os.truncate(parts[2], 100)
    count = Counting()
    with pytest.warns(UserWarning, match="made again"):
        again = construct_in(Store(tmp_path, count))
    assert equal(whole, again) and count.done == 3


SCRIPT = """
import sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)
from featlab import clock, engine, results
import test_results
clock.SAVE_EVERY, clock.SHARE, engine.chunk = 0.0, 1e9, lambda kind: 100

def slowly(items, label, total):
    for item in items:
        print(label, flush=True)
        time.sleep(0.05)
        yield item

with engine.precision("float32"):
    test_results.MAKE[sys.argv[1]](results.Store(Path(sys.argv[2]), slowly))
print("finished", flush=True)
"""


@pytest.mark.parametrize("kind, words", [("model", 25), ("dataset", 3)])
def test_killed_without_warning_it_goes_on_and_ends_the_same(kind, words, tmp_path):
    """kill -9 in the midst of the work; then the same again, bit by bit as if nothing had happened."""
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    command = [sys.executable, "-c", SCRIPT, kind, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        said = [process.stdout.readline().strip() for _ in range(words)]
        process.send_signal(signal.SIGKILL)
    assert "finished" not in said and process.returncode == -signal.SIGKILL
    assert not [p for p in tmp_path.glob("*.safetensors") if "steps" not in p.name]
    count = Counting()
    again = MAKE[kind](Store(tmp_path, count))
    assert count.done < (54 if kind == "model" else 5)  # something was saved
    assert AGREE[kind](MAKE[kind](Store(tmp_path / "whole")), again)


@pytest.mark.parametrize("after", [12, 10**9])
def test_weights_of_another_architecture_under_the_same_setting_are_said_and_made_again(after, tmp_path, monkeypatch):
    """A newer version may build another network under the old name; whole files and half-trained ones alike."""
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    begin = lambda model: Training(model, DATA, recipe=RECIPE, seed=0)  # noqa: E731
    with contextlib.suppress(KeyboardInterrupt):
        Store(tmp_path, Counting(after)).model("net", "recipe", linear(), begin)
    with pytest.warns(UserWarning, match="another architecture.*made again"):
        again = Store(tmp_path).model("net", "recipe", untrained(), begin)
    assert same(snapshot(again), snapshot(Store(tmp_path / "whole").model("net", "recipe", untrained(), begin)))


# values


def test_a_value_is_computed_once_a_setting(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"clean": 0.5, "n": len(calls)}

    for _ in range(2):
        assert Store(tmp_path).value("accuracy", "one", compute) == {"clean": 0.5, "n": 1}
    assert Store(tmp_path).value("accuracy", "two", compute)["n"] == 2


@pytest.mark.parametrize("spoil", [
    lambda raw: raw[: len(raw) // 2],
    lambda raw: "",
    lambda raw: "[1, 2]",
    lambda raw: "null",
    lambda raw: raw.replace("0.5", "0.9"),
    lambda raw: raw.replace("one", "two"),
])  # fmt: skip
def test_a_spoilt_value_is_said_and_computed_again(spoil, tmp_path):
    Store(tmp_path).value("accuracy", "one", lambda: {"clean": 0.5})
    (path,) = (p for p in tmp_path.glob("*.json"))
    path.write_text(spoil(path.read_text()))
    with pytest.warns(UserWarning, match="made again"):
        assert Store(tmp_path).value("accuracy", "one", lambda: {"clean": 0.5}) == {"clean": 0.5}
    Store(tmp_path).value("accuracy", "one", lambda: pytest.fail("it was repaired"))


def test_the_time_that_something_took_is_remembered(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    train_in(first), train_in(second)
    assert first.seconds["net"] == second.seconds["net"] > 0


def test_provenance_says_where_a_number_comes_from():
    says = results.provenance()
    assert {"date", "device", "precision", "featlab", "torch", "python"} <= says.keys()
    assert says["torch"] == torch.__version__ and says["precision"] == "float32" and "threads" in says["device"]
    json.dumps(says)


def test_a_store_takes_its_folder_as_a_string_too(tmp_path):
    assert Store(str(tmp_path)).path("net", "recipe", ".json") == Store(tmp_path).path("net", "recipe", ".json")
