"""Robust to what: intervals of differences, the worst of all attacks, and networks compared on one set."""

import math

import pytest
import torch
from small import TINY

import featlab as fl
from featlab.experiments import shifts


@pytest.fixture
def lab(tmp_path):
    return fl.Lab(TINY, store=fl.Store(tmp_path, released=False))


def test_a_difference_of_the_same_answers_is_nothing_and_its_interval_a_point():
    a = torch.tensor([True, False, True, True])
    assert (float(shifts.paired(a, a)), shifts.paired(a, a).interval) == (0, (0, 0))


def test_a_difference_has_the_interval_of_a_mean_over_pairs():
    a, b = torch.tensor([1.0, 1, 0, 1, 1, 0]), torch.tensor([0.0, 1, 0, 0, 1, 1])
    found, each = shifts.paired(a, b), (a - b).tolist()
    mean = sum(each) / 6
    spread = 1.96 * math.sqrt(sum((d - mean) ** 2 for d in each) / 5 / 6)
    assert float(found) == pytest.approx(mean) and found.n is None
    assert found.interval == pytest.approx((mean - spread, mean + spread))
    assert float(shifts.paired(b, a)) == pytest.approx(-mean)


def test_no_single_attack_is_worse_than_the_worst_of_all(lab):
    found = shifts.attacks(lab, 1.0)
    *single, worst = found["rows"].values()
    assert len(single) == len(shifts.attackers(1.0, TINY.steps)) and found["n"] == len(lab.data[1])
    assert all(worst[name] <= min(row[name] for row in single) for name in ("D", "D_R", "robust"))
    for name, row in found["rows"].items():
        assert float(found["gain"][name]) == pytest.approx(row["D_R"] - row["D"], abs=1e-4)


def test_rivals_are_the_networks_of_the_table(lab):
    rivals = shifts.rivals(lab)
    assert list(rivals) == ["D", "D_R", "robust"]
    assert rivals["D_R"].head.weight.equal(lab.student("D_R").head.weight)
