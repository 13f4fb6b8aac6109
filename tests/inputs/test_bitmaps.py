"""Which tensors are images; and arrays as other libraries hold them,
where it is unmistakable what they mean.
"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import featlab as fl
from featlab.inputs import bitmaps
from featlab.types import check_images

LABELS = [0, 1, 2, 0, 1, 2]
DRAW = np.random.default_rng(0)
BYTES = DRAW.integers(0, 256, (6, 3, 8, 10), dtype=np.uint8)
BYTES[0, 0, 0, :2] = 0, 255
LAST = BYTES.transpose(0, 2, 3, 1)


def same(dataset, wanted=BYTES) -> bool:
    return np.array_equal((dataset.pixels * 255).round().numpy(), wanted)


HELD = {
    "as they are": BYTES,
    "floats of 0 to 1": BYTES / 255,
    "half floats": (BYTES / 255).astype(np.float16),
    "channels last": LAST,
    "channels last, floats": LAST / 255,
    "whole floats": LAST.astype(float),
    "whole numbers": LAST.astype(int),
    "16 bits that hold 8": LAST.astype(np.uint16),
    "the other end first": (BYTES / 255).astype(">f4"),
    "MATLAB's order": BYTES.transpose(2, 3, 1, 0),
    "a list of arrays": list(LAST),
    "a list of tensors": [torch.from_numpy(image.copy()) for image in BYTES],
    "mirrored twice": BYTES[..., ::-1].copy()[..., ::-1],
    "a tensor": torch.from_numpy(LAST.copy()),
}


@pytest.mark.parametrize("held", HELD)
def test_images_are_the_same_however_they_are_held(held):
    assert same(fl.Dataset.from_arrays(HELD[held], LABELS))


def test_grey_images_need_no_axis_for_it_and_truth_is_white():
    grey = BYTES[:, 0]
    for held in (grey, grey.tolist(), grey[..., None], grey / 255, grey.transpose(1, 2, 0)[:, :, None]):
        assert same(fl.Dataset.from_arrays(held, LABELS), grey[:, None])
    assert same(fl.Dataset.from_arrays(grey > 127, LABELS), np.where(grey[:, None] > 127, 255, 0))


def test_labels_are_taken_as_people_have_them():
    names, rows = np.array(["cat", "dog", "eel"]), np.eye(3)
    for labels in (
        LABELS,
        np.array(LABELS, np.uint8)[:, None],
        rows[LABELS],
        names[LABELS],
        names[LABELS].tolist(),
    ):
        for make in (fl.Dataset.from_arrays, fl.Dataset):
            assert make(BYTES, labels).labels.tolist() == LABELS
    assert (
        fl.Dataset.from_arrays(BYTES, names[LABELS]).classes
        == fl.Dataset(BYTES, names[LABELS]).classes
        == tuple(names)
    )
    assert fl.Dataset.from_arrays(BYTES, names[LABELS], ["eel", "dog", "cat"]).labels.tolist() == [
        2,
        1,
        0,
        2,
        1,
        0,
    ]


REFUSED = {
    "0 to 255, not whole": (BYTES * 0.99, "divide by .* images / 255"),
    "0 to 16": (DRAW.integers(0, 17, (6, 1, 8, 8)).astype(float), "images / 16 if that is the largest"),
    "16 bits": (BYTES.astype(np.uint16) * 257, "0..65535; .*images / 65535"),
    "standardised": ((BYTES / 255 - 0.5) / 0.25, r"images \* std \+ mean"),
    "from -1 to 1": (BYTES / 127.5 - 1, r"\(images \+ 1\) / 2"),
    "a resize that led beyond": (BYTES / 255 * 1.1 - 0.05, r"images\.clamp\(0, 1\)"),
    "a NaN": (np.where(BYTES == 255, np.nan, BYTES / 255), r"\d+ of 1440 pixels are not finite"),
    "an infinity": (np.where(BYTES == 255, np.inf, BYTES / 255), "are not finite"),
    "rows of 784": (np.zeros((6, 784)), r"reshape\(-1, 1, 28, 28\)"),
    "rows of 3072": (np.zeros((6, 3072)), r"reshape\(-1, 3, 32, 32\)"),
    "rows of another number": (np.zeros((6, 10)), r"reshape\(n, channels, height, width\)"),
    "one image": (BYTES[0] / 255, r"images\[None\]"),
    "batches": (BYTES[None], r"images\.flatten\(0, 1\)"),
    "none": (BYTES[:0], "there are no images"),
    "an empty list": ([], "there are no images"),
    "text": (["a.png", "b.png"], "real numbers"),
    "a dataset": (fl.Dataset(BYTES, LABELS), r"use \.images and \.labels"),
    "signed": (BYTES.astype(int) - 1, "range over -1..254"),
    "0 and 1 as whole numbers": ((BYTES > 127).astype(int), r"\.float\(\) if 1 is white"),
    "eight bits of float": (torch.zeros(6, 1, 8, 8, dtype=torch.float8_e4m3fn), r"\.float\(\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_mean_two_things_is_refused_with_the_line_that_makes_it_one(case):
    images, says = REFUSED[case]
    for make in (fl.Dataset, fl.Dataset.from_arrays):
        with pytest.raises((TypeError, ValueError), match=says):
            make(images, LABELS)


@pytest.mark.parametrize(
    "shape", [(9, 32, 32, 3), (9, 28, 28, 1), (9, 32, 32, 4), (9, 24, 32, 3), (9, 4, 4, 3), (9, 28, 28, 2)]
)
def test_channels_that_come_last_are_refused_with_the_line_that_moves_them(shape):
    images = torch.rand(shape)
    with pytest.raises(ValueError, match=r"permute\(0, 3, 1, 2\)"):
        fl.Dataset(images, torch.zeros(9))
    assert torch.equal(fl.Dataset.from_arrays(images, torch.zeros(9)).images, images.permute(0, 3, 1, 2))


@pytest.mark.parametrize(
    "shape",
    [(9, 3, 32, 32), (9, 1, 28, 28), (9, 1, 28, 1), (9, 3, 3, 3), (9, 4, 4, 4), (9, 50, 1, 1), (9, 16, 4, 4)],
)
def test_what_may_be_channels_first_passes(shape):
    assert tuple(check_images(torch.rand(shape)).shape) == shape


@given(st.floats(0, 1), st.sampled_from(bitmaps.FLOATS))
def test_a_rounding_beyond_the_box_is_brought_back_and_more_is_not(value, dtype):
    eps = torch.finfo(dtype).eps
    images = torch.tensor([[[[value, 1 + eps, -min(eps, 1e-5)]]]], dtype=dtype)
    kept = check_images(images)
    assert kept.min() == 0 and kept.max() == 1 and kept[0, 0, 0, 0] == images[0, 0, 0, 0].clamp(0, 1)
    with pytest.raises(ValueError):
        check_images(images + 0.1)


def test_floats_in_the_box_are_not_copied():
    images = torch.rand(2, 1, 4, 4, requires_grad=True)
    assert check_images(images) is images


def test_bytes_that_reach_only_1_are_said():
    ones = torch.randint(0, 2, (6, 1, 8, 8), dtype=torch.uint8)
    for make in (fl.Dataset, fl.Dataset.from_arrays):
        with pytest.warns(UserWarning, match=r"reach only 1: use images \* 255"):
            make(ones, LABELS)


def test_what_is_taken_trains():
    train = fl.Dataset.from_arrays(
        DRAW.integers(0, 256, (40, 8, 8, 3)).astype(float), np.array(list("abcd") * 10)[:, None]
    )
    model = fl.train(fl.models.build("mlp", train), train, epochs=1)
    assert len(fl.predict(model, train.images)) == 40
