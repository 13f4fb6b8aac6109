"""Constructed datasets: label rules by their definitions, robustify and mislabel by what each must keep and must change."""

import math
from dataclasses import replace

import pytest
import torch
from small import linear, patches, tiny

import featlab as fl
from featlab import engine
from featlab.constructed import mislabelling, next_labels, other_labels, random_labels, robustifying
from featlab.types import Dataset

RULES = [random_labels, other_labels, next_labels]
PUSH = fl.PGD(fl.L2(1.5), steps=10, targeted=True)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shares(labels: torch.Tensor, classes: int) -> torch.Tensor:
    return torch.bincount(labels, minlength=classes) / len(labels)


# label rules


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


# robustify


def test_robustify_carries_all_over_where_the_features_are_all_of_the_image():
    """The limit: g linear and invertible, so z with g(z) = g(x) is x itself. Labels are those of x, not of the image begun at."""
    data = patches(20)
    made = fl.robustify(linear(), data, steps=300, step=0.3)
    torch.testing.assert_close(made.images, data.pixels, atol=1e-3, rtol=0)
    assert torch.equal(made.labels, data.labels) and made.report["distance"].max() < 1e-3


def test_robustify_reports_what_it_achieved(trained, clothes):
    data = clothes[1][:30]
    before, after = (fl.robustify(trained, data, steps=steps, seed=3) for steps in (0, 120))
    with torch.no_grad():
        target = trained.represent(data.images)
        distance = (trained.represent(after.images) - target).norm(dim=1) / target.norm(dim=1)
    torch.testing.assert_close(after.report["distance"], distance, atol=1e-3, rtol=1e-2)
    torch.testing.assert_close(after.report["length"], (after.images - before.images).flatten(1).norm(dim=1), atol=1e-4, rtol=1e-4)
    assert after.report["distance"].mean() < 0.5 * before.report["distance"].mean()  # a local minimum for some: few features
    agree = lambda made: (fl.predict(trained, made.images) == fl.predict(trained, data.images)).float().mean()  # noqa: E731
    assert agree(after) > agree(before) + 0.2  # features carried over carry the prediction with them


def test_robustify_stays_in_the_box_and_keeps_labels_classes_and_order():
    data = patches(30)
    made = fl.robustify(tiny(), data, steps=5, step=3.0)
    assert made.images.min() >= 0 and made.images.max() <= 1
    assert torch.equal(made.labels, data.labels) and made.classes == data.classes and len(made) == 30


def test_robustify_begins_at_images_of_the_data_drawn_independently_of_the_label():
    data = patches(400)
    start = fl.robustify(tiny(), data, steps=0)
    where = (start.images[:, None] == data.pixels[None]).flatten(2).all(2)  # (start, image)
    assert where.any(1).all()
    drawn = where.int().argmax(1)
    assert abs((data.labels[drawn] == data.labels).float().mean() - 1 / 4) < 0.08
    assert drawn.unique().numel() == pytest.approx(400 * (1 - 1 / math.e), rel=0.1)  # with replacement
    assert (start.report["length"] == 0).all()


def test_robustify_begins_at_uniform_noise_if_asked():
    start = fl.robustify(tiny(), patches(100), steps=0, start="noise").images
    assert start.min() >= 0 and start.max() < 1
    assert abs(start.mean() - 0.5) < 0.02 and abs(start.var() - 1 / 12) < 0.005
    assert (start[0] != start[1]).all()


@pytest.mark.parametrize("start", ["images", "noise"])
def test_robustify_follows_its_seed_and_nothing_else(start):
    data, made = patches(20), []
    for other, seed in ((1, 0), (2, 0), (3, 1)):
        torch.manual_seed(other)
        made.append(fl.robustify(tiny(), data, steps=3, start=start, seed=seed).images)
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_robustify_refuses_what_it_cannot_do():
    data = patches(4)
    with pytest.raises(ValueError, match=r"unknown start 'zeros'.*images, noise"):
        fl.robustify(tiny(), data, start="zeros")
    with pytest.raises(TypeError, match="represent"):
        fl.robustify(lambda x: x, data)

    class Deaf(torch.nn.Module):
        def represent(self, x):
            return x.flatten(1).detach().round()

    with pytest.raises(ValueError, match="no gradient"):
        fl.robustify(Deaf(), data)


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
    for rule, says in ((lambda y, c, g: y + c, r"0\.\.3"), (lambda y, c, g: y[:-1], "one label an image")):
        with pytest.raises(ValueError, match=says):
            fl.mislabel(tiny(), data, rule, PUSH)


def test_any_function_is_an_attack_and_a_rule():
    data = patches(8)
    made = fl.mislabel(tiny(), data, lambda labels, classes, generator: 0 * labels + classes - 1, lambda model, x, t: x / 2)
    assert (made.labels == 3).all() and torch.equal(made.images, data.pixels / 2)


# in parts


@pytest.mark.parametrize("begin", [
    lambda data: robustifying(tiny(), data, steps=2),
    lambda data: mislabelling(tiny(), data, random_labels, replace(PUSH, random_start=True)),
])  # fmt: skip
def test_a_construction_gone_on_with_equals_one_made_at_once(begin):
    data = patches(2 * engine.chunk("cpu") + 9)
    whole = list(begin(data).parts())
    assert [part.start for part in whole] == [0, engine.chunk("cpu"), 2 * engine.chunk("cpu")]
    torch.manual_seed(8)
    rest = list(begin(data).parts(whole[1].start))
    once, twice = begin(data).join(whole), begin(data).join([whole[0], *rest])
    assert torch.equal(once.images, twice.images) and torch.equal(once.labels, twice.labels)
    assert all(torch.equal(once.report[name], twice.report[name]) for name in once.report)
