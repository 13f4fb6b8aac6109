"""Datasets and labels are taken where a model can give them, or refused in a sentence."""

import math

import numpy as np
import pytest
import torch
from small import linear, patches, tiny

import featlab as fl
from featlab.doors.data import check_columns, classes_in, exact, greatest, placed
from featlab.types import Dataset

GENTLE = fl.PGD(fl.L2(0.5), steps=2)


BAD_RULES = {
    "nothing": (lambda y, k, g: None, "return"),
    "beyond": (lambda y, k, g: y + 1, "0 to 3"),
    "negative": (lambda y, k, g: y - 1, "0 to 3"),
    "halves": (lambda y, k, g: y + 0.5, "whole numbers"),
    "NaN": (lambda y, k, g: y * math.nan, "class index|whole"),
    "too few": (lambda y, k, g: y[:-1], "one label per image|one class index"),
    "a text": (lambda y, k, g: "cat", "one class index"),
    "two arguments": (lambda y, k: y, "labels, classes, generator"),
    "no function": ("next", "must be a function"),
}


@pytest.mark.parametrize("case", BAD_RULES)
def test_what_is_no_rule_is_refused_in_a_sentence(case):
    rule, says = BAD_RULES[case]
    with pytest.raises((ValueError, TypeError), match=says):
        fl.mislabel(linear(), patches(8), rule, None)


def test_labels_of_a_rule_are_taken_in_other_forms():
    forms = [
        lambda y: y.tolist(),
        lambda y: y.numpy().astype(np.int32),
        lambda y: y.float(),
        lambda y: y.byte(),
    ]
    for form in forms:
        made = fl.mislabel(linear(), patches(8), lambda y, k, g, form=form: form((y + 1) % k), None)
        assert torch.equal(made.labels, (patches(8).labels + 1) % 4)


@pytest.mark.parametrize("use", [
    lambda d: fl.accuracy(linear(), d), lambda d: fl.train(linear(), d),
    lambda d: fl.mislabel(linear(), d, fl.next_labels, None),
    lambda d: fl.robustify(linear(), d), lambda d: fl.craft(linear(), d, GENTLE),
    lambda d: fl.usefulness(lambda x: x, d),
])  # fmt: skip
def test_what_is_no_dataset_is_refused_in_a_sentence(use):
    with pytest.raises(TypeError, match=r"fl\.Dataset\(images, labels\)"):
        use((patches(4).images, patches(4).labels))


@pytest.mark.parametrize("given, kept", [
    (torch.uint8, torch.float32), (torch.float16, torch.float32), (torch.float32, torch.float32),
    (torch.float64, torch.float64),
])  # fmt: skip
def test_pixels_have_32_bits_or_more(given, kept):
    images = torch.tensor([[[[0.0, 1.0]]]]).mul(255 if given == torch.uint8 else 1).to(given)
    assert exact(images).dtype == kept and exact(images).flatten().tolist() == [0, 1]


@pytest.mark.parametrize("chosen, least, says", [
    ([4], 1, "class 4 does not exist"), ([-1], 1, "class -1 does not exist"), ([1], 2, "choose 2 or more"),
    ([1, 1], 1, "each once"), ("12", 1, "by their numbers"), (2, 1, "by their numbers"), ([], 1, "choose 1"),
])  # fmt: skip
def test_classes_are_chosen_by_their_numbers_each_once(chosen, least, says):
    assert classes_in(patches(8), (3, 0), 2) == [3, 0]
    with pytest.raises((ValueError, TypeError), match=says):
        classes_in(patches(8), chosen, least)


def test_labels_of_minus_1_and_1_are_no_class_indices():
    assert greatest(0, 7) == 7
    with pytest.raises(ValueError, match=r"begin at -1.*\(labels > 0\)"):
        placed(lambda x: x, Dataset(patches(4).images, torch.tensor([-1, 1, 1, -1])))


def test_labels_that_the_model_cannot_give_are_refused_and_a_model_of_more_classes_is_said():
    data = patches(8)
    assert torch.equal(placed(tiny(), data).labels, data.labels)
    check_columns(4, data)
    with pytest.raises(ValueError, match=r"0\.\.2 for 3 classes"):
        check_columns(3, data)
    with pytest.warns(UserWarning, match="6 logits and the data 4 classes"):
        check_columns(6, data)


SWAPPED = [
    (lambda m, d: fl.accuracy(d, m), r"model stands first and the data second"),
    (lambda m, d: fl.robustify(d, m), r"model stands first and the data second"),
    (lambda m, d: fl.train(d, m), r"model stands first, as in fl\.train"),
    (lambda m, d: fl.predict(d.images, m), r"model stands first, and the images second"),
    (lambda m, d: GENTLE(d.pixels, m, d.labels), r"model stands first, and the images second"),
    (lambda m, d: fl.mislabel(m, d, GENTLE, fl.next_labels), r"mislabel\(model, data, rule, attack\)"),
    (lambda m, d: fl.accuracy(m, (d.images, d.labels)), r"fl\.Dataset\(\*data\)"),
    (lambda m, d: fl.train(m, (d, d)), r"train, test = fl\.load"),
    (lambda m, d: fl.robustify(torch.nn.Flatten(), d), r"fl\.Classifier\(body, width"),
    (lambda m, d: fl.predict(fl.cnn(), torch.rand(2, 3, 32, 32)), r"channels=3, size=\(32, 32\)"),
]


@pytest.mark.parametrize("call, says", SWAPPED)
def test_what_stands_in_the_place_of_another_is_told_its_own(call, says):
    with pytest.raises((TypeError, ValueError), match=says):
        call(linear(), patches(8))


MISSPELT = [
    (lambda: fl.acuracy, "accuracy"),
    (lambda: fl.pgd, "PGD"),
    (lambda: fl.load("fashon-mnist"), "fashion-mnist"),
    (lambda: fl.train(linear(), patches(8), epoch=2), "epochs"),
    (lambda: fl.Lab("laptp"), "laptop"),
    (lambda: fl.measured("fashon-mnist-laptop"), "fashion-mnist-laptop"),
]


@pytest.mark.parametrize("call, meant", MISSPELT)
def test_a_misspelt_name_is_told_what_it_may_mean(call, meant):
    with pytest.raises((AttributeError, ValueError, FileNotFoundError), match=rf"did you mean {meant}\?$"):
        call()
