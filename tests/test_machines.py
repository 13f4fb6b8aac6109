"""What a run is told of its time and cost, and what happens when time, disk or machine give out."""

import json
from itertools import count

import pytest
import torch
from small import tiny
from work import DATA

import featlab as fl
from featlab import __main__ as command
from featlab import models
from featlab.command import handler, runs
from featlab.engine import chunks, clock
from featlab.experiments import presets, reproduce, speed, store
from featlab.recipes import Recipe

# runs

TINY = presets.Preset(
    images=60,
    tests=40,
    student=Recipe(epochs=2, batch=20, lr=0.1),
    teacher=None,
    defence=Recipe(epochs=1, lr=0.1),
    inner=fl.PGD(fl.L2(1.0), steps=1),
    inversion=(2, 1.0),
    push=fl.PGD(fl.L2(1.5), steps=2, targeted=True),
    steps=2,
    students=(("D_rand", Recipe(epochs=1, lr=0.02)),),
)


def test_a_run_in_pieces_ends_with_the_same_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(presets.PRESETS, "tiny", TINY)
    words = ["reproduce", "--preset", "tiny", "--out", str(tmp_path)]
    assert command.main(words) == 0
    path = tmp_path / "fashion-mnist-tiny-seed0.json"
    whole = json.loads(path.read_text())["rows"]
    path.unlink()
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "other"))
    pieces = 0
    while (status := command.main([*words, "--stop-after", "12s"])) == command.TIME_IS_UP:
        assert not path.exists() and "same command again" in capsys.readouterr().err
        left = path.with_name("fashion-mnist-tiny-partial-seed0.json")
        assert not left.exists() or {"provenance", "seconds", "values"} == json.loads(left.read_text()).keys()
        pieces += 1
        assert pieces < 40
    assert status == 0 and pieces > 1 and not left.exists()
    assert json.loads(path.read_text())["rows"] == whole


@pytest.fixture(autouse=True)
def ticks(monkeypatch):
    """In `runs` a second passes at each look at the clock."""
    ticking = count()

    class Ticking:
        monotonic = staticmethod(lambda: float(next(ticking)))

    monkeypatch.setattr(runs, "time", Ticking)
    monkeypatch.setattr(
        handler, "time", type("Same", (), {"monotonic": staticmethod(lambda: float(next(ticking)))})
    )


def test_the_presets_of_the_paper_are_the_papers():
    paper = presets.PRESETS["paper"]
    assert paper.model == "resnet50" and paper.student.epochs == 150 and paper.student.schedule == "step"
    assert paper.inversion == (1000, 0.1) and not paper.decay and paper.teacher is None
    assert (
        repr(paper.push) == "PGD(L2(0.5), steps=100, step=0.1, targeted)"
        and repr(paper.inner) == "PGD(L2(0.5), steps=7, step=0.1)"
    )
    assert (
        paper.recipe("D_rand").lr == 0.01 and paper.recipe("D_det").augment == 0 < paper.recipe("D_R").augment
    )


def test_operations_are_counted_as_by_hand():
    model = tiny(size=8)
    by_hand = 2 * (8 * 8 * 4 * 9 + 4 * 4 * 6 * 4 * 9 + 96 * 4)
    assert speed.flops(model, (1, 8, 8)) == by_hand
    assert speed.flops(models.resnet18(), (3, 32, 32)) == pytest.approx(1.11e9, rel=0.01)


def test_a_measured_peak_and_throughput_are_of_this_machine():
    best = speed.peak("cpu", 256)
    assert 1e8 < best < 1e15
    passes = speed.throughput(fl.cnn(width=4), (1, 28, 28), 50)
    assert passes * speed.flops(fl.cnn(width=4), (1, 28, 28)) < 3 * speed.peak("cpu", 1024)


@pytest.mark.parametrize("error, says", [
    (torch.OutOfMemoryError("not even one image at a time fits"), "not even one image"),
    (FloatingPointError("the loss is nan in epoch 3: lower the learning rate"), "lower the learning rate"),
    (OSError(28, "could not write x (No space left on device)"), "No space left"),
    (RuntimeError("CUDA error: an illegal memory access\nCompile with ..."), "illegal memory access"),
])  # fmt: skip
def test_what_ends_a_run_is_said_in_one_line(error, says, monkeypatch, capsys):
    def fails(lab):
        raise error

    monkeypatch.setattr(reproduce, "pieces", fails)
    assert command.main(["reproduce", "--preset", "quick"]) == 1
    said = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert says in said[-1] and said[-1].startswith("featlab: ")


def test_a_full_disk_costs_no_finished_work(tmp_path, monkeypatch):
    """It ends all the same and says so once; with room again,
    the next start goes on after the parts that were saved.
    """
    monkeypatch.setattr(chunks, "chunk", lambda kind: 10)
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    monkeypatch.setattr(clock, "SHARE", 1e9)
    begin = lambda: fl.constructed.parts_of_robustify(tiny(), DATA, fl.Inversion(steps=1))  # noqa: E731
    room, write = [4], fl.engine.files.write_tensors

    def full(path, tensors, setting):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(28, "No space left on device")
        write(path, tensors, setting)

    monkeypatch.setattr(fl.engine.files, "write_tensors", full)
    with pytest.warns(UserWarning, match="No space.*stays in memory") as said:
        made = store.Store(tmp_path).dataset("D_R", "x", begin)
    assert len(said) == 1 and torch.equal(
        made.images, fl.robustify(tiny(), DATA, fl.Inversion(steps=1)).images
    )
    room[0] = 10**9
    done = []
    again = store.Store(tmp_path, lambda items, label, total: (done.append(i) or i for i in items)).dataset(
        "D_R", "x", begin
    )
    assert len(done) == 5 and torch.equal(again.images, made.images)
