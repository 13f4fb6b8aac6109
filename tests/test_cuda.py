"""What only a GPU can show: recorded and compiled steps give what plain ones give, memory really runs out,
nothing waits in loops.

Skipped where there is none: python -m pytest -o addopts= tests/test_cuda.py
"""

import pytest
import torch
from small import patches, snapshot, tiny
from work import DATA, PUSH, RECIPE, agree, made, untrained

import featlab as fl
from featlab.engine import chunks, devices, freezing, graphs, memory
from featlab.experiments import speed
from featlab.recipes import Recipe
from featlab.training import Training

pytestmark = pytest.mark.skipif(not devices.usable_gpu(), reason="needs a GPU that torch can use")
ATTACK = fl.PGD(fl.L2(0.5), steps=6)


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """float32, and steps recorded at their third coming."""
    monkeypatch.setattr(graphs, "REPEATS", 2)
    monkeypatch.setattr(chunks, "_ceiling", {})
    with devices.precision("float32"):
        yield


@pytest.fixture
def data() -> fl.Dataset:
    return DATA.to("cuda")


def plainly(monkeypatch, work):
    """The same work with plain steps."""
    with monkeypatch.context() as patch:
        patch.setenv("FEATLAB_STEPS", "plain")
        return work()


def recorded(model) -> list:
    """What was recorded of steps through a model's frozen copy."""
    return [one for one in freezing.frozen(model).graphs["steps"].recorded.values() if one is not None]


def close(ours: torch.Tensor, theirs: torch.Tensor, atol: float = 1e-4) -> bool:
    return torch.allclose(ours.cpu().float(), theirs.cpu().float(), atol=atol)


@pytest.mark.parametrize("mode", ["graph", "compile"])
def test_attacks_and_inversions_are_what_plain_steps_give(mode, data, monkeypatch):
    monkeypatch.setenv("FEATLAB_STEPS", mode)
    model = tiny().cuda()
    work = lambda: (  # noqa: E731
        PUSH(model, data.pixels, data.labels),
        fl.robustify(model, data, fl.Inversion(steps=6)).images,
    )
    plain = plainly(monkeypatch, work)
    ours = work()  # near its target an attack's normalised gradient makes much of rounding
    assert close(ours[0], plain[0], 2e-3) and close(ours[1], plain[1]) and len(recorded(model)) == 2


def test_a_recording_sees_new_weights_new_targets_and_other_lengths(data, monkeypatch):
    model, x, y = tiny().cuda(), data.pixels, data.labels
    ATTACK(model, x, y)
    model.load_state_dict(snapshot(tiny(seed=3)))
    work = lambda: (ATTACK(model, x.flip(0), (y + 1) % 4), fl.PGD(fl.L2(0.5), steps=4)(model, x, y))  # noqa: E731
    ours = work()
    assert len(recorded(model)) == 1 and all(
        close(a, b) for a, b in zip(ours, plainly(monkeypatch, work), strict=True)
    )


def test_adversarial_training_with_recorded_steps_learns_what_it_learns_with_plain_ones(data, monkeypatch):
    recipe, attack = Recipe(epochs=2, batch=30, lr=0.01), fl.PGD(fl.L2(0.3), steps=3)
    work = lambda: snapshot(fl.train(untrained(), data, recipe=recipe, attack=attack, seed=0))  # noqa: E731
    ours, theirs = work(), plainly(monkeypatch, work)
    assert all(close(ours[name], theirs[name], 1e-3) for name in theirs)


def test_a_compiled_training_learns_what_a_plain_one_learns(data, monkeypatch):
    work = lambda: snapshot(fl.train(untrained(), data, epochs=2, batch=30, lr=0.01, seed=0))  # noqa: E731
    plain = work()
    monkeypatch.setenv("FEATLAB_TRAINING", "compile")
    assert all(
        close(ours, theirs, 1e-3) for ours, theirs in zip(work().values(), plain.values(), strict=True)
    )


def test_the_gpu_attacks_as_the_cpu_does(data):
    model = tiny()
    on_cpu = ATTACK(model, DATA.pixels, DATA.labels), fl.robustify(model, DATA, fl.Inversion(steps=4)).images
    model.cuda()
    assert close(ATTACK(model, data.pixels, data.labels), on_cpu[0], 1e-3) and close(
        fl.robustify(model, data, fl.Inversion(steps=4)).images, on_cpu[1], 1e-3
    )


