"""Files that are whole or absent: tensors with their setting and a checksum, written beside and moved into
place.

Tensors only (safetensors, never pickle). A reader gets what was written or None, with a sentence that says
why.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from featlab.engine.places import cache_folder  # noqa: F401 - asked of this room

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module that is absent

_T = TypeVar("_T")
# changes when files of an older featlab can no longer be read, or would no longer be made as they were
FORMAT = "1"
STALE = 3600.0  # seconds after which a temporary file is nobody's where no lock can tell
TRIES = 20  # attempts at what another process may spoil for an instant: a folder removed, a file exchanged
# what follows the name of the file; the number is that of older versions
TEMPORARY = re.compile(r"\.([0-9a-f]{16}\.tmp|\d+)$")
UNREADABLE = (SafetensorError, ValueError, KeyError, TypeError, RuntimeError)  # of bytes that are no tensors


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well; otherwise the old file
    stays as it was.

    Its name is nobody else's, and it is locked while it is written: one without a lock was left by a process
    that is gone, and is removed.
    """
    sweep(path.parent, path.name)
    try:
        with _temporary(path) as temporary:
            yield temporary
            os.replace(temporary, path)
    except OSError as error:
        whole = "; the old file is whole" if os.path.isfile(path) else ""
        raise OSError(
            error.errno,
            f"could not write {path} ({error.strerror}){whole}. "
            "Free space, or choose another folder (FEATLAB_CACHE for the cache, --out for results)",
        ) from error


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """An empty locked file beside `path`, gone in the end."""
    temporary, file = _created(path)
    with file:
        if fcntl is None:
            file.close()  # an open file can be neither moved nor removed on Windows
        try:
            yield temporary
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _created(path: Path) -> tuple[Path, BinaryIO]:
    """A new file beside `path`, locked.

    One that was swept up before it was locked is given up with its name: whoever sweeps late, by that name,
    finds nothing.
    """
    for _ in range(TRIES):
        temporary, file = _in_folder(path.parent, lambda: _new(path))
        if fcntl is not None:
            with contextlib.suppress(OSError):  # some file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return temporary, file
        file.close()
    raise OSError(errno.EBUSY, f"others removed it {TRIES} times")


def _new(path: Path) -> tuple[Path, BinaryIO]:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    return temporary, open(temporary, "xb")


def _in_folder(folder: Path, act: Callable[[], _T]) -> _T:
    """What `act` does in a folder, which is made, and made again if another process removes it meanwhile:
    even while it is made, when it is called there (File exists) and is not.
    """
    for _ in range(TRIES - 1):
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            folder.mkdir(parents=True, exist_ok=True)
            return act()
    folder.mkdir(parents=True, exist_ok=True)
    return act()


def sweep(folder: Path, name: str) -> None:
    """Remove the temporary files of a file of this name, or of names that begin so and go on with a dot,
    that nobody writes any more.
    """
    with contextlib.suppress(OSError):
        for found in os.listdir(folder):
            if found.startswith(f".{name}.") and TEMPORARY.search(found, len(name) + 1):
                _discard(folder / found)


def _discard(path: Path) -> None:
    """Remove a temporary file unless its lock is held or, where locks say nothing,
    it is younger than an hour.
    """
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        old = time.time() - path.stat().st_mtime > STALE
        if fcntl is not None and path.suffix == ".tmp":
            old = _free(stack.enter_context(path.open("rb")), old)
        if old:
            path.unlink()


def _free(file: BinaryIO, old: bool) -> bool:
    """Whether nobody holds this file's lock, which is taken; where there are no locks, `old`."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return old
    return True


@contextlib.contextmanager
def taking_turns(folder: Path, patience: float = 2.0) -> Iterator[None]:
    """Within this block no other process is in such a block about this folder, if the system can lock a
    folder; it leaves no file.

    patience  seconds to wait for another process; one that was stopped in its turn holds nobody up for ever
    """
    with contextlib.ExitStack() as stack:
        if fcntl is not None:
            with contextlib.suppress(OSError):
                handle = _in_folder(folder, lambda: os.open(folder, os.O_RDONLY))
                stack.callback(os.close, handle)
                _wait_for(handle, time.monotonic() + patience)
        yield


def _wait_for(handle: int, until: float) -> None:
    while time.monotonic() < until:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
    return None


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of names, shapes, types and contents of tensors of any shape on the CPU, in hexadecimal."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return digest.hexdigest()


def plain_text(setting: str) -> str:
    """The setting as text that every encoding can hold: a folder's name may be no Unicode."""
    return setting.encode("utf-8", "backslashreplace").decode()


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each with memory of its own: tied weights and views share theirs."""
    own, seen = {}, set()
    for name, tensor in tensors.items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        own[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return own


def write_tensors(path: Path, tensors: Mapping[str, Tensor], setting: str) -> None:
    """Write tensors of any shape, by name, under the text that says how they were made. OSError if that
    fails; the old file then stays as it was.
    """
    tensors = _apart(tensors)
    metadata = {"format": FORMAT, "setting": plain_text(setting), "sha256": checksum(tensors)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(save(tensors, metadata))
        file.flush()
        os.fsync(file.fileno())


def read_tensors(path: Path, setting: str) -> dict[str, Tensor] | None:
    """The tensors of a file by name, of any shape, or None if it is absent or, with a warning that says why,
    not what was written for this setting.

    It is read in one go into memory of its own, so that nothing that happens to the file later changes a
    tensor. What is found faulty is read again before it is called so: it may have been changed while it was
    read.
    """
    seen = b""
    for _ in range(TRIES):
        try:
            raw = path.read_bytes() if os.path.isfile(path) else None
        except FileNotFoundError:
            raw = None
        except OSError as error:
            fault = f"not readable ({error.strerror})"
            break
        if raw is None:
            return None
        tensors, fault = _parsed(raw, setting)
        if not fault:
            return tensors
        if (digest := hashlib.sha256(raw).digest()) == seen:
            break
        seen = digest
    warnings.warn(f"{path} is {fault}; it is made again", stacklevel=2)
    return None


def _parsed(raw: bytes, setting: str) -> tuple[dict[str, Tensor], str]:
    """The tensors in the bytes of a file, and what is wrong with them, "" if nothing is."""
    try:
        tensors = load(raw)
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
        return tensors, _fault(header.get("__metadata__") or {}, tensors, setting)
    except UNREADABLE as error:
        return {}, f"cut short or not a tensor file ({error})"


def _fault(metadata: Mapping[str, str], tensors: Mapping[str, Tensor], setting: str) -> str:
    if metadata.get("format") != FORMAT:
        return f"from another version of featlab (format {metadata.get('format')}, this one reads {FORMAT})"
    if metadata.get("setting") != plain_text(setting):
        return "of another setting"
    return "" if metadata.get("sha256") == checksum(tensors) else "altered: its checksum does not match"


def write_json(path: Path, value: object) -> None:
    """Write json, which takes the old file's place when it is whole."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """What a json file holds, or None if it is absent or no json;
    whether that is what was expected is the caller's to check.
    """
    if not os.path.isfile(path):
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
