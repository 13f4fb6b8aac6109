"""The embedded images are the first of each class, read from files as MNIST's are written."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from featlab.embedded import make


def write_idx(path: Path, values: np.ndarray) -> None:
    """An IDX file of unsigned bytes, by its definition."""
    head = struct.pack(">BBBB", 0, 0, 8, values.ndim) + struct.pack(f">{values.ndim}i", *values.shape)
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


@pytest.mark.parametrize("shape", [(7,), (5, 3), (300, 2, 4)])
def test_what_is_read_is_what_was_written(shape, tmp_path):
    values = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    write_idx(tmp_path / "values.gz", values)
    read = make.read_idx(tmp_path / "values.gz")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, values)


def test_the_first_of_each_class_are_taken_in_the_original_order():
    labels = np.array([2, 0, 2, 2, 1, 0, 1, 1, 0])
    assert make.first_of_each(labels, 2).tolist() == [0, 1, 2, 4, 5, 6]
    assert make.first_of_each(labels, 1).tolist() == [0, 1, 4]
    assert make.first_of_each(labels, 9).tolist() == list(range(9))


def test_images_and_labels_of_both_parts_are_kept_together(tmp_path, monkeypatch):
    monkeypatch.setattr(make, "__file__", str(tmp_path / "make.py"))
    labels = np.arange(2500) % 2
    images = np.stack([np.full((2, 2), i % 251) for i in range(2500)])
    for prefix in ("train", "t10k"):
        write_idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", images)
        write_idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", labels)
    make.main(tmp_path)
    made = np.load(tmp_path / "fashion_mnist.npz")
    for part, count in (("train", 2000), ("test", 400)):
        np.testing.assert_array_equal(made[f"{part}_images"], images[:count])
        np.testing.assert_array_equal(made[f"{part}_labels"], labels[:count])
