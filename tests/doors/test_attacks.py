"""What an attack returns is taken as images or refused in a sentence, wherever it is used."""

import math

import pytest
import torch
from small import linear, patches, tiny

import featlab as fl
from featlab.debate.stronger import Worst, standing
from featlab.doors.attacks import (
    FEW,
    ROUNDING,
    attacked,
    attempted,
    check_attack,
    check_untargeted,
    refuse,
    sound,
)
from featlab.types import Dataset

BAD_ATTACKS = {
    "bytes as floats": (lambda m, x, y: x * 255, r"\[0, 1\]"),
    "the change": (lambda m, x, y: x - 0.5 - x.mean(), r"\[0, 1\]"),
    "NaN": (lambda m, x, y: x * math.nan, "NaN"),
    "one NaN": (lambda m, x, y: x.index_fill(0, torch.tensor([0]), math.nan), "NaN"),
    "infinite": (lambda m, x, y: x / 0, r"\[0, 1\]"),
    "too few": (lambda m, x, y: x[:-1], "one image for each"),
    "flat": (lambda m, x, y: x.flatten(1), "one image for each"),
    "nothing": (lambda m, x, y: None, "NoneType"),
    "a pair": (lambda m, x, y: (x, y), "tuple"),
    "whole numbers": (lambda m, x, y: (x * 255).long(), "int64"),
    "two arguments": (lambda m, x: x, r"model, images, labels"),
    "a ball": (fl.L2(0.5), r"PGD\(L2"),
    "a text": ("pgd", "attack is a function"),
    "a class": (fl.PGD, "attack is a function"),
}


USES = {
    "accuracy": lambda a, d: fl.accuracy(always_right(d), d, a),
    "train": lambda a, d: fl.train(tiny(), d, attack=a, epochs=1, batch=4),
    "mislabel": lambda a, d: fl.mislabel(linear(), d, fl.next_labels, a),
    "craft": lambda a, d: fl.craft(always_right(d), d, a),
    "Worst": lambda a, d: Worst((a,))(always_right(d), d.images, d.labels),
    "standing": lambda a, d: standing(always_right(d), d, {"a": a}),
}


def always_right(data: Dataset):
    """A function that gives each image in turn its label, so that all are attacked."""
    return lambda x: torch.nn.functional.one_hot(data.labels[: len(x)], 4).float() + 0 * x.sum()


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("case", BAD_ATTACKS)
def test_what_is_no_attack_is_refused_in_a_sentence_wherever_it_is_used(use, case):
    attack, says = BAD_ATTACKS[case]
    if use == "train":
        says = f"{says}|NaN"
    with pytest.raises((ValueError, TypeError, FloatingPointError), match=says):
        USES[use](attack, patches(8))


class Promising:
    """An attack that promises a ball, and goes as far as it is told."""

    def __init__(self, ball, length):
        self.ball, self.length = ball, length

    def __call__(self, model, x, y):
        return x + self.length * self.ball.steepest(0.5 - x)


@pytest.mark.parametrize("ball", [fl.L2(0.5), fl.Linf(0.1)], ids=repr)
def test_the_ball_that_an_attack_promises_is_held(ball):
    data = patches(8)
    x, y = data.pixels * 0.5 + 0.2, data.labels
    attacked(Promising(ball, ball.eps), linear(), x, y)
    with pytest.raises(ValueError, match="left its ball"):
        attacked(Promising(ball, 1.01 * ball.eps), linear(), x, y)


def test_what_an_attack_returns_is_taken_as_float_pixels_where_the_model_is():
    x, y = patches(4).pixels, patches(4).labels
    forms = [
        lambda z: z.numpy(),
        lambda z: z.double(),
        lambda z: (z * 255).round().byte(),
        lambda z: z * (1 + 1e-7),
    ]
    for form in forms:
        z = attacked(lambda m, x, y, form=form: form(x), linear(), x, y)
        assert z.dtype == torch.float32 and z.min() >= 0 and z.max() <= 1
        torch.testing.assert_close(z, x, atol=3e-3, rtol=0)
    assert not attacked(lambda m, x, y: x.requires_grad_() * 1.0, linear(), x, y).requires_grad


REACHES = {
    "inside": ([0.0, 1.0, 0.0], True),
    "off by rounding": ([-ROUNDING / 2, 1 + ROUNDING / 2, -0.1], True),
    "too dark": ([-2 * ROUNDING, 1.0, 0.0], False),
    "too bright": ([0.0, 1 + 2 * ROUNDING, 0.0], False),
    "out of its ball": ([0.0, 1.0, 0.001], False),
    "NaN": ([math.nan, math.nan, 0.0], False),
}


@pytest.mark.parametrize("case", REACHES)
def test_it_is_sound_where_nothing_is_refused(case):
    reach, right = torch.tensor(REACHES[case][0]), REACHES[case][1]
    attack = Promising(fl.L2(0.5), 0.5)
    assert bool(sound(attack, reach)) == right
    if right:
        refuse(attack, reach)
    else:
        with pytest.raises(ValueError, match=r"\[0, 1\]|left its ball"):
            refuse(attack, reach)


def test_the_reach_is_the_least_and_the_greatest_pixel_and_the_way_beyond_the_ball():
    x, y = torch.full((3, 1, 2, 2), 0.5), torch.zeros(3, dtype=torch.long)
    moves = torch.tensor([-0.3, 0.0, 0.4]).view(3, 1, 1, 1)
    found, reach = attempted(lambda model, x, y: x + moves, linear(), x, y)
    assert torch.equal(found, x + moves) and reach.tolist() == pytest.approx([0.2, 0.9, 0])
    _, reach = attempted(Promising(fl.Linf(0.1), 0.3), linear(), 0.9 * x, y)
    assert reach.tolist() == pytest.approx([0.75, 0.75, 0.2], abs=1e-3)


def test_all_images_returned_as_they_were_are_said_where_there_are_more_than_a_few():
    data = patches(FEW)
    with pytest.warns(UserWarning, match=f"returned all {FEW} images as they were"):
        attacked(lambda m, x, y: x, linear(), data.pixels, data.labels)
    attacked(lambda m, x, y: x, linear(), data.pixels[1:], data.labels[1:])
    attacked(lambda m, x, y: x, linear(), data.pixels, data.labels, first=False)


def test_an_attack_that_works_in_place_changes_neither_the_images_nor_the_labels_that_it_got():
    x, y = patches(6).pixels, patches(6).labels
    attacked(lambda model, x, y: x.mul_(0.5 + 0 * y.zero_().sum()), linear(), x, y)
    assert torch.equal(x, patches(6).pixels) and torch.equal(y, patches(6).labels)


def test_only_the_first_images_are_looked_at_by_an_attack_that_can_leave_that_out():
    data, asked = patches(6), []

    class Looking:
        def __call__(self, model, x, y):
            asked.append("looks")
            return x / 2

        def unchecked(self, model, x, y):
            asked.append("unchecked")
            return x / 2

    found = [attacked(Looking(), linear(), data.pixels, data.labels, first=first) for first in (True, False)]
    assert asked == ["looks", "unchecked"] and torch.equal(*found)


def test_a_targeted_attack_would_lead_towards_the_truth():
    check_untargeted(None), check_untargeted(fl.PGD(fl.L2(0.5))), check_attack(fl.PGD(fl.L2(0.5)))
    with pytest.raises(ValueError, match="leave targeted out"):
        check_untargeted(fl.PGD(fl.L2(0.5), targeted=True))
