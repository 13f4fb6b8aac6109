"""Real images: load(name or folder) -> train, test, as uint8 tensors on the device."""

import os
from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from featlab import engine, files, parallel
from featlab.types import Dataset

CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGE_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm"}
Splits = dict[str, Tensor]  # train_images (n, c, h, w) uint8, train_labels (n,), test_images, test_labels


def embedded() -> Splits:
    """10,000 + 2,000 class-balanced images of Fashion-MNIST from inside the package (featlab/embedded/README.md)."""
    with resources.files("featlab.embedded").joinpath("fashion_mnist.npz").open("rb") as file, np.load(file) as arrays:
        splits = {name: torch.from_numpy(arrays[name]) for name in arrays}
    return {name: t[:, None] if name.endswith("images") else t for name, t in splits.items()}


# name of torchvision's dataset, classes, the files that it downloads (relative to the root folder), their home
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


def download(name: str) -> Splits:
    """A dataset through torchvision: fetched once with a progress bar, then kept as one checksummed tensor file."""
    kept = files.cache_folder() / "data" / f"{name}.safetensors"
    if not parallel.leads():
        parallel.meet()  # the first process of each machine fetches for all of it
    if (splits := files.read_tensors(kept, name)) is None:
        splits = _fetch(name)
        files.write_tensors(kept, splits, name)
    if parallel.leads():
        parallel.meet()
    return splits


def _fetch(name: str) -> Splits:
    from torchvision import datasets

    kind, _, needed, home = DOWNLOADS[name]
    root = files.cache_folder() / "downloads"
    for archive in (path for file in needed if (path := root / file).exists()):
        archive.with_suffix("").unlink(missing_ok=True)  # unpack anew: an unpacking may have been cut short
    splits = {}
    for split in ("train", "test"):
        try:
            source = getattr(datasets, kind)(root, train=split == "train", download=True)
        except (OSError, RuntimeError) as error:
            wanted = "\n  ".join(str(root / file) for file in needed)
            raise ConnectionError(
                f"{name} could not be downloaded ({error}). Without a network, take the files from {home} elsewhere, put them at\n  "
                f'{wanted}\nand call again; or use load("fashion-mnist"), which is inside the package.'
            ) from error
        images = torch.as_tensor(source.data)
        splits[f"{split}_images"] = (images.permute(0, 3, 1, 2) if images.ndim == 4 else images[:, None]).contiguous()
        splits[f"{split}_labels"] = torch.as_tensor(source.targets).to(torch.uint8)
    return splits


def _image(path: Path, size: int | None) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            image = image.convert("L" if image.mode in ("1", "L", "I", "F") else "RGB")
            return np.asarray(ImageOps.fit(image, (size, size)) if size else image)
    except OSError as error:
        raise ValueError(f"{path} cannot be read as an image ({error}): mend or remove it") from error


def _class_names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _listed(folder: Path, classes: list[str]) -> list[tuple[Path, int]]:
    """The images below FOLDER/CLASS with the number of their class, in order."""
    listed = [(p, c) for c, name in enumerate(classes) for p in sorted((folder / name).rglob("*")) if p.suffix.lower() in IMAGE_ENDINGS]
    if not listed:
        raise ValueError(f"{folder} holds no images: expected {folder}/CLASS/IMAGE with endings {', '.join(sorted(IMAGE_ENDINGS))}")
    return listed


def _stacked(arrays: list[np.ndarray], folder: Path) -> Tensor:
    """All images as one tensor (n, c, h, w), in colour if any is."""
    colour = any(a.ndim == 3 for a in arrays)
    arrays = [np.repeat(a[..., None], 3, 2) if colour and a.ndim == 2 else a for a in arrays]
    shapes = Counter(a.shape for a in arrays)
    if len(shapes) > 1:
        raise ValueError(
            f"the images of {folder} differ in size, for example {list(shapes)[:3]}: say load(folder, size=32) to crop and resize"
        )
    images = torch.from_numpy(np.stack(arrays))
    return images.permute(0, 3, 1, 2).contiguous() if colour else images[:, None]


def folder(path: Path, size: int | None) -> tuple[Splits, tuple[str, ...]]:
    """Images as PATH/train/CLASS/IMAGE and PATH/test/CLASS/IMAGE; or PATH/CLASS/IMAGE, of which every sixth is for testing."""
    split = (path / "train").is_dir() and (path / "test").is_dir()
    roots = (path / "train", path / "test") if split else (path,)
    classes = _class_names(roots[0])
    if unknown := set(_class_names(roots[-1])) - set(classes):
        raise ValueError(f"{roots[-1]} has classes that {roots[0]} lacks: {', '.join(sorted(unknown))}")
    listed = [_listed(root, classes) for root in roots]
    if not split:
        listed = [[item for i, item in enumerate(listed[0]) if i % 6 != 5], listed[0][5::6]]
    if not listed[1]:
        raise ValueError(f"{path} has too few images to keep every sixth for testing: put at least six there, or make train/ and test/")
    images = _stacked([_image(p, size) for part in listed for p, _ in part], path)
    labels = torch.tensor([c for part in listed for _, c in part])
    parts = {"train": slice(len(listed[0])), "test": slice(len(listed[0]), None)}
    splits = {f"{part}_images": images[where] for part, where in parts.items()}
    return splits | {f"{part}_labels": labels[where] for part, where in parts.items()}, tuple(classes)


def load(
    name: str | os.PathLike = "fashion-mnist", *, size: int | None = None, device: torch.device | str | None = None
) -> tuple[Dataset, Dataset]:
    """Real images by name or folder: train, test, each a Dataset of uint8 images (n, c, h, w) on the device.

    name    "fashion-mnist"       10,000 + 2,000 images inside the package, 28x28 grey; needs no network
            "fashion-mnist-full"  60,000 + 10,000, downloaded once
            "cifar10"             50,000 + 10,000, 32x32 colour, downloaded once; the paper's
            a folder              FOLDER/train/CLASS/IMAGE and FOLDER/test/CLASS/IMAGE, or FOLDER/CLASS/IMAGE
    size    for a folder: crop and resize every image to size x size
    device  by default the GPU if there is one
    """
    path = Path(name)
    if name == "fashion-mnist":
        splits, classes = embedded(), CLOTHES
    elif name in DOWNLOADS:
        splits, classes = download(str(name)), DOWNLOADS[str(name)][1]
    elif path.is_dir():
        splits, classes = folder(path, size)
    else:
        raise ValueError(f"unknown dataset {str(name)!r}: choose one of {', '.join(NAMES)}, or the path of a folder of images")
    device = torch.device(device) if device else engine.device()
    train, test = (Dataset(splits[f"{s}_images"], splits[f"{s}_labels"], classes).to(device) for s in ("train", "test"))
    return train, test
