"""Datasets: what they accept, what they refuse and why, and how parts are taken."""

import dataclasses

import numpy as np
import pytest
import torch
from brought import ATTACKS, DATA, IMAGES, LINEAR, MODELS, OURS, REPRESENTING
from hypothesis import given
from hypothesis import strategies as st
from small import patches
from torch import nn

from featlab.types import Attack, Dataset, Model, Representing, check_images, check_labels, pixels

GOOD = torch.rand(3, 1, 4, 4)


def test_pixels_maps_all_bytes_onto_the_unit_interval_and_leaves_floats():
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(pixels(every).flatten(), torch.arange(256) / 255)
    assert pixels(GOOD) is GOOD


BAD_IMAGES = {
    "text": ("three.png", TypeError, "a torch tensor, an array or a list, got str"),
    "one image": (GOOD[0], ValueError, "for one image"),
    "no images": (GOOD[:0], ValueError, "no images"),
    "integers": ((255 * GOOD).long(), TypeError, r"\.to\(torch\.uint8\)"),
    "booleans": (GOOD > 0.5, TypeError, r"\.float\(\)"),
    "channels last": (torch.rand(3, 8, 8, 1), ValueError, r"permute\(0, 3, 1, 2\)"),
    "below 0": (GOOD - 1, ValueError, "standardisation"),
    "above 1": (GOOD * 255, ValueError, "divide"),
    "a NaN": (torch.where(torch.arange(4) == 2, torch.nan, GOOD), ValueError, "finite"),
    "an infinity": (torch.where(torch.arange(4) == 2, torch.inf, GOOD), ValueError, "finite"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_bad_images_are_refused_with_the_reason_and_the_remedy(case):
    images, error, says = BAD_IMAGES[case]
    with pytest.raises(error, match=says):
        check_images(images)
    with pytest.raises(error, match=says):
        Dataset(images, torch.zeros(3, dtype=torch.long))


BAD_LABELS = {
    "too few": ([0, 1], 0, ValueError, "one label per image: 3 images"),
    "too many": ([0, 1, 2, 3], 0, ValueError, "one label per image: 3 images"),
    "two at once": ([[0, 1], [1, 1], [1, 0]], 0, ValueError, "one label per image"),
    "one-hot of other classes": ([[0, 1], [1, 0], [1, 0]], 3, ValueError, "a column a class: 3 classes"),
    "counted from 1": ([1, 2, 3], 3, ValueError, "labels - 1"),
    "an infinity": ([0.0, float("inf"), 1.0], 0, TypeError, "whole"),
    "beyond all classes": ([0.0, 1e30, 1.0], 0, TypeError, "whole"),
    "fractions": ([0.0, 0.5, 1.0], 0, TypeError, "whole"),
    "NaN": ([0.0, float("nan"), 1.0], 0, TypeError, "whole"),
    "as large as the classes": ([0, 1, 2], 2, ValueError, r"0\.\.1 for 2 classes"),
    "negative": ([0, 1, -1], 0, ValueError, "from 0 up"),
    "negative, classes known": ([1, -1, 1], 2, ValueError, r"0\.\.1"),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels_are_refused_with_the_reason(case):
    labels, classes, error, says = BAD_LABELS[case]
    with pytest.raises(error, match=says):
        Dataset(GOOD, torch.tensor(labels), tuple("abcdef"[:classes]))


def test_labels_are_told_apart_from_text_where_there_are_no_names():
    with pytest.raises(TypeError, match="labels must be real numbers"):
        check_labels(["a", "b", "a"], GOOD)
    assert check_labels([[0, 1], [1, 0], [0, 1]], GOOD, 2).tolist() == [1, 0, 1]
    assert check_labels(np.array([[2], [0], [1]]), GOOD, 3).tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    "labels",
    [[0, 1, 2], [-1, 1, -1], torch.tensor([2, 1, 0], dtype=torch.uint8), torch.tensor([0.0, 1.0, 0.0])],
)
def test_labels_become_whole_numbers_of_64_bits(labels):
    kept = Dataset(GOOD, labels).labels
    assert kept.dtype == torch.int64 and kept.tolist() == [int(v) for v in labels]


def test_a_dataset_cannot_be_changed_by_accident():
    data = patches(4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.labels = data.labels + 1


@given(st.lists(st.integers(0, 11), min_size=1, max_size=20))
def test_a_part_takes_images_labels_and_report_together(index):
    data = dataclasses.replace(patches(12), report={"length": torch.arange(12.0)})
    part = data[torch.tensor(index)]
    assert part.report["length"].tolist() == index
    assert part.labels.tolist() == [data.labels[i].item() for i in index]
    assert all(torch.equal(image, data.images[i]) for image, i in zip(part.images, index, strict=True))
    assert part.classes == data.classes


def test_a_report_has_one_value_an_image():
    data = Dataset(GOOD, [0, 1, 2], report={"length": np.arange(3.0), "reached": [True, False, True]})
    assert data[[2, 0]].report["length"].tolist() == [2, 0] and data.report["reached"].dtype == torch.bool
    for column in (torch.zeros(4), torch.tensor(1.0)):
        with pytest.raises(ValueError, match="one value for each of 3 images, 'length'"):
            Dataset(GOOD, [0, 1, 2], report={"length": column})


def test_names_of_classes_are_kept_as_a_tuple_of_text():
    assert Dataset(GOOD, [0, 1, 2], ["a", "b", "c"]).classes == ("a", "b", "c")
    assert Dataset(GOOD, [0, 1, 2], np.array([5, 6, 7])).classes == ("5", "6", "7")
    for names, error in (("abc", TypeError), (3, TypeError), (("a", "a", "b"), ValueError)):
        with pytest.raises(error, match="classes must"):
            Dataset(GOOD, [0, 1, 2], names)


def test_an_array_that_changes_later_changes_no_dataset():
    images = np.zeros((3, 1, 4, 4), np.float32)
    data = Dataset(images, [0, 1, 2])
    before = data.fingerprint
    images[:] = 1
    assert dataclasses.replace(data).fingerprint == before


def test_slices_masks_and_single_images():
    data = patches(12)
    assert torch.equal(data[3:5].images, data.images[3:5])
    assert torch.equal(data[data.labels == 2].images, data.images[2::4])
    assert all(torch.equal(data[i].images, data.images[[i]]) for i in (0, 11, -1, -12))
    with pytest.raises(ValueError, match="no images"):
        data[data.labels == 99]


def test_iterating_visits_every_image_once_and_ends():
    data = patches(5)
    assert [one.labels.item() for one in data] == data.labels.tolist()
    for beyond in (5, -6):
        with pytest.raises(IndexError):
            data[beyond]


def test_classes_are_counted_by_name_where_there_are_names():
    assert patches(4, classes=4)[:2].num_classes == 4
    assert Dataset(GOOD, torch.tensor([0, 5, 1])).num_classes == 6
    assert check_labels(torch.tensor([0, 5, 1]), GOOD, 6).max() == 5


@pytest.mark.parametrize("name", MODELS)
def test_a_model_gives_a_row_of_logits_for_each_image(name):
    model = MODELS[name]
    with torch.no_grad():
        logits, one = model(IMAGES), model(IMAGES[:1])
    assert isinstance(model, Model)
    assert logits.shape == (len(IMAGES), 3) and logits.is_floating_point()
    torch.testing.assert_close(one, logits[:1])


@pytest.mark.parametrize("name", REPRESENTING)
def test_a_representing_model_gives_a_row_of_features_for_each_image(name):
    model = REPRESENTING[name]
    with torch.no_grad():
        features = model.represent(IMAGES)
    assert isinstance(model, Representing)
    assert features.ndim == 2 and len(features) == len(IMAGES)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gives_an_image_for_each_image_in_the_ball_that_it_names(name):
    attack = ATTACKS[name]
    found = attack(LINEAR if name == "WorstOfLinear" else OURS, IMAGES, DATA.labels)
    assert isinstance(attack, Attack)
    assert found.shape == IMAGES.shape and found.is_floating_point()
    assert getattr(attack, "leaves_the_box", False) or 0 <= found.min() <= found.max() <= 1
    if ball := getattr(attack, "ball", None):
        assert ball.norm(found - IMAGES).max() <= ball.eps + 1e-5


def test_what_has_no_such_method_is_no_model_no_attack_and_represents_nothing():
    assert not isinstance(GOOD, Model) and not isinstance("PGD", Attack)
    assert not isinstance(nn.Flatten(), Representing)
