"""CIFAR-10 to a machine without a network, in pieces: pictures of 500 images each, lossless, about 0.8 MB a
piece.

    python benchmarks/strips.py write FOLDER          here, where load("cifar10") works: FOLDER/train/000.webp
                                                      ... and the labels
    python benchmarks/strips.py read FOLDER [...]     there: whatever the folders hold of them goes into
                                                      featlab's cache

Reading can be repeated as pieces arrive; when all have, load("cifar10") works there.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import featlab as fl
from featlab.engine import files

SIZES = {"train": 50000, "test": 10000}
STRIP = 500


def write(folder: Path) -> None:
    """CIFAR-10 as strips: 500 images, one below the other, a picture; labels as an array of bytes."""
    for split, data in zip(SIZES, fl.load("cifar10", device="cpu"), strict=True):
        (folder / split).mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{split}_labels.npy", data.labels.to(torch.uint8).numpy())
        for i, part in enumerate(data.images.split(STRIP)):
            strip = part.permute(0, 2, 3, 1).reshape(-1, part.shape[-1], 3).numpy()
            Image.fromarray(strip).save(folder / split / f"{i:03d}.webp", lossless=True)


def collect(folders: list[Path], into: Path) -> bool:
    """Copy what the folders hold beside what came before; whether all is there now."""
    for folder in folders:
        for path in (*folder.glob("t*/*.webp"), *folder.glob("t*_labels.npy")):
            with files.replacing(into / path.relative_to(folder)) as temporary:
                temporary.write_bytes(path.read_bytes())
    missing = [
        f"{s}/{i:03d}.webp"
        for s, n in SIZES.items()
        for i in range(n // STRIP)
        if not (into / s / f"{i:03d}.webp").exists()
    ]
    missing += [name for name in ("train_labels.npy", "test_labels.npy") if not (into / name).exists()]
    print(f"{len(missing)} pieces are missing{': ' + ', '.join(missing[:4]) + ' ...' if missing else ''}")
    return not missing


def read(folder: Path) -> dict[str, torch.Tensor]:
    """The strips as `featlab.data` keeps CIFAR-10."""
    splits = {}
    for split, n in SIZES.items():
        strips = [
            np.asarray(Image.open(folder / split / f"{i:03d}.webp").convert("RGB")) for i in range(n // STRIP)
        ]
        images = torch.from_numpy(np.concatenate(strips)).view(n, 32, 32, 3)
        splits[f"{split}_images"] = images.permute(0, 3, 1, 2).contiguous()
        splits[f"{split}_labels"] = torch.from_numpy(np.load(folder / f"{split}_labels.npy"))
    return splits


def main(what: str, *folders: str) -> None:
    if what == "write":
        return write(Path(folders[0]))
    gathered = files.cache_folder() / "strips"
    if collect([Path(folder) for folder in folders], gathered):
        files.write_tensors(files.cache_folder() / "data" / "cifar10.safetensors", read(gathered), "cifar10")
        print(*fl.load("cifar10"), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
