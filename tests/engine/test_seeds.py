"""Draws follow from numbers, and leave torch's own as they were."""

import subprocess
import sys

import pytest
import torch

from featlab.engine.seeds import drawing, seed_of


def draws(*numbers: int) -> torch.Tensor:
    with drawing(*numbers):
        return torch.rand(5)


def test_the_same_numbers_give_the_same_draws_and_others_give_others():
    assert torch.equal(draws(3, 1), draws(3, 1))
    different = [draws(3, 1), draws(1, 3), draws(3, 2), draws(3), draws(3, 1, 0)]
    assert len({tuple(one.tolist()) for one in different}) == len(different)


def test_torchs_own_draws_go_on_as_if_nothing_had_been_drawn():
    torch.manual_seed(0)
    expected = torch.rand(5)
    torch.manual_seed(0)
    draws(7)
    with pytest.raises(ZeroDivisionError), drawing(7):
        torch.rand(3)
        1 / 0  # noqa: B018
    assert torch.equal(torch.rand(5), expected)


def test_a_seed_is_one_that_torch_takes_and_the_same_in_another_process():
    seeds = [seed_of(seed, epoch) for seed in range(50) for epoch in range(50)]
    assert len(set(seeds)) == len(seeds) and min(seeds) >= 0 and max(seeds) < 2**63
    code = "from featlab.engine.seeds import seed_of; print(seed_of(49, 49))"
    assert int(subprocess.check_output([sys.executable, "-c", code])) == seeds[-1]


def test_a_seed_is_the_same_in_every_version_of_python():
    """The values with which the stored results were drawn."""
    assert all(seed_of(*numbers) == seed for numbers, seed in KNOWN.items())


KNOWN = {
    (): 5740354900026072187,
    (0,): 469874208863542616,
    (0, 0): 765232833172254823,
    (3, 1): 8756109708711196808,
    (-1, -2): 1587723952783198457,
    (5, 100, 1, 0): 5505397308179766440,
    (2305843009213693951, 18446744073709551619): 4327977824187578142,
}


def test_seeds_of_near_numbers_and_of_another_order_differ():
    grid = [(a, b) for a in range(-20, 20) for b in range(20)] + [(a,) for a in range(-20, 20)]
    assert len({seed_of(*numbers) for numbers in grid}) == len(grid)
    assert all(0 <= seed_of(*numbers) < 2**63 for numbers in grid)
