"""Make fashion_mnist.npz from the original files: the first 1,000 training and 200 test images of each class,
in the original order.

    python featlab/embedded/make.py FOLDER_WITH_THE_FOUR_IDX_GZ_FILES

The order interleaves the classes as the original does, so that any prefix is close to class-balanced.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np


def read_idx(path: Path) -> np.ndarray:
    """Images (n, h, w) or labels (n,) of an IDX file of unsigned bytes, gzipped: a magic number whose last
    byte is the rank, the big-endian sizes, the bytes.
    """
    raw = gzip.decompress(path.read_bytes())
    rank = raw[3]
    shape = np.frombuffer(raw, ">i4", count=rank, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def first_of_each(labels: np.ndarray, count: int) -> np.ndarray:
    """Indices (m,) of the first `count` images of each class, ascending, by labels (n,)."""
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:count] for c in np.unique(labels)]))


def main(folder: Path) -> None:
    arrays: dict[str, Any] = {}
    for split, prefix, count in (("train", "train", 1000), ("test", "t10k", 200)):
        images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz")
        labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz")
        keep = first_of_each(labels, count)
        arrays |= {f"{split}_images": images[keep], f"{split}_labels": labels[keep]}
    np.savez_compressed(Path(__file__).with_name("fashion_mnist.npz"), **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
