"""What machines do to the work: memory runs out, steps are recorded, the time is up, a GPU is absent or unknown."""

import json
import math
from itertools import count

import pytest
import torch
from small import patches, same, snapshot, tiny
from torch.utils._python_dispatch import TorchDispatchMode

import featlab as fl
from featlab import __main__ as command
from featlab import clock, engine, graphs, memory, models, presets, results, runs, speed, training
from featlab.recipes import Recipe
from featlab.training import Training

DATA = patches(90)
PUSH = fl.PGD(fl.L2(0.5), steps=6, targeted=True, best=True)
RECIPE = Recipe(epochs=2, batch=20, lr=0.02, augment=1, average=0.9, turn=10.0)


def fresh():
    model = tiny()
    model.trained.fill_(False)
    return model


def made(data: fl.Dataset = DATA) -> list[torch.Tensor]:
    """What all kinds of work give: sets, weights, predictions."""
    model = fl.train(fresh(), data, recipe=RECIPE, attack=fl.PGD(fl.L2(0.3), steps=3), seed=0)
    sets = fl.robustify(model, data, steps=6), fl.mislabel(model, data, fl.next_labels, PUSH)
    return [*(t for s in sets for t in (s.images, s.labels, *s.report.values())), fl.predict(model, data.images), *snapshot(model).values()]


def agree(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return all(torch.allclose(a.float(), b.float(), atol=2e-5) for a, b in zip(ours, theirs, strict=True))


# memory


@pytest.fixture
def little_memory(monkeypatch):
    """A device on which a network cannot take more than 12 images at once outside training."""
    monkeypatch.setattr(engine, "_ceiling", {})
    monkeypatch.setattr(engine, "chunk", lambda kind: min(40, engine._ceiling.get(kind, 40)))
    refused = []
    through = engine.Frozen.__call__, engine.Frozen.represent

    def guard(original):
        def limited(self, x):
            if len(x) > 12:
                refused.append(len(x))
                raise torch.OutOfMemoryError("out of memory")
            return original(self, x)

        return limited

    monkeypatch.setattr(engine.Frozen, "__call__", guard(through[0]))
    monkeypatch.setattr(engine.Frozen, "represent", guard(through[1]))
    return refused


def test_out_of_memory_halves_the_chunks_and_gives_the_same(request):
    whole = made()
    refused = request.getfixturevalue("little_memory")
    assert agree(made(), whole)
    assert refused[0] == 20 and engine.chunk("cpu") == 5  # 40, 20, 10, 5: predictions take two chunks at once
    tried = len(refused)
    assert agree(made(), whole) and len(refused) == tried  # what did not fit is not tried again


def test_a_cpu_without_memory_is_known_by_what_torch_says():
    assert memory.attempt(lambda: torch.empty(10**16), []) is None
    with pytest.raises(RuntimeError, match="must match"):
        memory.attempt(lambda: torch.zeros(2) + torch.zeros(3), [])


def test_memory_for_less_than_one_image_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(engine, "_ceiling", {})

    def never(x):
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError, match=r"not even one image.*kept.*smaller preset.*again"):
        memory.mapped(never, DATA.images)


@pytest.mark.parametrize("n, size, times", [(90, 100, 1), (90, 40, 1), (80, 40, 1), (90, 20, 2), (1, 40, 1)])
def test_filled_chunks_have_one_shape_and_change_nothing(n, size, times, monkeypatch):
    monkeypatch.setattr(memory, "FILLED", ("cpu",))
    monkeypatch.setattr(engine, "chunk", lambda kind: size)
    seen = []

    def double(a, b):
        seen.append(len(a))
        return a + b

    rows = torch.arange(n)
    assert torch.equal(memory.mapped(double, rows, rows, times=times), 2 * rows)
    assert seen == ([n] if n <= size * times else [size * times] * math.ceil(n / (size * times)))


# recorded steps


def emulated(run, recording):
    """A recording as a GPU makes it: outputs at fixed places, computed from the inputs at their fixed places."""
    recording.outputs = tuple(t.clone() for t in run())

    def replay():
        emulated.replays += 1
        for place, value in zip(recording.outputs, run(), strict=True):
            place.copy_(value)

    return replay


@pytest.fixture
def recording(monkeypatch):
    emulated.replays = 0
    for name, value in {"KINDS": ("cpu",), "record": emulated, "PATIENCE": 2}.items():
        monkeypatch.setattr(graphs, name, value)


