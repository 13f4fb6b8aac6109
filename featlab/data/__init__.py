"""Real images: load(name or folder) -> train, test, as uint8 tensors on the device."""

import os
import warnings
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from featlab.data import downloads, folders
from featlab.engine import devices, files, parallel
from featlab.inputs.checks import Size, sides
from featlab.inputs.options import did_you_mean
from featlab.types import Dataset

CLOTHES = (
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
Splits = dict[str, Tensor]  # train_images (n, c, h, w) uint8, train_labels (n,), test_images, test_labels


def embedded() -> Splits:
    """10,000 + 2,000 class-balanced images of Fashion-MNIST from
    inside the package (featlab/embedded/README.md).
    """
    with (
        resources.files("featlab.embedded").joinpath("fashion_mnist.npz").open("rb") as file,
        np.load(file) as arrays,
    ):
        splits = {name: torch.from_numpy(arrays[name]) for name in arrays}
    return {name: t[:, None] if name.endswith("images") else t for name, t in splits.items()}


# name of torchvision's dataset, classes, the files that it downloads (relative to the root folder), their
# home
DOWNLOADS = {
    "fashion-mnist-full": (
        "FashionMNIST",
        CLOTHES,
        [
            f"FashionMNIST/raw/{part}-ubyte.gz"
            for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        ],
        "https://github.com/zalandoresearch/fashion-mnist",
    ),
    "cifar10": ("CIFAR10", CIFAR, ["cifar-10-python.tar.gz"], "https://www.cs.toronto.edu/~kriz/cifar.html"),
}
NAMES = ("fashion-mnist", *DOWNLOADS)
_CHOICE = f"choose one of {', '.join(NAMES)}, or the path of a folder of images"


def download(name: str) -> Splits:
    """A dataset through torchvision: fetched once with a progress bar, then kept as one checksummed tensor
    file.

    Where that cannot be written it is given back all the same, with a warning.
    """
    kept = files.cache_folder() / "data" / f"{name}.safetensors"
    if not parallel.leads():
        parallel.barrier()  # the first process of each machine fetches for all of it
    if (splits := files.read_tensors(kept, name)) is None:
        splits = _fetch(name)
        try:
            files.write_tensors(kept, splits, name)
        except OSError as error:
            words = f"{error.strerror or error}. {name} is in memory only: the next start downloads it again"
            warnings.warn(words, stacklevel=4)
    if parallel.leads():
        parallel.barrier()
    return splits


def _fetch(name: str) -> Splits:
    from torchvision import datasets

    dataset, _, needed, home = DOWNLOADS[name]
    kind, root, splits = getattr(datasets, dataset), files.cache_folder() / "downloads", {}
    try:
        with downloads.verified(kind, root) as folder:
            for split in ("train", "test"):
                source = kind(folder, train=split == "train", download=True)  # unpacks what is there
                images = torch.as_tensor(source.data)
                images = images.permute(0, 3, 1, 2) if images.ndim == 4 else images[:, None]
                splits[f"{split}_images"] = images.contiguous()
                splits[f"{split}_labels"] = torch.as_tensor(source.targets).to(torch.uint8)
    except downloads.FAILURES as error:
        wanted = "\n  ".join(str(root / file) for file in needed)
        raise ConnectionError(
            f"{name} could not be downloaded ({error}). Without a network, take the files from "
            f"{home} elsewhere, put them at\n  "
            f'{wanted}\nand call again; or use load("fashion-mnist"), which is inside the package.'
        ) from error
    return splits


def load(
    name: str | os.PathLike = "fashion-mnist",
    *,
    size: Size | None = None,
    device: torch.device | str | None = None,
) -> tuple[Dataset, Dataset]:
    """Real images by name or folder: train, test, each a Dataset of uint8 images (n, c, h, w) on the device.

    name    "fashion-mnist"       10,000 + 2,000 images inside the package, 28x28 grey; needs no network
            "fashion-mnist-full"  60,000 + 10,000, downloaded once
            "cifar10"             50,000 + 10,000, 32x32 colour, downloaded once; the paper's
            a folder              FOLDER/train/CLASS/IMAGE and FOLDER/test/CLASS/IMAGE, or FOLDER/CLASS/IMAGE,
                                  of which every sixth is for testing; more in featlab.data.layouts. A folder
                                  that is called as a dataset above is meant by ./cifar10
    size    for a folder: crop every image and resize it, to the side of a square or to (height, width)
    device  by default the GPU if there is one

    ValueError for a name that is none of these, and for a size where the images are not in a folder.
    """
    splits, classes, remarks = _read(name, None if size is None else sides(size))
    for remark in remarks:
        warnings.warn(remark, stacklevel=2)
    device = devices.device() if device is None else device
    parts = [
        Dataset(splits[f"{part}_images"], splits[f"{part}_labels"], classes) for part in ("train", "test")
    ]
    return parts[0].to(device), parts[1].to(device)


def _read(name: str | os.PathLike, size: tuple[int, int] | None) -> tuple[Splits, tuple[str, ...], list[str]]:
    if not isinstance(name, (str, os.PathLike)) or not os.fspath(name):
        raise ValueError(f"{name!r} names no dataset: {_CHOICE}")
    text, path = os.fspath(name), _at_home(Path(name))
    if text in NAMES:
        if size is not None:
            raise ValueError(f"size= is for a folder of images; {text} has one size")
        inside = text == "fashion-mnist"
        return (embedded(), CLOTHES, []) if inside else (download(text), DOWNLOADS[text][1], [])
    if path.is_dir():
        return folders.read_folder(path, size)
    if path.is_file():
        raise ValueError(f"{path} is a file: unpack it, and say the folder of images")
    raise ValueError(f"unknown dataset {text!r}: {_CHOICE}{did_you_mean(text, NAMES)}")


def _at_home(path: Path) -> Path:
    """The path with ~ replaced by the home folder, where there is one."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
