"""What a Store keeps on the disk, and whether it is what was kept: tensors, parts of a construction, values,
seconds.

Each file names itself (setting, first image, format) and carries a checksum; what does not hold is made
again. Of several processes that torchrun joined the first reads and writes, and hands on what it read.
"""

import contextlib
import hashlib
import json
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from featlab.engine import devices, files, parallel
from featlab.experiments import entries
from featlab.parts import Part
from featlab.types import Dataset

Tensors = dict[str, Tensor]


def write(path: Path, tensors: Tensors, setting: str) -> None:
    """Write tensors under their setting."""
    if not parallel.rank():
        files.write_tensors(path, tensors, setting)


def network_weights(found: Tensors | None, path: Path, model: nn.Module, prefix: str = "") -> Tensors | None:
    """The tensors found at `path` if those with this prefix are a state of this model; else None,
    with a warning if there were any.
    """
    shapes = {prefix + name: t.shape for name, t in model.state_dict().items()}
    if found is None or {name: t.shape for name, t in found.items() if name.startswith(prefix)} == shapes:
        return found
    warnings.warn(f"{path} holds weights of another architecture; it is made again", stacklevel=3)
    return None


def only_tensors(model: nn.Module, name: str) -> None:
    """Refuse a model that keeps more than tensors, before it is trained."""
    if others := [key for key, value in model.state_dict().items() if not isinstance(value, Tensor)]:
        raise TypeError(
            f"{name} keeps more than tensors in its state ({', '.join(others)}), which a Store cannot write: "
            "train it without one (fl.train), or take its get_extra_state away"
        )


def tensors_of(data: Dataset) -> Tensors:
    """A dataset as tensors by name."""
    return {
        "images": data.images,
        "labels": data.labels,
        **{f"report.{name}": column for name, column in data.report.items()},
    }


def _report_of(tensors: Tensors) -> Tensors:
    """The columns of the report among tensors by name."""
    return {name.removeprefix("report."): t for name, t in tensors.items() if name.startswith("report.")}


def dataset_of(tensors: Tensors, like: Dataset) -> Dataset:
    """The dataset of `tensors_of`, with the classes and on the device of `like`."""
    return Dataset(tensors["images"], tensors["labels"], like.classes, _report_of(tensors)).to(like.device)


def images(found: Tensors | None, path: Path, source: Dataset) -> Tensors | None:
    """The tensors found at `path` if they are a dataset made of `source`, image by image; else None,
    with a warning if there were any.
    """
    if found is None:
        return None
    shapes = {name: t.shape for name, t in found.items() if not name.startswith("report.")}
    rows = {len(t) for t in _report_of(found).values()}
    if shapes == {"images": source.images.shape, "labels": source.labels.shape} and rows <= {len(source)}:
        return found
    warnings.warn(f"{path} holds other images than were asked for; it is made again", stacklevel=3)
    return None


# parts of a construction: each file says which image it begins with


def _part(folder: Path, setting: str, start: int) -> tuple[Path, str]:
    """The file of the part that begins with this image, and its setting."""
    return folder / f"{start:09d}.safetensors", f"images from {start} of: {setting}"


def write_parts(folder: Path, setting: str, parts: list[Part]) -> None:
    """Write parts that follow each other as one."""
    report = {f"report.{name}": torch.cat([p.report[name] for p in parts]) for name in parts[0].report}
    path, own = _part(folder, setting, parts[0].start)
    write(path, {"images": torch.cat([p.images for p in parts]), **report}, own)


def saved_parts(folder: Path, setting: str, source: Dataset) -> Iterator[Part]:
    """The saved parts from the first image on, as far as they are whole,
    fit the images of `source` and leave no gap.
    """
    done = 0
    while done < len(source):
        path, own = _part(folder, setting, done)
        found = parallel.broadcast_tensors(None if parallel.rank() else files.read_tensors(path, own))
        if found is None or not _follows(found, source, len(source) - done):
            return
        columns = {name: t.to(devices.device()) for name, t in _report_of(found).items()}
        yield Part(done, found["images"].to(devices.device()), columns)
        done += len(found["images"])


def _follows(found: Tensors, source: Dataset, left: int) -> bool:
    rows = {len(t) for t in found.values()}
    return found["images"].shape[1:] == source.images.shape[1:] and len(rows) == 1 and 0 < rows.pop() <= left


# values and seconds


def _digest(setting: str, value: object) -> str:
    return hashlib.sha256(json.dumps([files.FORMAT, setting, value]).encode()).hexdigest()


def record(setting: str, value: object) -> dict:
    """What is kept of a value: as json gives it back,
    so that the first answer is the same as all later ones.
    """
    value = json.loads(json.dumps(entries.plain(value)))
    return {"format": files.FORMAT, "setting": setting, "value": value, "sha256": _digest(setting, value)}


def value(path: Path, setting: str) -> dict | None:
    """The record of this setting, or None if it is absent or, with a warning, not what was written."""
    if parallel.rank() or not os.path.isfile(path):
        return None
    for _ in range(2):  # a file may be exchanged while it is looked for
        with contextlib.suppress(KeyError, TypeError, RecursionError):
            found = files.read_json(path)
            known = (found["format"], found["setting"], found["sha256"])
            if known == (files.FORMAT, setting, _digest(setting, found["value"])):
                return found
    if os.path.isfile(path):
        warnings.warn(
            f"{path} is cut short, altered or from an older version; it is made again", stacklevel=3
        )
    return None


def seconds(path: Path) -> float | None:
    """The seconds noted in a file, or None if it holds no such number."""
    found = files.read_json(path)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return float(found) if 0 <= found < 1e9 and math.isfinite(found) else None


def tidy(path: Path) -> None:
    """Remove what the artifact at `path` no longer needs, now that it is there: saved steps, parts, temporary
    files of killed processes.

    Another process may be making it still: a file that it writes stays, and what is removed here it does not
    read again.
    """
    if parallel.rank():
        return
    with contextlib.suppress(OSError):
        path.with_suffix(".steps.safetensors").unlink(missing_ok=True)
    files.sweep(path.parent, path.stem)
    folder = path.with_suffix(".parts")
    if os.path.isdir(folder):
        with contextlib.suppress(OSError):
            for part in folder.glob("*.safetensors"):
                part.unlink(missing_ok=True)
            for name in os.listdir(folder):
                files.sweep(folder, name[1:].partition(".")[0])
            folder.rmdir()  # unless another process writes into it
