"""Interruptions at every file operation and damages of every kind, for tests of what is kept; forks,
for a fresh interpreter is slow.
"""

import builtins
import contextlib
import errno
import io
import json
import os
import random
import shutil
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import torch
from small import patches, tiny

import featlab as fl
from featlab.constructed import parts_of_mislabel, random_labels
from featlab.engine import chunks, clock, devices, files
from featlab.experiments import records
from featlab.experiments.store import Store
from featlab.training import Recipe, Training

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

DATA = patches(24)
RECIPE = Recipe(epochs=1, batch=8, lr=0.02, average=0.9)
ATTACK = fl.PGD(fl.L2(0.5), steps=1, targeted=True, random_start=True)
ENDS = ("killed", "interrupted", "full")
WRITING = {"open to write", "write", "fsync", "replace", "mkdir"}  # what a full disk refuses


def fresh():
    """A network that nobody trained."""
    model = tiny()
    model.trained.fill_(False)
    return model


def construct(store: Store, setting: str = "rule"):
    """A dataset of three parts."""
    return store.dataset(
        "wrong", setting, lambda: parts_of_mislabel(tiny(), DATA, random_labels, ATTACK, seed=len(setting))
    )


def train(store: Store, setting: str = "recipe"):
    """A network after three steps."""
    return store.model(
        "net", setting, fresh(), lambda model: Training(model, DATA, recipe=RECIPE, seed=len(setting))
    )


def measure(store: Store, setting: str = "rule"):
    """A value."""
    return store.value("accuracy", setting, lambda: {"clean": 0.1 + 0.2, "n": [len(setting), None]})


@contextlib.contextmanager
def saving() -> Iterator[None]:
    """Within this block everything is saved at once, and a part has eight images."""
    with (
        mock.patch.multiple(clock, SAVE_EVERY=0.0, SHARE=1e9),
        mock.patch.object(chunks, "chunk", lambda kind: 8),
    ):
        yield


def digest(store: Store) -> str:
    """All three kinds of piece through this store, as one number that no bit of them escapes."""
    with saving(), devices.precision("float32"):
        pieces = {"net": train(store).state_dict(), "wrong": records.tensors_of(construct(store))}
        return json.dumps([files.checksum(p) for p in pieces.values()] + [measure(store)])


def leftovers(folder: Path) -> list[str]:
    """Files that should not be there once all is made."""
    return [
        p.name
        for p in folder.rglob("*")
        if p.name.startswith(".") or ".parts" in p.name or ".steps." in p.name
    ]


