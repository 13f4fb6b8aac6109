"""A folder of artifacts, each in a file that its setting names, with the seconds that it took.

What cannot be written stays in the shelf's memory, and is said once.
"""

import contextlib
import hashlib
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from featlab.engine import files, parallel
from featlab.experiments import records
from featlab.experiments.records import Tensors
from featlab.experiments.reports import write_once
from featlab.inputs.checks import instance


@dataclass(frozen=True)
class Shelf:
    """Where artifacts are kept.

    folder    by default featlab's cache folder
    seconds   filled with the seconds that each artifact took to make, by name
    unwritten filled with what was made and could not be written, by path: it is there until the process ends
    faults    filled with why, the first of which was said
    """

    folder: Path | str = field(default_factory=files.cache_folder)
    seconds: dict[str, float] = field(default_factory=dict, kw_only=True)
    unwritten: dict[Path, Tensors | dict] = field(default_factory=dict, kw_only=True, repr=False)
    faults: list[str] = field(default_factory=list, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        instance(self.folder, str | os.PathLike, "the folder of a Store must be a path")

    def path(self, name: str, setting: str, ending: str) -> Path:
        """Where the artifact of this setting lies."""
        slug = "".join(c if c.isalnum() else "-" for c in name[:80]).strip("-")
        digest = hashlib.sha256(files.plain_text(setting).encode()).hexdigest()[:16]
        return Path(self.folder) / f"{slug}-{digest}{ending}"

    @contextlib.contextmanager
    def timing(
        self, name: str, path: Path, resumed: bool = False
    ) -> Iterator[Callable[[Callable], Callable]]:
        """Note beside the artifact at `path` how long the block took; a resumed making adds up.

        What this yields makes of a way to save one that notes the time so far as well.
        """
        begun, earlier = time.perf_counter(), self.recall(name, path) if resumed else 0.0

        def note() -> None:
            self.seconds[name] = round(earlier + time.perf_counter() - begun, 2)
            self.attempt(write_once, path.with_suffix(".seconds"), self.seconds[name])

        def noted(save: Callable) -> Callable:
            def both(*what: object) -> object:
                saved = save(*what)
                note()
                return saved

            return both

        try:
            yield noted
        finally:
            note()

    def recall(self, name: str, path: Path) -> float:
        """The seconds that the artifact at `path` took so far, from the note beside it."""
        if (noted := records.seconds(path.with_suffix(".seconds"))) is not None:
            self.seconds[name] = noted
        return self.seconds.get(name, 0.0)

    def attempt(self, write: Callable, *what: object) -> bool:
        """Whether `write` could write; the first time that it could not, the reader is told."""
        try:
            write(*what)
        except (OSError, MemoryError) as error:
            self.faults.append(getattr(error, "strerror", None) or str(error) or type(error).__name__)
            if len(self.faults) == 1:
                warnings.warn(
                    f"{self.faults[0]}. What is made meanwhile is given back and stays in memory; "
                    "a later start makes it again",
                    stacklevel=4,
                )
            return False
        return True

    def keep(self, path: Path, tensors: Tensors, setting: str) -> bool:
        """Whether finished tensors were written; otherwise a copy stays here,
        so that asking again does not make them again.
        """
        if self.attempt(records.write, path, tensors, setting):
            records.tidy(path)
            return True
        self.unwritten[path] = {name: t.detach().clone() for name, t in tensors.items()}
        return False

    def find(self, path: Path, setting: str) -> Tensors | None:
        """What was made for this setting, from memory or from its file."""
        if parallel.rank():
            return parallel.broadcast_tensors(None)
        if path in self.unwritten:
            return parallel.broadcast_tensors({name: t.clone() for name, t in self.unwritten[path].items()})
        return parallel.broadcast_tensors(files.read_tensors(path, setting))