@pytest.mark.parametrize("size", [30, 1000])
def test_recorded_steps_give_what_plain_ones_give(size, monkeypatch, request):
    monkeypatch.setattr(engine, "chunk", lambda kind: size)
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
    graphs.KINDS = ()
    expected = attack(model, x.flip(0), (y + 1) % 4), fl.PGD(fl.L2(0.5), steps=4)(model, x, y)
    assert agree(list(found), list(expected))


def test_few_recordings_are_kept_and_only_where_they_pay(recording):
    model = tiny()
    for n in (10, 20, 30):
        fl.PGD(fl.L2(0.5), steps=4)(model, DATA.pixels[:n], DATA.labels[:n])
    kept = engine.frozen(model).graphs["steps"]
    assert len(kept.recorded) == graphs.KEPT == 2
    fl.PGD(fl.L2(0.5), steps=2)(model, DATA.pixels[:40], DATA.labels[:40])
    assert not [key for key in kept.recorded if 40 in key[2][0]]


def test_where_recording_fails_steps_run_plainly_with_a_warning(recording, monkeypatch):
    def fails(run, recording):
        raise RuntimeError("operation not permitted when stream is capturing")

    plain = PUSH(tiny(), DATA.pixels, DATA.labels)
    monkeypatch.setattr(graphs, "record", fails)
    with pytest.warns(UserWarning, match="run plainly.*capturing"):
        assert agree([PUSH(tiny(), DATA.pixels, DATA.labels)], [plain])


def test_steps_can_be_plain_or_compiled(recording, monkeypatch):
    compiled = []
    monkeypatch.setattr(engine, "compiled", lambda function: compiled.append(function) or function)
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
    monkeypatch.setattr(engine, "compiled", lambda function: compiled.append(function) or function)
    for mode, networks in (("plain", 0), ("compile", 1)):
        monkeypatch.setenv("FEATLAB_TRAINING", mode)
        fl.train(fresh(), DATA, recipe=RECIPE)
        assert len(compiled) == networks
    monkeypatch.setenv("FEATLAB_TRAINING", "graph")
    with pytest.raises(ValueError, match=r"FEATLAB_TRAINING is 'graph'.*plain, compile"):
        fl.train(fresh(), DATA, recipe=RECIPE)


def test_memory_that_runs_out_while_recording_is_no_failure_of_recording(recording, monkeypatch):
    """What torch says last is that the recording was broken off; the reason is what it says before."""

    def fails(run, recording):
        try:
            raise torch.OutOfMemoryError("out of memory")
        finally:
            raise RuntimeError("the capture was invalidated")

    monkeypatch.setattr(graphs, "record", fails)
    monkeypatch.setattr(engine, "_ceiling", {})
    with pytest.raises(torch.OutOfMemoryError, match="not even one image"):
        PUSH(tiny(), DATA.pixels, DATA.labels)


def test_memory_that_runs_out_lets_go_of_recordings(recording, monkeypatch):
    monkeypatch.setattr(engine, "_ceiling", {})
    model = tiny()
    PUSH(model, DATA.pixels, DATA.labels)
    assert engine.frozen(model).graphs["steps"].recorded
    memory.relieve("cpu", 90)
    assert not engine.frozen(model).graphs


