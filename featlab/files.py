"""Files that are whole or absent: tensors with their setting and a checksum, written beside and moved into place.

Tensors only (safetensors, never pickle). A reader gets what was written or None, with a sentence that says why.
"""

import contextlib
import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

FORMAT = "1"  # changes when files of an older featlab can no longer be read, or would no longer be made as they were


def cache_folder() -> Path:
    """Where featlab keeps what is expensive to make: $FEATLAB_CACHE, else ~/.cache/featlab."""
    return Path(os.environ.get("FEATLAB_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "featlab")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well; otherwise the old file stays as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise OSError(
            error.errno,
            f"could not write {path} ({error.strerror}); the old file is whole. "
            "Free space, or choose another folder (FEATLAB_CACHE for the cache, --out for results)",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes, types and contents."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy() if tensor.numel() else b"")
    return digest.hexdigest()


def write_tensors(path: Path, tensors: Mapping[str, Tensor], setting: str) -> None:
    """Write tensors under the text that says how they were made."""
    tensors = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    metadata = {"format": FORMAT, "setting": setting, "sha256": checksum(tensors)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(save(tensors, metadata))
        file.flush()
        os.fsync(file.fileno())


def read_tensors(path: Path, setting: str) -> dict[str, Tensor] | None:
    """The tensors of a file, or None if it is absent or, with a warning that says why, not what was written for this setting."""
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        fault = _fault(metadata, tensors, setting)
    except (SafetensorError, OSError, ValueError) as error:
        fault = f"cut short or not a tensor file ({error})"
    if fault:
        warnings.warn(f"{path} is {fault}; it is made again", stacklevel=2)
        return None
    return tensors


def _fault(metadata: Mapping[str, str], tensors: Mapping[str, Tensor], setting: str) -> str:
    if metadata.get("format") != FORMAT:
        return f"from another version of featlab (format {metadata.get('format')}, this one reads {FORMAT})"
    if metadata.get("setting") != setting:
        return "of another setting"
    return "" if metadata.get("sha256") == checksum(tensors) else "altered: its checksum does not match"