def in_child(task: Callable[[], object]) -> tuple[int, object]:
    """The exit status of a forked process that does the task, and what the task gave."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        status = 1
        try:
            torch.set_num_threads(1)
            os.write(writing, json.dumps(task()).encode())
            status = 0
        except KeyboardInterrupt:
            status = 130
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), json.loads(said) if said else None


class Interruption:
    """Counts the file operations on a folder and ends the process in one of three ways at operation number
    `at`.

    killed       os._exit, in a write after half of it
    interrupted  KeyboardInterrupt
    full         from there on the disk takes nothing more
    """

    def __init__(self, folder: Path, at: int = -1, end: str = "killed"):
        self.folder, self.at, self.end = str(folder), at, end
        self.done: list[str] = []

    def meet(self, what: str, before: Callable[[], object] = lambda: None) -> None:
        """Count an operation; at the chosen one do what is `before` the end, and end."""
        self.done.append(what)
        number = len(self.done) - 1
        if self.end == "full" and 0 <= self.at <= number and what in WRITING:
            before()
            raise OSError(errno.ENOSPC, "No space left on device")
        if number == self.at and self.end != "full":
            before()
            if self.end == "killed":
                os._exit(9)
            raise KeyboardInterrupt

    def wrapped(self, what: str, function: Callable) -> Callable:
        def counting(*args, **options):
            if isinstance(args[0], int) or str(args[0]).startswith(self.folder):
                self.meet(what)
            return function(*args, **options)

        return counting

    def opening(self, function: Callable) -> Callable:
        def counting(path, mode="r", *args, **options):
            if isinstance(path, int) or not str(path).startswith(self.folder):
                return function(path, mode, *args, **options)
            writes = set(mode) & set("wxa")
            self.meet("open to write" if writes else "open")
            file = function(path, mode, *args, **options)
            return Halting(file, self) if writes and "x" not in mode else file

        return counting

    def __enter__(self) -> "Interruption":
        names = ("replace", "fsync", "unlink", "mkdir", "rmdir", "listdir", "scandir")
        self.stack = contextlib.ExitStack()
        for name in names:
            self.stack.enter_context(mock.patch.object(os, name, self.wrapped(name, getattr(os, name))))
        if fcntl is not None:
            locking = lambda file, how, lock=fcntl.flock: (self.meet("flock"), lock(file, how))[1]  # noqa: E731
            self.stack.enter_context(mock.patch.object(fcntl, "flock", locking))
        opening = self.opening(io.open)
        self.stack.enter_context(mock.patch.object(io, "open", opening))
        self.stack.enter_context(mock.patch.object(builtins, "open", opening))
        return self

    def __exit__(self, *error) -> None:
        self.stack.close()


class Halting:
    """A file that is written to, whose writes are counted and may end in the middle."""

    def __init__(self, file, interruption: Interruption):
        self.file, self.interruption = file, interruption

    def write(self, data):
        def half() -> None:
            self.file.write(data[: len(data) // 2])
            self.file.flush()

        self.interruption.meet("write", half)
        return self.file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        self.file.close()

    def __getattr__(self, name: str):
        return getattr(self.file, name)


def operations(folder: Path) -> list[str]:
    """The file operations of making everything in this empty folder, and then loading it."""

    def count() -> list[str]:
        with Interruption(folder) as counted:
            digest(Store(folder)), digest(Store(folder))
        return counted.done

    status, done = in_child(count)
    assert status == 0
    return done


def survives(folder: Path, at: int, end: str, expected: str) -> None:
    """The law: interrupted at this operation, the next start ends with
    the expected result and leaves nothing behind.
    """

    def interrupted() -> str:
        import warnings

        warnings.simplefilter("ignore")
        with Interruption(folder, at, end):
            first = Store(folder)
            made = digest(first)
            return (
                made if digest(first) == digest(Store(folder)) == made else "asking again gave something else"
            )

    where = f"{end} at operation {at}"
    status, made = in_child(interrupted)
    if end == "full":
        assert (status, made) == (0, expected), f"{where}: {status}, {made}"
    else:
        assert status == {"killed": 9, "interrupted": 130}[end], f"{where}: {status}"
    status, made = in_child(lambda: digest(Store(folder)))
    assert (status, made) == (0, expected), f"after it was {where}: {status}, {made}"
    assert not leftovers(folder), f"after it was {where}: {leftovers(folder)}"


# damages


def flip(raw: bytes, draw: random.Random) -> bytes:
    place = draw.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 1 << draw.randrange(8)]) + raw[place + 1 :]


def cut(raw: bytes, draw: random.Random) -> bytes:
    return raw[: draw.randrange(len(raw))]


def zero(raw: bytes, draw: random.Random) -> bytes:
    a, b = sorted(draw.randrange(len(raw) + 1) for _ in range(2))
    return raw[:a] + bytes(b - a) + raw[b:]


def double(raw: bytes, draw: random.Random) -> bytes:
    a, b = sorted(draw.randrange(len(raw) + 1) for _ in range(2))
    return raw[:b] + raw[a:]


def lose(raw: bytes, draw: random.Random) -> bytes:
    a, b = sorted(draw.randrange(len(raw) + 1) for _ in range(2))
    return raw[:a] + raw[b:]


HOSTILE = (
    "null",
    "[]",
    "{}",
    "true",
    "NaN",
    "-1",
    "1e999",
    "9" * 400,
    '"5"',
    "[" * 100_000,
    '{"a":' * 50_000,
    '{"value": null}',
    "\udcff",
)


def hostile(raw: bytes, draw: random.Random) -> bytes:
    return draw.choice(HOSTILE).encode("utf-8", "surrogateescape")


DAMAGES = (flip, cut, zero, double, lose, hostile)


def damage(folder: Path, draw: random.Random) -> str:
    """Damage a file of the folder, or let two files change places or one take another's; what was done."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    path, other = draw.choice(paths), draw.choice(paths)
    how = draw.choice((*DAMAGES, "exchange", "copy"))
    if how == "exchange":
        ours, theirs = path.read_bytes(), other.read_bytes()
        path.write_bytes(theirs)
        other.write_bytes(ours)
    elif how == "copy":
        path.write_bytes(other.read_bytes())
    else:
        path.write_bytes(how(path.read_bytes(), draw))
    return f"{how if isinstance(how, str) else how.__name__} {path.name}" + (
        f" and {other.name}" if isinstance(how, str) else ""
    )


def half_made(folder: Path) -> None:
    """A folder with pieces of two settings, each once whole and once saved half-way."""
    stopping = lambda after: lambda items, label, total: stop(items, after)  # noqa: E731
    with saving(), devices.precision("float32"):
        for setting in ("one", "other"):
            train(Store(folder), setting), construct(Store(folder), setting), measure(Store(folder), setting)
        for make in (train, construct):
            for setting in ("half", "halved"):
                with contextlib.suppress(KeyboardInterrupt):
                    make(Store(folder, stopping(2)), setting)


def stop(items, after: int):
    for number, item in enumerate(items):
        if number == after:
            raise KeyboardInterrupt
        yield item


def everything(folder: Path) -> str:
    """The pieces of `half_made`, as one number."""
    store = Store(folder)
    with saving(), devices.precision("float32"):
        nets = [train(store, setting).state_dict() for setting in ("one", "other", "half", "halved")]
        sets = [
            records.tensors_of(construct(store, setting)) for setting in ("one", "other", "half", "halved")
        ]
        return json.dumps(
            [files.checksum(p) for p in (*nets, *sets)] + [measure(store, s) for s in ("one", "other")]
        )


def damaged(template: Path, folder: Path, draw: random.Random, expected: str) -> None:
    """The law: whatever happened to a file, what is asked for is what it would be without,
    and is there again undamaged.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    what = damage(folder, draw)
    assert everything(folder) == expected, what
    assert not leftovers(folder), (what, leftovers(folder))
