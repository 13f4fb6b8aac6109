"""A folder of images as tensors; featlab.data.layouts says how it may be laid out, featlab.data.pictures how
files are read.

Classes are sorted by name, and by value if all names are whole numbers: 2 before 10. Names that look alike
are alike, however a system spells their accents.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from featlab.data import layouts, pictures
from featlab.inputs import arrays
from featlab.inputs.checks import Size

_KEPT = 6  # without a folder for testing, one image in so many is kept for it
Listed = list[tuple[Path, int]]  # images, each with the number of its class


def read_folder(path: Path, size: Size | None = None) -> tuple[dict[str, Tensor], tuple[str, ...], list[str]]:
    """Tensors, the names of the classes, and what the reader should know.

    The tensors are train_images and test_images (n, c, h, w) uint8, in colour if any image is, and
    train_labels and test_labels (n,).
    """
    classes, parts, remarks = listed(path)
    arrays, more = pictures.read_all([image for part in parts for image, _ in part], size)
    images = _stacked(arrays, path)
    labels = torch.tensor([label for part in parts for _, label in part])
    where = {"train": slice(len(parts[0])), "test": slice(len(parts[0]), None)}
    splits = {f"{name}_images": images[part] for name, part in where.items()}
    splits |= {f"{name}_labels": labels[part] for name, part in where.items()}
    return splits, classes, [f"{path}: {remark}" for remark in remarks + more]


def listed(path: Path) -> tuple[tuple[str, ...], tuple[Listed, Listed], list[str]]:
    """The classes, the files for training and those for testing, and what the reader should know."""
    training, testing, remarks = layouts.roots(path)
    train = _classes(training)
    if empty := [name for name, images in train.items() if not images]:
        raise ValueError(_empty(training, empty))
    names = tuple(arrays.in_order(train))
    if testing is None:
        parts = _every_sixth(_numbered(train, names), path)
    else:
        test = _classes(testing)
        if unknown := test.keys() - train.keys():
            strange = ", ".join(sorted(unknown))
            raise ValueError(f"{testing} has classes that {training} lacks: {strange}; name them alike")
        parts = _numbered(train, names), _numbered(test, names)
    remarks += _missing(names, parts)
    for root in filter(None, (training, testing)):
        remarks += _passed_over(root)
    return names, parts, remarks


def _classes(root: Path) -> dict[str, list[Path]]:
    """The images of each class, in order."""
    layouts.refuse_displaced(root)
    found: dict[str, list[Path]] = {}
    for folder in layouts.subfolders(root):
        found.setdefault(_name(folder), []).extend(_images(layouts.files(folder)))
    if not any(found.values()):
        raise ValueError(_nothing(root))
    return found


def _images(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if path.suffix.lower() in pictures.ENDINGS)


def _name(folder: Path) -> str:
    """The name of a folder as it looks, whatever the locale and however accents are put together."""
    return unicodedata.normalize("NFC", os.fsencode(folder.name).decode("utf-8", "replace"))


def _numbered(classes: dict[str, list[Path]], names: Sequence[str]) -> Listed:
    return [(image, number) for number, name in enumerate(names) for image in classes.get(name, [])]


def _every_sixth(images: Listed, path: Path) -> tuple[Listed, Listed]:
    if len(images) < _KEPT:
        way = "put at least six there, or make train/ and test/"
        raise ValueError(f"{path} has too few images to keep every sixth for testing: {way}")
    train = [image for place, image in enumerate(images, 1) if place % _KEPT]
    return train, images[_KEPT - 1 :: _KEPT]


def _nothing(root: Path) -> str:
    """Why a folder gives no images."""
    names = {path.name for path in layouts.entries(root)}
    if {"CIFAR_ims", "CIFAR_lab"} <= names:
        return (
            f"{root} holds a set that the paper's authors released: say "
            f'Dataset(torch.cat(torch.load("{root}/CIFAR_ims")), torch.cat(torch.load("{root}/CIFAR_lab")))'
        )
    if loose := _images(layouts.entries(root)):
        held = f"{root} holds {len(loose)} images but no folders of classes"
        return f"{held}, which would say what they show: make {root}/CLASS/"
    endings = ", ".join(sorted(pictures.ENDINGS))
    held = _endings(layouts.files(root))
    return f"{root} holds no images: expected {root}/CLASS/IMAGE with endings {endings}{held}"


def _empty(root: Path, names: Sequence[str]) -> str:
    """Why classes without images are refused, with what lies there instead."""
    folders = [folder for folder in layouts.subfolders(root) if _name(folder) in names]
    held = _endings(path for folder in folders for path in layouts.files(folder))
    return (
        f"{root} has classes without images: {', '.join(names)}{held}; "
        f"fill or remove them (images end in {', '.join(sorted(pictures.ENDINGS))})"
    )


def _endings(paths: Iterable[Path]) -> str:
    """What files there are, if any."""
    counted = Counter(path.suffix.lower() or "no ending" for path in paths)
    held = ", ".join(f"{count} with {ending}" for ending, count in counted.most_common(3))
    return f" (there are files, {held})" if held else ""


def _missing(names: Sequence[str], parts: tuple[Listed, Listed]) -> list[str]:
    """What is said where a number would be of fewer classes than it seems."""
    remarks = []
    for part, use in zip(parts, ("training", "testing"), strict=True):
        there = {number for _, number in part}
        if lacking := [name for number, name in enumerate(names) if number not in there]:
            which = f"none is for {use} of {', '.join(lacking)}"
            remarks.append(f"too few images: {which}; accuracy is of the other classes")
    if len(names) == 1:
        remarks.append(f"there is one class, {names[0]}: whatever a network learns, its accuracy is 100 %")
    return remarks


def _passed_over(root: Path) -> list[str]:
    """What is said about images that are not read."""
    loose = _images(layouts.entries(root))
    remarks = [f"{len(loose)} images lie in {root} itself, in no class, and are not read"] if loose else []
    endings = Counter(path.suffix.lower() for path in layouts.files(root))
    unread = {ending: count for ending, count in endings.items() if ending in pictures.UNREAD}
    if unread:
        held = ", ".join(f"{count} with {ending}" for ending, count in sorted(unread.items()))
        remarks.append(f"files in {root} that are not read, {held}: save them as .png to use them")
    return remarks


def _stacked(arrays: list[np.ndarray], path: Path) -> Tensor:
    """All images as one tensor (n, c, h, w), in colour if any is."""
    colour = any(array.ndim == 3 for array in arrays)
    if colour:
        arrays = [array if array.ndim == 3 else np.repeat(array[..., None], 3, 2) for array in arrays]
    sizes = Counter(f"{array.shape[0]}x{array.shape[1]}" for array in arrays)
    if len(sizes) > 1:
        most = ", ".join(f"{count} of {size}" for size, count in sizes.most_common(3))
        raise ValueError(
            f"the images of {path} differ in size (height x width: {most}): say load(folder, size=32) or "
            "size=(28, 40), on the command line --size 32 or --size 28x40, to crop and resize them"
        )
    images = torch.from_numpy(np.stack(arrays))
    return images.permute(0, 3, 1, 2).contiguous() if colour else images[:, None]
