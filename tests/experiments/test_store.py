"""Nothing expensive is computed twice or lost: artifacts by setting, repaired when spoilt,
resumed after any kind of end.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small import linear, same, snapshot
from storing import DATA, RECIPE, Counting, construct_in, equal, train_in, untrained

from featlab.engine import chunks, clock
from featlab.experiments.store import Store
from featlab.training import Training

MAKE = {"model": train_in, "dataset": construct_in}
AGREE = {"model": lambda a, b: same(snapshot(a), snapshot(b)), "dataset": equal}


@pytest.fixture(autouse=True)
def parts_of_a_hundred(monkeypatch):
    """The number of parts is the test's, not the processor's."""
    monkeypatch.setattr(chunks, "chunk", lambda kind: 100)
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
    # at most the step begun is lost, and no finished part
    assert count.done <= total - stop + (1 if kind == "model" else 0)
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
from featlab.engine import chunks, devices
from featlab.engine import clock
from featlab.experiments import reports, store
import test_store
clock.SAVE_EVERY, clock.SHARE, chunks.chunk = 0.0, 1e9, lambda kind: 100

def slowly(items, label, total):
    for item in items:
        print(label, flush=True)
        time.sleep(0.05)
        yield item

with devices.precision("float32"):
    test_store.MAKE[sys.argv[1]](store.Store(Path(sys.argv[2]), slowly))
print("finished", flush=True)
"""


@pytest.mark.parametrize("kind, words", [("model", 25), ("dataset", 3)])
def test_killed_without_warning_it_goes_on_and_ends_the_same(kind, words, tmp_path):
    """kill -9 in the midst of the work; then the same again, bit by bit as if nothing had happened."""
    here = Path(__file__).parent
    found = os.pathsep.join(str(folder) for folder in (here, here.parent, here.parents[1]))
    environment = {**os.environ, "PYTHONPATH": found}
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
def test_weights_of_another_architecture_under_the_same_setting_are_said_and_made_again(
    after, tmp_path, monkeypatch
):
    """A newer version may build another network under the old name;
    whole files and half-trained ones alike.
    """
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    begin = lambda model: Training(model, DATA, recipe=RECIPE, seed=0)  # noqa: E731
    with contextlib.suppress(KeyboardInterrupt):
        Store(tmp_path, Counting(after)).model("net", "recipe", linear(), begin)
    with pytest.warns(UserWarning, match="another architecture.*made again"):
        again = Store(tmp_path).model("net", "recipe", untrained(), begin)
    assert same(
        snapshot(again), snapshot(Store(tmp_path / "whole").model("net", "recipe", untrained(), begin))
    )


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


# parts, notes, folders that cannot be written


def test_parts_that_are_all_there_are_joined_and_none_is_made(tmp_path, monkeypatch):
    """The end that an interruption between the last part and the whole file leaves."""
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    whole = construct_in(Store(tmp_path / "whole"))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Store, "keep", lambda *what: (_ for _ in ()).throw(KeyboardInterrupt()))
        construct_in(Store(tmp_path))
    count = Counting()
    assert equal(whole, construct_in(Store(tmp_path, count))) and count.done == 0


def test_the_first_answer_is_the_same_as_all_later_ones(tmp_path):
    answers = [Store(tmp_path).value("accuracy", "one", lambda: {0.5: (1, 2)}) for _ in range(2)]
    assert answers[0] == answers[1] == {"0.5": [1, 2]}


def test_weights_that_are_tied_are_kept(tmp_path):
    class Tied(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = torch.nn.Linear(64, 4), torch.nn.Linear(64, 4)
            self.b.weight = self.a.weight
            self.register_buffer("view", self.a.bias.detach()[1:])

        def forward(self, x):
            return self.a(x.flatten(1)) + self.b(x.flatten(1))

    begin = lambda model: Training(model, DATA, recipe=RECIPE, seed=0)  # noqa: E731
    made, loaded = (Store(tmp_path).model("tied", "x", Tied(), begin) for _ in range(2))
    assert same(snapshot(made), snapshot(loaded)) and loaded.a.weight is loaded.b.weight
