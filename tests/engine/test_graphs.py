"""Recorded, compiled and plain steps give the same; the recording of a GPU is emulated here."""

import pytest
import torch
from small import snapshot, tiny
from work import DATA, PUSH, RECIPE, agree, made, untrained

import featlab as fl
from featlab.engine import chunks, freezing, graphs, memory


def emulated(run, recording):
    """A recording as a GPU makes it: outputs at fixed places,
    computed from the inputs at their fixed places.
    """
    recording.outputs = tuple(t.clone() for t in run())

    def replay():
        emulated.replays += 1
        for place, value in zip(recording.outputs, run(), strict=True):
            place.copy_(value)

    return replay


@pytest.fixture
def recording(monkeypatch):
    emulated.replays = 0
    for name, value in {
        "RECORDERS": ("cpu",),
        "record_graph": emulated,
        "REPEATS": 2,
        "_given_up": set(),
    }.items():
        monkeypatch.setattr(graphs, name, value)
    monkeypatch.setattr(memory, "FILLED", ("cpu",))


@pytest.mark.parametrize("size", [30, 1000])
def test_recorded_steps_give_what_plain_ones_give(size, monkeypatch, request):
    monkeypatch.setattr(chunks, "chunk", lambda kind: size)
    plain = made()
    request.getfixturevalue("recording")
    assert agree(made(), plain) and emulated.replays > 30


def test_a_recording_sees_new_weights_new_targets_and_other_lengths(recording):
    model, x, y = tiny(), DATA.pixels, DATA.labels
    attack = fl.PGD(fl.L2(0.5), steps=6)
    attack(model, x, y)
    model.load_state_dict(snapshot(tiny(seed=3)))
    replays = emulated.replays
    found = attack(model, x.flip(0), (y + 1) % 4), fl.PGD(fl.L2(0.5), steps=4)(model, x, y)
    assert emulated.replays == replays + 10
    graphs.RECORDERS = ()
    expected = attack(model, x.flip(0), (y + 1) % 4), fl.PGD(fl.L2(0.5), steps=4)(model, x, y)
    assert agree(list(found), list(expected))


def test_few_recordings_are_kept_and_only_where_they_pay(recording):
    model = tiny()
    for n in (10, 20, 30):
        fl.PGD(fl.L2(0.5), steps=4)(model, DATA.pixels[:n], DATA.labels[:n])
    kept = freezing.frozen(model).graphs["steps"]
    assert len(kept.recorded) == graphs.KEPT == 2
    fl.PGD(fl.L2(0.5), steps=2)(model, DATA.pixels[:40], DATA.labels[:40])
    assert not [key for key in kept.recorded if 40 in key[2][0]]


def test_where_recording_fails_steps_run_plainly_with_a_warning(recording, monkeypatch):
    def fails(run, recording):
        raise RuntimeError("operation not permitted when stream is capturing")

    plain = PUSH(tiny(), DATA.pixels, DATA.labels)
    monkeypatch.setattr(graphs, "record_graph", fails)
    with pytest.warns(UserWarning, match="run plainly.*capturing"):
        assert agree([PUSH(tiny(), DATA.pixels, DATA.labels)], [plain])
    assert not graphs.can_record("cpu")  # nor are trainings compiled: memory may be in disorder


def test_steps_can_be_plain_or_compiled(recording, monkeypatch):
    compiled = []
    monkeypatch.setattr(freezing, "compiled", lambda function: compiled.append(function) or function)
    for mode, steps in (("plain", 0), ("compile", 4)):
        emulated.replays = 0
        monkeypatch.setenv("FEATLAB_STEPS", mode)
        assert PUSH(tiny(), DATA.pixels, DATA.labels) is not None
        assert emulated.replays == steps and bool(compiled) == (mode == "compile")
    monkeypatch.setenv("FEATLAB_STEPS", "fast")
    with pytest.raises(ValueError, match=r"FEATLAB_STEPS is 'fast'.*graph, compile, plain"):
        PUSH(tiny(), DATA.pixels, DATA.labels)


def test_trainings_can_be_compiled(recording, monkeypatch):
    compiled = []
    monkeypatch.setattr(freezing, "compiled", lambda function: compiled.append(function) or function)
    for mode, networks in (("plain", 0), ("compile", 1)):
        monkeypatch.setenv("FEATLAB_TRAINING", mode)
        fl.train(untrained(), DATA, recipe=RECIPE)
        assert len(compiled) == networks
    monkeypatch.setenv("FEATLAB_TRAINING", "graph")
    with pytest.raises(ValueError, match=r"FEATLAB_TRAINING is 'graph'.*plain, compile"):
        fl.train(untrained(), DATA, recipe=RECIPE)


def test_memory_that_runs_out_while_recording_is_no_failure_of_recording(recording, monkeypatch):
    """What torch says last is that the recording was broken off; the reason is what it says before."""

    def fails(run, recording):
        try:
            raise torch.OutOfMemoryError("out of memory")
        finally:
            raise RuntimeError("the capture was invalidated")

    monkeypatch.setattr(graphs, "record_graph", fails)
    monkeypatch.setattr(chunks, "_ceiling", {})
    with pytest.raises(torch.OutOfMemoryError, match="not even one image"):
        PUSH(tiny(), DATA.pixels, DATA.labels)


def test_memory_that_runs_out_lets_go_of_recordings(recording, monkeypatch):
    monkeypatch.setattr(chunks, "_ceiling", {})
    model = tiny()
    PUSH(model, DATA.pixels, DATA.labels)
    assert freezing.frozen(model).graphs["steps"].recorded
    memory.relieve("cpu", 90)
    assert not freezing.frozen(model).graphs
