"""The campaign (`make test-faults`): every file operation with every end, a thousand damages,
processes that share a cold cache.
"""

import random
import resource
import threading
import warnings
from pathlib import Path
from unittest import mock

import pytest
import torch
from interrupting import (
    ENDS,
    damaged,
    digest,
    everything,
    half_made,
    in_child,
    leftovers,
    operations,
    survives,
)
from small import patches

from featlab.engine import files
from featlab.experiments.store import Store

SHARES = 8  # of the operations, one per test


def forked(tasks: list) -> list[tuple[int, object]]:
    """The results of tasks that run at once, each in a process of its own."""
    results: list = [None] * len(tasks)

    def run(number: int) -> None:
        results[number] = in_child(tasks[number])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    status, made = in_child(lambda: digest(Store(tmp_path_factory.mktemp("whole"))))
    assert status == 0
    return made


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("share", range(SHARES))
def test_after_an_interruption_at_every_file_operation_the_next_start_ends_the_same(
    end, share, expected, tmp_path
):
    count = len(operations(tmp_path / "counted"))
    assert count > 100
    for at in range(share, count, SHARES):
        survives(tmp_path / str(at), at, end, expected)


@pytest.mark.parametrize("seed", range(10))
def test_of_a_thousand_damages_none_gives_another_result(seed, tmp_path):
    half_made(tmp_path / "template")
    draw = random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = everything(tmp_path / "undamaged")
        for _ in range(100):
            damaged(tmp_path / "template", tmp_path / "copy", draw, expected)


@pytest.mark.parametrize("round", range(8))
def test_eight_processes_on_one_cold_cache_all_end_with_one_result(round, expected, tmp_path):
    ended = forked([lambda: digest(Store(tmp_path))] * 8)
    assert ended == [(0, expected)] * 8
    assert in_child(lambda: digest(Store(tmp_path))) == (0, expected) and not leftovers(tmp_path)


def test_processes_with_one_number_do_not_collide(expected, tmp_path):
    """As in containers that share a folder, and threads."""
    with mock.patch("os.getpid", lambda: 7):
        assert forked([lambda: digest(Store(tmp_path))] * 8) == [(0, expected)] * 8
    assert in_child(lambda: digest(Store(tmp_path))) == (0, expected) and not leftovers(tmp_path)


def test_threads_that_write_one_file_all_end(tmp_path):
    path, failed = tmp_path / "value.json", []

    def write(number: int) -> None:
        for _ in range(100):
            try:
                files.write_json(path, [number] * 100)
                assert len(set(files.read_json(path))) == 1
            except Exception as error:  # any at all
                failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and [p.name for p in tmp_path.iterdir()] == ["value.json"]


def test_a_file_that_is_replaced_while_it_is_read_is_not_called_altered(tmp_path):
    path, images = tmp_path / "data.safetensors", patches(200).images

    def write() -> None:
        for number in range(600):
            files.write_tensors(path, {"images": images + number % 100}, "one")

    def read() -> int:
        warnings.simplefilter("error")
        times = 0
        for _ in range(3000):
            found = files.read_tensors(path, "one")
            times += found is not None and bool(
                (found["images"] - found["images"][:1] == images - images[:1]).all()
            )
        return times

    files.write_tensors(path, {"images": images}, "one")
    assert forked([write, read, read]) == [(0, None), (0, 3000), (0, 3000)]


@pytest.mark.parametrize("limit", [0, 1, 500, 3000, 8000, 12_000, 20_000])
def test_a_limit_of_the_size_of_files_costs_no_result(limit, expected, tmp_path):
    def limited() -> str:
        warnings.simplefilter("ignore")
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        store = Store(tmp_path)
        made = digest(store)
        return made if digest(store) == made else "another result"

    assert in_child(limited) == (0, expected)
    assert in_child(lambda: digest(Store(tmp_path))) == (0, expected) and not leftovers(tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_processes_that_are_killed_beside_others_cost_nobody_anything(seed, expected, tmp_path):
    from interrupting import Interruption

    draw = random.Random(seed)

    def doomed(at: int):
        def task() -> str:
            with Interruption(tmp_path, at):
                return digest(Store(tmp_path))

        return task

    tasks = [doomed(draw.randrange(150)) for _ in range(4)] + [lambda: digest(Store(tmp_path))] * 4
    assert forked(tasks)[4:] == [(0, expected)] * 4
    assert in_child(lambda: digest(Store(tmp_path))) == (0, expected) and not leftovers(tmp_path)


def test_the_folder_of_faults_is_not_collected_by_chance():
    assert (
        "faults" in (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
        and torch.get_num_threads() == 1
    )
