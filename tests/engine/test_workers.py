"""Several workers at once: what they find is what one finds, to the last bit, and nobody notices them."""

import random
import threading
import time
import warnings
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import patches, tiny
from torch import nn
from work import DATA, PUSH, agree, made

import featlab as fl
from featlab.debate.stronger import APGD, Worst
from featlab.engine import chunks, devices, freezing, memory, workers
from featlab.features.spectrum import parts_of_spectrum, spectrum
from featlab.inputs.checks import warn
from featlab.transfer import Selective


@pytest.fixture(autouse=True)
def several(monkeypatch):
    """Three threads inside operations, as a reader may have; chunks of nine images."""
    monkeypatch.setattr(chunks, "chunk", lambda kind: 9)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def at_work(monkeypatch):
    """The workers that came by a network, each time that one did."""
    seen, number = [], workers.worker_number

    def noted():
        seen.append(number())
        return seen[-1]

    monkeypatch.setattr(workers, "worker_number", noted)
    return seen


def alone(work):
    """What comes of `work` with one thread."""
    torch.set_num_threads(1)
    try:
        return work()
    finally:
        torch.set_num_threads(3)


# the map


def test_results_come_in_order_whoever_is_ready_first():
    def late(job: int) -> int:
        time.sleep(0.02 * (job % 3 == 0))
        return job

    assert list(workers.hand_out(late, range(20), 3)) == [*range(20)]


def test_jobs_are_taken_here_and_not_many_ahead():
    taken = []

    def jobs():
        for job in range(20):
            taken.append((job, threading.current_thread()))
            yield job

    for come, _ in enumerate(workers.hand_out(lambda job: job, jobs(), 3)):
        assert len(taken) <= come + 4
    assert {thread for _, thread in taken} == {threading.current_thread()}


def test_each_worker_computes_with_one_thread_and_nobody_elses_number_changes():
    elsewhere = []
    found = list(
        workers.hand_out(lambda job: (workers.worker_number(), torch.get_num_threads()), range(30), 3)
    )
    thread = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert {number for number, _ in found} <= {0, 1, 2} and {threads for _, threads in found} == {1}
    assert workers.worker_number() is None and torch.get_num_threads() == 3 and elsewhere == [3]


def test_the_first_error_in_order_is_raised_and_no_worker_is_left():
    def work(job: int) -> int:
        if job in (4, 5):
            raise KeyError(job)
        return job

    came = []
    with pytest.raises(KeyError, match="4"):
        for found in workers.hand_out(work, range(50), 3):
            came.append(found)
    assert came == [0, 1, 2, 3] and not running()


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("featlab")]


@pytest.mark.parametrize("how", ["closed", "interrupted"])
def test_workers_end_at_their_next_pass_when_nobody_waits_any_more(how):
    passes = []

    def endless(job: int) -> None:
        while job:
            workers.worker_number()
            passes.append(job)
            time.sleep(0.005)

    with closing(workers.hand_out(endless, range(9), 3)) as found:
        next(found)
        if how == "interrupted":
            with pytest.raises(KeyboardInterrupt):
                found.throw(KeyboardInterrupt)
    assert not running()
    count = len(passes)
    time.sleep(0.05)
    assert count == len(passes)


def test_a_worker_asks_for_gradients_and_precision_as_the_one_who_waits():
    def here(job: int) -> tuple:
        return torch.is_grad_enabled(), devices.wished_precision()

    with torch.no_grad(), devices.precision("auto"):
        assert set(workers.hand_out(here, range(6), 3)) == {(False, "auto")}
    assert set(workers.hand_out(here, range(6), 3)) == {(True, "float32")}


def test_what_a_worker_warns_of_is_said_here():
    with pytest.warns(UserWarning, match="job 1") as said:
        list(workers.hand_out(lambda job: warn(f"job {job}"), range(2), 2))
    assert [str(one.message) for one in said] == ["job 0", "job 1"]
    assert {one.filename for one in said} == {__file__}


def test_there_is_one_worker_where_something_watches_or_changes_what_is_computed():
    assert (
        workers.count("cpu") == 3 and workers.count("cuda") == 1 and alone(lambda: workers.count("cpu")) == 1
    )
    assert set(workers.hand_out(lambda job: workers.count("cpu"), range(4), 2)) == {1}
    with torch.autocast("cpu", torch.bfloat16):
        assert workers.count("cpu") == 1
    with torch.overrides.TorchFunctionMode():
        assert workers.count("cpu") == 1
    with torch.profiler.profile():
        assert workers.count("cpu") == 1


# attacks, constructions and measurements

WORK = {
    "PGD": lambda m, d: fl.PGD(fl.Linf(0.1), steps=3, best=True)(m, d.pixels, d.labels),
    "APGD": lambda m, d: APGD(fl.L2(0.3), steps=5)(m, d.pixels, d.labels),
    "Worst": lambda m, d: Worst([fl.PGD(fl.L2(0.3), steps=2), APGD(fl.L2(0.3), 3)])(m, d.pixels, d.labels),
    "Selective": lambda m, d: Selective(fl.L2(0.5), steps=3, spared=(tiny(seed=5),))(m, d.pixels, d.labels),
    "predict": lambda m, d: fl.predict(m, d.images),
    "accuracy": lambda m, d: torch.tensor(float(fl.accuracy(m, d, fl.PGD(fl.L2(0.1), steps=2)))),
    "mislabel": lambda m, d: fl.mislabel(m, d, fl.next_labels, PUSH).images,
    "robustify": lambda m, d: fl.robustify(m, d, steps=3).images,
    "spectrum": lambda m, d: torch.from_numpy(spectrum(m, d, (0.0, 0.2, 0.4)).gamma),
}  # fmt: skip


