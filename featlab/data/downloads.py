"""Archives from the network: torchvision reads only what it unpacks from files of the right checksum."""

import hashlib
import http.client
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

# of a network, a disk, an archive
FAILURES = (OSError, RuntimeError, EOFError, http.client.HTTPException, zlib.error)
_PATIENCE = 30  # seconds that a server may be silent
DAY = 86400


def _sources(kind: Any) -> dict[str, tuple[list[str], str]]:
    """The archives of a dataset of torchvision, as paths below its root, with addresses and MD5 sum of each.

    None of a class that does not say them, by the names of today's torchvision: then it downloads for itself.
    """
    if all(hasattr(kind, name) for name in ("filename", "url", "tgz_md5")):
        return {kind.filename: ([kind.url], kind.tgz_md5)}
    folder = f"{kind.__name__}/raw"
    held = {}
    for file, md5 in getattr(kind, "resources", ()):
        held[f"{folder}/{file}"] = [mirror + file for mirror in getattr(kind, "mirrors", ())], md5
    return held


@contextmanager
def verified(kind: type, root: Path) -> Iterator[Path]:
    """A folder of this call's own with the archives of a dataset that says them, for torchvision to unpack.

    The archives stay in `root`, if it can be written; otherwise they are used where temporary files lie, and
    go with the folder. What lies unpacked in `root` is not looked at: it may be cut short or altered.
    Processes that do this at once do not meet.
    """
    own = _folder(root)
    try:
        for file, (urls, md5) in _sources(kind).items():
            (own / file).parent.mkdir(parents=True, exist_ok=True)
            _provide(root / file, own / file, urls, md5)
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _folder(root: Path) -> Path:
    """A new empty folder below `root`, or among the temporary files where nothing can be written there."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        _sweep(root)
        return Path(tempfile.mkdtemp(prefix=".unpacking-", dir=root))
    except OSError:
        return Path(tempfile.mkdtemp(prefix="featlab-unpacking-"))


def _sweep(root: Path) -> None:
    """Remove what killed processes left."""
    for folder in root.glob(".unpacking-*"):
        if folder.exists() and time.time() - folder.stat().st_mtime > DAY:
            shutil.rmtree(folder, ignore_errors=True)


def _provide(kept: Path, own: Path, urls: list[str], md5: str) -> None:
    """Put an archive at `own`: the one that is kept, if it is right, else a new one,
    which is kept if it can be.
    """
    there = os.path.isfile(kept)
    if not there or _checksum(kept) != md5:
        try:
            _download(urls, own, md5)
        except ConnectionError as error:
            wrong = f"{kept} is not the archive, its checksum is another; " if there else ""
            raise ConnectionError(f"{wrong}{error}") from error
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            os.replace(own, kept)
        except OSError:
            return
    try:
        os.link(kept, own)
    except OSError:  # a file system without links
        shutil.copyfile(kept, own)


def _checksum(path: Path) -> str:
    """The MD5 sum of a file, which is what the publishers of these archives give."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _download(urls: list[str], path: Path, md5: str) -> None:
    """Fetch a file from the first address that has it, or say what each of them did instead."""
    reasons = []
    for url in urls:
        try:
            _receive(url, path)
        except (OSError, http.client.HTTPException) as error:
            reasons.append(f"{url}: {error or type(error).__name__}")
            continue
        if _checksum(path) == md5:
            return
        with path.open("rb") as file:
            page = file.read(64).lstrip().startswith(b"<")
        what = "a web page" if page else f"{path.stat().st_size:,} bytes with another checksum"
        reasons.append(f"{url} sent {what} instead of the archive")
    raise ConnectionError("; ".join(reasons))


def _receive(url: str, path: Path) -> None:
    from tqdm import tqdm

    request = Request(url, headers={"User-Agent": "featlab"})
    with urlopen(request, timeout=_PATIENCE) as answer, path.open("wb") as file:
        bar = tqdm(total=answer.length, unit="B", unit_scale=True, desc=path.name)
        with bar:
            while block := answer.read(2**16):
                file.write(block)
                bar.update(len(block))
