"""Folders of small pictures as people lay them out, and what is read of them."""

import warnings
from pathlib import Path

import torch
from PIL import Image

import featlab as fl


def save(path: Path, colour, size=(8, 8), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


def fill(root: Path, *roots: str, classes=("ant", "bee"), n: int = 6) -> Path:
    """n grey images in each class below each of the roots; each root and class has a colour of its own."""
    for r, part in enumerate(roots):
        for c, name in enumerate(classes):
            for i in range(n):
                save(root / part / name / f"{i}.png", 20 * r + 2 * c + 100 * (i == 0), mode="L")
    return root


def quietly(folder, **options):
    """load, when nothing may be said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fl.load(folder, **options)


def table(parts) -> tuple:
    """Classes, and how many images of each are for training and for testing."""
    counts = [torch.bincount(part.labels, minlength=len(part.classes)).tolist() for part in parts]
    return (parts[0].classes, *counts)
