"""Label rules by their definitions; mislabel by what it must keep and must change."""

from dataclasses import replace

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab.constructed import next_labels, other_labels, random_labels
from featlab.debate.leakage import WorstOfLinear
from featlab.types import Dataset

RULES = [random_labels, other_labels, next_labels]
PUSH = fl.PGD(fl.L2(1.5), steps=10, targeted=True)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shares(labels: torch.Tensor, classes: int) -> torch.Tensor:
    return torch.bincount(labels, minlength=classes) / len(labels)


def test_random_labels_are_uniform_over_all_classes_whatever_the_label():
    y = torch.arange(100_000) % 5
    t = random_labels(y, 5, generator())
    for label in range(5):
        assert (shares(t[y == label], 5) - 1 / 5).abs().max() < 0.015


def test_other_labels_are_uniform_over_the_classes_but_the_labels_own():
    y = torch.arange(100_000) % 5
    t = other_labels(y, 5, generator())
    assert not (t == y).any()
    for label in range(5):
        rest = shares(t[y == label], 5)[torch.arange(5) != label]
        assert (rest - 1 / 4).abs().max() < 0.015


def test_next_labels_are_one_further_and_the_last_is_followed_by_the_first():
    assert next_labels(torch.tensor([0, 1, 4, 3]), 5).tolist() == [1, 2, 0, 4]


@pytest.mark.parametrize("rule", RULES)
def test_rules_follow_their_generator_and_leave_the_labels(rule):
    y = torch.arange(100) % 5
    kept = y.clone()
    a, b, c = (rule(y, 5, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(a, b) and torch.equal(y, kept)
    assert (rule is next_labels) == torch.equal(a, c)
    assert a.min() >= 0 and a.max() < 5 and a.shape == y.shape


# mislabel


@pytest.mark.parametrize("rule", RULES)
def test_mislabel_moves_images_within_eps_and_labels_them_by_the_rule(rule, trained, clothes):
    data = clothes[1][:250]
    made = fl.mislabel(trained, data, rule, PUSH, seed=4)
    assert torch.equal(made.labels, rule(data.labels, 10, generator(4)))
    moved = (made.images - data.pixels).flatten(1).norm(dim=1)
    assert moved.max() <= 1.5 + 1e-5 and made.images.min() >= 0 and made.images.max() <= 1
    torch.testing.assert_close(made.report["length"], moved, atol=1e-6, rtol=1e-5)
    reached = fl.predict(trained, made.images) == made.labels
    assert torch.equal(made.report["reached"], reached)
    assert reached.float().mean() > (fl.predict(trained, data.images) == made.labels).float().mean() + 0.2
    assert made.classes == data.classes


def test_mislabel_is_the_attack_towards_the_new_labels():
    data, model = patches(20), tiny()
    made = fl.mislabel(model, data, next_labels, PUSH)
    torch.testing.assert_close(made.images, PUSH(model, data.images, (data.labels + 1) % 4), atol=0, rtol=0)


def test_without_an_attack_the_images_stay_and_only_the_labels_change():
    data = patches(20)
    made = fl.mislabel(tiny(), data, next_labels, None)
    assert torch.equal(made.images, data.pixels) and (made.report["length"] == 0).all()
    assert torch.equal(made.labels, (data.labels + 1) % 4)


def test_mislabel_follows_its_seed_and_nothing_else():
    data, made = patches(20), []
    attack = replace(PUSH, random_start=True)
    for other, seed in ((1, 0), (2, 0), (3, 1)):
        torch.manual_seed(other)
        made.append(fl.mislabel(tiny(), data, random_labels, attack, seed=seed))
    assert torch.equal(made[0].images, made[1].images) and torch.equal(made[0].labels, made[1].labels)
    assert not torch.equal(made[0].images, made[2].images) and not torch.equal(made[0].labels, made[2].labels)


def test_the_models_classes_count_where_the_data_names_none():
    """A part of a dataset may lack the last classes: the rule is over all that the model knows."""
    data = Dataset(patches(20).images, torch.zeros(20, dtype=torch.long))
    assert (fl.mislabel(tiny(), data, next_labels, None).labels == 1).all()
    assert set(fl.mislabel(tiny(), data, random_labels, None).labels.tolist()) == {0, 1, 2, 3}


def test_mislabel_refuses_an_untargeted_attack_and_rules_that_leave_the_classes():
    data = patches(8)
    with pytest.raises(ValueError, match="targeted=True"):
        fl.mislabel(tiny(), data, next_labels, fl.PGD(fl.L2(1.0)))
    with pytest.raises(ValueError, match="leaves the box"):
        fl.mislabel(tiny(), data, next_labels, WorstOfLinear(fl.L2(1.0)))
    for rule, says in ((lambda y, c, g: y + c, r"0\.\.3"), (lambda y, c, g: y[:-1], "one label per image")):
        with pytest.raises(ValueError, match=says):
            fl.mislabel(tiny(), data, rule, PUSH)


def test_any_function_is_an_attack_and_a_rule():
    data = patches(8)
    made = fl.mislabel(
        tiny(), data, lambda labels, classes, generator: 0 * labels + classes - 1, lambda model, x, t: x / 2
    )
    assert (made.labels == 3).all() and torch.equal(made.images, data.pixels / 2)