def test_a_batch_that_does_not_fit_says_so(monkeypatch):
    def full(*_arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(Training, "_descend", full)
    with pytest.raises(torch.OutOfMemoryError, match=r"a batch of 20 images.*kept.*nproc-per-node.*smaller batches"):
        fl.train(fresh(), DATA, recipe=RECIPE)


# no waiting in loops


class Looks(TorchDispatchMode):
    """Counts how often a number is read out of a tensor: each time a GPU would be waited for."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += "_local_scalar_dense" in str(function) or "nonzero" in str(function)
        return function(*args, **(kwargs or {}))


def test_training_reads_each_loss_late_and_nothing_else(monkeypatch):
    monkeypatch.setattr(training, "LAG", {"cpu": 20})
    run = iter(Training(fresh(), patches(600), recipe=RECIPE, attack=fl.PGD(fl.L2(0.3), steps=3), seed=0))
    next(run)
    with Looks() as looks:
        for _ in range(18):
            next(run)
        assert looks.count == 0
        for _ in range(10):
            next(run)
        assert looks.count == 9


@pytest.mark.parametrize("kind", ["robustify", "mislabel"])
def test_constructions_do_not_look_at_images_between_steps(kind, monkeypatch):
    model = tiny()
    begin = {
        "robustify": lambda steps: fl.constructed.robustifying(model, DATA, steps=steps),
        "mislabel": lambda steps: fl.constructed.mislabelling(model, DATA, fl.next_labels, fl.PGD(fl.L2(1.0), steps=steps, targeted=True)),
    }[kind]
    seen = []
    for steps in (2, 20):
        construction = begin(steps)
        with Looks() as looks:
            list(construction.parts())
        seen.append(looks.count)
    assert seen[0] == seen[1] <= 4


def test_a_loss_that_is_no_number_is_found_late_but_before_anything_is_saved(monkeypatch):
    monkeypatch.setattr(training, "LAG", {"cpu": 20})
    bad = Recipe(epochs=4, batch=30, lr=1e30, schedule="constant")
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        list(Training(fresh(), DATA, recipe=bad, seed=0))
    run = Training(fresh(), DATA, recipe=bad, seed=0)
    for record, _ in zip(run, range(9), strict=False):
        assert record.step == run.step
    with pytest.raises(FloatingPointError):
        _ = run.state


# interrupted between any two steps


@pytest.mark.parametrize("stop", [1, 4, 5, 7, 10])
def test_a_training_goes_on_from_any_step(stop):
    attack = fl.PGD(fl.L2(0.3), steps=2, random_start=True)
    whole = fl.train(fresh(), DATA, recipe=RECIPE, attack=attack, seed=0)
    first = Training(fresh(), DATA, recipe=RECIPE, attack=attack, seed=0)
    for _ in zip(range(stop), first, strict=False):
        state = {name: t.clone() for name, t in first.state.items()}
    second = Training(fresh(), DATA, recipe=RECIPE, attack=attack, seed=0).resume(state)
    assert [r.step for r in second] == list(range(stop + 1, 11))
    assert same(snapshot(whole), snapshot(second.model))


def test_saving_takes_a_fiftieth_of_the_time_at_most(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    saving, saves = clock.Saving(), []

    def save():
        now[0] += 3.0
        saves.append(now[0])

    for step in range(2000):
        now[0] += 1.0
        if saving.due(step):
            saving.by(save)
    assert 3 * len(saves) <= 0.021 * now[0] and len(saves) >= 10


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


class Clock:
    """A clock that only work moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def work(self, items: int, seconds: float):
        """Items, each of which takes so many seconds to come."""
        for item in range(items):
            self.now += seconds
            yield item


@pytest.mark.parametrize("until, seconds, done", [(100, 30, 3), (90, 30, 3), (89, 30, 2), (10, 30, 1), (10, 0.25, 40)])
def test_no_item_is_begun_that_would_end_too_late_but_one_always_is(until, seconds, done, monkeypatch):
    monkeypatch.setattr(runs, "time", at := Clock())
    within, seen = runs.Within(results.silent, until), []
    with pytest.raises(clock.TimeIsUp):
        seen.extend(within(at.work(50, seconds), "D_R", 50)) or pytest.fail("all was done")
    assert at.now == done * seconds
    monkeypatch.setattr(runs, "time", at := Clock())
    within = runs.Within(results.silent, until, lambda label, total: seconds)
    begun = []
    with pytest.raises(clock.TimeIsUp):  # as values are made: when their item has come
        for piece in range(50):
            for _ in within(range(1), f"accuracy of {piece}", 1):
                begun.append(piece)
                at.now += seconds
    assert len(begun) == done


@pytest.fixture(autouse=True)
def ticks(monkeypatch):
    """In `runs` a second passes at each look at the clock."""
    ticking = count()

    class Ticking:
        monotonic = staticmethod(lambda: float(next(ticking)))

    monkeypatch.setattr(runs, "time", Ticking)
    monkeypatch.setattr(command, "time", type("Same", (), {"monotonic": staticmethod(lambda: float(next(ticking)))}))


@pytest.mark.parametrize("text, seconds", [("90", 90), ("90s", 90), ("9m", 540), ("1.5h", 5400), (None, math.inf)])
def test_times_are_read(text, seconds):
    assert runs.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-3m", "soon", "0", "9 minutes", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="no time"):
        runs.seconds_of(text)


def test_the_preset_follows_the_data_unless_it_is_named():
    assert runs.chosen(None, None)[0] == "laptop" and runs.chosen(None, "cifar10")[0] == "ten-minutes"
    name, preset = runs.chosen("laptop", "cifar10")
    assert (name, preset.data, preset.model) == ("laptop", "cifar10", "cnn")
    with pytest.raises(ValueError, match=r"unknown preset 'day'.*ten-minutes, paper"):
        runs.chosen("day", None)


def test_on_a_cpu_a_long_run_says_its_cost_and_offers_the_small_one(monkeypatch, capsys):
    preset = runs.chosen("ten-minutes", None)[1]
    lab = fl.Lab(preset)
    lab.data = (patches(60, channels=3, size=16), patches(40, channels=3, size=16))
    monkeypatch.setattr(speed, "throughput", lambda model, shape, images: 10.0)
    passes = sum(presets.cost(preset, 60, 40).values())
    cost = runs.estimate(lab, passes)
    assert not runs.confirmed("ten-minutes", cost, yes=False)
    said = capsys.readouterr().out
    assert f"{passes / 10 / 3600:.0f} hours" in said and "--preset small" in said and "--yes" in said
    assert runs.confirmed("ten-minutes", cost, yes=True) and runs.confirmed("laptop", runs.Estimate(1e-3, 60.0), yes=False)
    assert capsys.readouterr().out.splitlines()[1].startswith("The preset laptop takes 0.001 x 10^15 operations, about 1 minutes")


def test_the_presets_of_the_paper_are_the_papers():
    paper = presets.PRESETS["paper"]
    assert paper.model == "resnet50" and paper.student.epochs == 150 and paper.student.schedule == "step"
    assert paper.inversion == (1000, 0.1) and not paper.decay and paper.teacher is None
    assert repr(paper.push) == "PGD(L2(0.5), steps=100, step=0.1, targeted)" and repr(paper.inner) == "PGD(L2(0.5), steps=7, step=0.1)"
    assert paper.recipe("D_rand").lr == 0.01 and paper.recipe("D_det").augment == 0 < paper.recipe("D_R").augment


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


# devices


def test_a_gpu_that_is_asked_for_but_absent_is_said(monkeypatch):
    monkeypatch.setenv("FEATLAB_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"FEATLAB_DEVICE.*no such GPU.*unset"):
        engine.device()


def test_a_gpu_that_torch_was_not_built_for_is_said_and_the_cpu_used(monkeypatch):
    def no_kernel(*shape, device):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", no_kernel)
    engine.usable_gpu.cache_clear()
    try:
        with pytest.warns(UserWarning, match="no kernel image"):
            assert engine.device().type == "cpu"
    finally:
        engine.usable_gpu.cache_clear()


@pytest.mark.parametrize("error, says", [
    (torch.OutOfMemoryError("not even one image at a time fits"), "not even one image"),
    (FloatingPointError("the loss is nan in epoch 3: lower the learning rate"), "lower the learning rate"),
    (OSError(28, "could not write x (No space left on device)"), "No space left"),
    (RuntimeError("CUDA error: an illegal memory access\nCompile with ..."), "illegal memory access"),
])  # fmt: skip
def test_what_ends_a_run_is_said_in_one_line(error, says, monkeypatch, capsys):
    def fails(lab):
        raise error

    monkeypatch.setattr(fl.Lab, "pieces", fails)
    assert command.main(["reproduce", "--preset", "quick"]) == 1
    said = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert says in said[-1] and said[-1].startswith("featlab: ")


def test_a_full_disk_costs_no_finished_work(tmp_path, monkeypatch):
    """The disk fills in the midst of a construction; with room again, it goes on after the parts that were saved."""
    monkeypatch.setattr(engine, "chunk", lambda kind: 10)
    monkeypatch.setattr(clock, "SAVE_EVERY", 0.0)
    monkeypatch.setattr(clock, "SHARE", 1e9)
    begin = lambda: fl.constructed.robustifying(tiny(), DATA, steps=1)  # noqa: E731
    room, write = [4], fl.files.write_tensors

    def full(path, tensors, setting):
        room[0] -= 1
        if room[0] < 0:
            raise OSError(28, "No space left on device")
        write(path, tensors, setting)

    monkeypatch.setattr(fl.files, "write_tensors", full)
    with pytest.raises(OSError, match="No space"):
        results.Store(tmp_path).dataset("D_R", "x", begin)
    room[0] = 10**9
    done = []
    again = results.Store(tmp_path, lambda items, label, total: (done.append(i) or i for i in items)).dataset("D_R", "x", begin)
    assert len(done) == 5 and torch.equal(again.images, fl.robustify(tiny(), DATA, steps=1).images)
