"""Datasets: what they accept, what they refuse and why, and how parts are taken."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import patches

from featlab.types import Dataset, check_images, check_labels, pixels

GOOD = torch.rand(3, 1, 4, 4)


def test_pixels_maps_all_bytes_onto_the_unit_interval_and_leaves_floats():
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    assert torch.equal(pixels(every).flatten(), torch.arange(256) / 255)
    assert pixels(GOOD) is GOOD


BAD_IMAGES = {
    "an array": (np.zeros((3, 1, 4, 4)), TypeError, "torch.as_tensor"),
    "one image": (GOOD[0], ValueError, "for one image"),
    "no images": (GOOD[:0], ValueError, "no images"),
    "integers": ((255 * GOOD).long(), TypeError, r"\.to\(torch\.uint8\)"),
    "booleans": (GOOD > 0.5, TypeError, "uint8"),
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
    "too few": ([0, 1], 0, ValueError, "one label an image: 3 images"),
    "too many": ([0, 1, 2, 3], 0, ValueError, "one label an image: 3 images"),
    "one-hot": ([[0, 1], [1, 0], [1, 0]], 0, ValueError, "one label an image"),
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


@pytest.mark.parametrize("labels", [[0, 1, 2], [-1, 1, -1], torch.tensor([2, 1, 0], dtype=torch.uint8), torch.tensor([0.0, 1.0, 0.0])])
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