@pytest.mark.parametrize("work", [pytest.param(work, id=name) for name, work in WORK.items()])
def test_several_workers_find_what_one_finds_to_the_last_bit(work, at_work):
    model, data = tiny(), patches(70)
    once = alone(lambda: work(model, data))
    assert not {0, 1, 2} & {*at_work}
    several = work(model, data)
    assert len({0, 1, 2} & {*at_work}) > 1 and torch.equal(once, several)


def test_all_that_is_made_is_the_same_with_several_workers():
    assert agree(made(), alone(made))


@pytest.mark.parametrize("work", [
    lambda m, d: fl.PGD(fl.L2(0.5), steps=2, random_start=True)(m, d.pixels, d.labels),
    lambda m, d: APGD(fl.L2(0.5), steps=2, random_start=True)(m, d.pixels, d.labels),
    lambda m, d: fl.mislabel(m, d, fl.next_labels, replace(PUSH, random_start=True)).images,
])  # fmt: skip
def test_random_starts_are_drawn_as_by_one(work):
    torch.manual_seed(3)
    once = alone(lambda: work(tiny(), patches(40)))
    torch.manual_seed(3)
    assert torch.allclose(once, work(tiny(), patches(40)), atol=1e-5)


@pytest.mark.parametrize("name", ["mislabel", "robustify", "PGD", "accuracy"])
def test_torchs_own_random_numbers_go_on_as_if_nothing_had_been(name):
    torch.manual_seed(4)
    WORK[name](tiny(), patches(70))
    found = torch.rand(3)
    torch.manual_seed(4)
    assert torch.equal(found, torch.rand(3))


class Forgetful(nn.Module):
    """Keeps its images in itself while it works, and reads them again later."""

    def __init__(self):
        super().__init__()
        self.first, self.last, self.kept = nn.Conv2d(1, 3, 3), nn.Linear(3 * 36, 4), None

    def forward(self, x):
        self.kept = self.first(x)
        time.sleep(0.002)
        return self.last(self.kept.relu().flatten(1))


def test_a_model_that_keeps_something_in_itself_gets_no_others(at_work):
    torch.manual_seed(0)
    model, data = Forgetful(), patches(60)
    once = alone(lambda: fl.PGD(fl.L2(0.5), steps=3)(model, data.pixels, data.labels))
    assert torch.equal(once, fl.PGD(fl.L2(0.5), steps=3)(model, data.pixels, data.labels))
    assert len({0, 1, 2} & {*at_work}) > 1


class Drawing(nn.Module):
    """Draws at random by one of three means."""

    def __init__(self, draw):
        super().__init__()
        self.layer, self.draw = nn.Linear(64, 4), draw

    def forward(self, x):
        return self.layer(x.flatten(1)) + 0 * self.draw()


class Counting(nn.Module):
    """Counts its passes, in eval mode as well."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(64, 4)
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes += 1
        return self.layer(x.flatten(1))


def test_a_model_that_draws_or_counts_has_chunk_after_chunk(at_work):
    draws = [lambda: torch.rand(()), random.random, np.random.rand]
    for model in (*map(Drawing, draws), Counting()):
        assert not freezing.frozen(model).thread_safe(DATA.pixels[:2])
        fl.accuracy(model, DATA, fl.PGD(fl.L2(0.1), steps=2))
    assert not {0, 1, 2} & {*at_work}
    assert freezing.frozen(tiny()).thread_safe(DATA.pixels[:2])


def test_what_is_a_readers_has_chunk_after_chunk():
    calls = []

    class Own(fl.PGD):
        def goal(self, network, x, y):
            calls.append(threading.current_thread())
            return super().goal(network, x, y)

    def attack(model, x, y):
        calls.append(threading.current_thread())
        return x

    def function(x):
        calls.append(threading.current_thread())
        return x.flatten(1)[:, :4]

    model, data = tiny(), patches(40)
    Own(fl.L2(0.2), steps=2)(model, data.pixels, data.labels)
    fl.mislabel(model, data, fl.next_labels, Own(fl.L2(0.2), steps=2, targeted=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fl.mislabel(model, data, fl.next_labels, attack)
        fl.accuracy(function, data, fl.PGD(fl.L2(0.1), steps=1))
    assert {*calls} == {threading.current_thread()} and len(calls) > 12


def test_a_construction_that_is_left_early_leaves_no_worker():
    for parts in (
        fl.constructed.parts_of_robustify(tiny(), patches(90), fl.Inversion(steps=3)),
        parts_of_spectrum(tiny(), patches(30), (0.0, 0.1)),
    ):
        assert parts.thread_safe
        with closing(parts.parts()) as found:
            next(found)
        assert not running()


def test_where_chunks_are_filled_none_is_cut_for_workers(monkeypatch):
    monkeypatch.setattr(memory, "FILLED", ("cpu",))
    monkeypatch.setattr(chunks, "chunk", lambda kind: 100)
    sizes = list(memory.in_chunks(len, torch.zeros(250, 1), thread_safe=True))
    assert sizes == [100, 100, 100]


def test_what_a_model_says_against_images_it_says_where_it_is_run():
    class Picky(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(9, 4)

        def forward(self, x):
            return self.layer(x.flatten(1))

    model = Picky()
    assert not freezing.frozen(model).thread_safe(DATA.pixels[:2])
    with pytest.raises(RuntimeError, match="the model cannot take images"):
        fl.predict(model, DATA.images)