def test_random_starts_are_the_same_with_recorded_steps(data, monkeypatch):
    attack, model = fl.PGD(fl.L2(0.5), steps=6, random_start=True), tiny().cuda()

    def work() -> torch.Tensor:
        torch.manual_seed(7)
        return torch.stack([attack(model, data.pixels, data.labels) for _ in range(2)])

    ours = work()
    assert close(ours, plainly(monkeypatch, work)) and not close(ours[0], ours[1])


def test_a_training_goes_on_after_an_interruption(data):
    recipe = Recipe(epochs=2, batch=30, lr=0.02, augment=1, average=0.9)
    whole = fl.train(untrained(), data, recipe=recipe, attack=ATTACK, seed=0)
    first = Training(untrained(), data, recipe=recipe, attack=ATTACK, seed=0)
    for _ in zip(range(4), first, strict=False):
        state = {name: t.cpu().clone() for name, t in first.state.items()}
    second = Training(untrained(), data, recipe=recipe, attack=ATTACK, seed=0).resume(state)
    assert [record.step for record in second] == [5, 6]
    assert all(
        close(a, b, 1e-3)
        for a, b in zip(snapshot(whole).values(), snapshot(second.model).values(), strict=True)
    )


def test_memory_that_really_runs_out_halves_the_chunks_and_gives_the_same():
    data, model, big = (
        patches(2000, channels=3, size=32).to("cuda"),
        tiny(channels=3, size=32).cuda(),
        torch.cuda.mem_get_info()[1],
    )
    x, y = data.pixels, data.labels
    whole = ATTACK(model, x, y)
    freezing.forget_recordings()
    torch.cuda.empty_cache()
    # workspaces and results, but not the activations of 2,000 images
    room = torch.cuda.memory_reserved() + 192 * 2**20
    torch.cuda.set_per_process_memory_fraction(room / big)
    try:
        halved = ATTACK(model, x, y)
        assert chunks.chunk("cuda") < 2000 and close(halved, whole)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_nothing_waits_for_the_gpu_between_steps(data):
    run, model = (
        iter(Training(untrained(), patches(900).to("cuda"), recipe=RECIPE, attack=ATTACK, seed=0)),
        tiny().cuda(),
    )
    for _ in range(30):  # until losses are looked at, and steps recorded
        next(run)
    work = lambda: ATTACK(model, data.pixels, data.labels)  # noqa: E731
    work()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(8):
            next(run)
        with pytest.raises(RuntimeError):
            torch.ones(1, device="cuda").item()
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_late_number_is_the_number():
    values = torch.arange(5.0, device="cuda")
    late = [devices.AsyncNumber(v * v) for v in values]
    values.zero_()
    assert [one.item() for one in late] == [0.0, 1.0, 4.0, 9.0, 16.0]


def test_bfloat16_fools_as_many_and_moves_as_far_as_float32():
    train, test = fl.load()
    model = fl.train(fl.cnn(), train, epochs=2, lr=0.1, seed=0)
    found = {}
    for name in devices.PRECISIONS:
        with devices.precision(name):
            z = fl.PGD(fl.L2(0.5), steps=20)(model, test.pixels, test.labels)
            moved = fl.L2.norm(z - test.pixels).mean().item()
        found[name] = (fl.predict(model, z) == test.labels).float().mean().item(), moved
    (right, moved), (exactly, length) = found["auto"], found["float32"]
    assert abs(right - exactly) < 0.02 and moved == pytest.approx(length, rel=0.02)


def test_the_memory_says_how_many_images_a_chunk_holds(monkeypatch):
    assert 1 <= chunks.roomy("cuda") <= chunks.MOST_IMAGES
    monkeypatch.setenv("FEATLAB_CHUNK", "17")
    assert chunks.chunk("cuda") == 17
    memory.relieve("cuda", 17)
    assert chunks.chunk("cuda") == 8


def test_work_of_all_kinds_agrees_with_plain_steps(data, monkeypatch):
    ours = made(data)
    assert agree(ours[:2], plainly(monkeypatch, lambda: made(data))[:2])


def test_the_peak_is_a_gpus():
    assert 1e12 < speed.peak("cuda", 4096) < 1e16
