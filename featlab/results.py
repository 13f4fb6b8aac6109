"""Load or make: expensive artifacts named by their setting, resumable, with provenance.

A setting is the text that says how an artifact is made; it is kept in the file and its hash is in the file's name, so another setting is
another file. What is interrupted goes on where it was saved: a training after a step, a construction after a part. Of several processes
the first reads and writes, and hands on what it read.
"""

import contextlib
import datetime
import hashlib
import json
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from featlab import engine, files, parallel
from featlab.clock import Saving, TimeIsUp
from featlab.constructed import Construction, Part
from featlab.training import Training
from featlab.types import Dataset

PACKED = Path(__file__).parent / "measured"  # where a wheel carries the folder results/
RESULTS = PACKED if PACKED.is_dir() else Path(__file__).resolve().parents[1] / "results"
Progress = Callable[[Iterable, str, int], Iterable]  # (iterable, what it makes, how many items) -> the same items, shown


def silent(items: Iterable, label: str, total: int) -> Iterable:
    """No progress shown."""
    return items


def bar(items: Iterable, label: str, total: int) -> Iterable:
    """A progress bar with time left."""
    from tqdm.auto import tqdm

    return tqdm(items, desc=f"{label:<34}", total=total, leave=False, dynamic_ncols=True)


@dataclass(frozen=True)
class Store:
    """A folder of artifacts: ask for one by its setting, it is loaded or made.

    folder    by default featlab's cache folder
    progress  shows the work: `silent` or `bar`
    seconds   filled with the seconds that each artifact took to make, by name
    values    filled with the values that were asked for, by name
    """

    folder: Path | str = field(default_factory=files.cache_folder)
    progress: Progress = silent
    seconds: dict[str, float] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)

    def path(self, name: str, setting: str, ending: str) -> Path:
        """Where the artifact of this setting lies."""
        slug = "".join(c if c.isalnum() else "-" for c in name).strip("-")
        return Path(self.folder) / f"{slug}-{hashlib.sha256(setting.encode()).hexdigest()[:16]}{ending}"

    @contextlib.contextmanager
    def timing(self, name: str, path: Path, resumed: bool = False) -> Iterator[Callable[[Callable], Callable]]:
        """Note beside the artifact at `path` how long the block took; a resumed making adds up.

        What this yields makes of a way to save one that notes the time so far as well.
        """
        begun, earlier = time.perf_counter(), self.recall(name, path) if resumed else 0.0

        def note() -> None:
            self.seconds[name] = round(earlier + time.perf_counter() - begun, 2)
            write_json(path.with_suffix(".seconds"), self.seconds[name])

        def noted(save: Callable) -> Callable:
            def both(*what: object) -> None:
                save(*what)
                note()

            return both

        try:
            yield noted
        finally:
            note()

    def recall(self, name: str, path: Path) -> float:
        """The seconds that the artifact at `path` took so far, from the note beside it."""
        with contextlib.suppress(OSError, ValueError):
            self.seconds[name] = float(json.loads(path.with_suffix(".seconds").read_text()))
        return self.seconds.get(name, 0.0)

    def model(self, name: str, setting: str, model: nn.Module, begin: Callable[[nn.Module], Training]) -> nn.Module:
        """Load the trained weights of this setting into `model`, or train it by `begin(model)` from the last saved step."""
        path, half = (self.path(name, setting, ending) for ending in (".safetensors", ".steps.safetensors"))
        if (weights := _fitting(path, setting, model)) is not None:
            model.load_state_dict(weights)
            self.recall(name, path)
            return model.to(engine.device()).eval()
        run = begin(model)
        state = _fitting(half, setting, model, "model.")
        if state is not None:
            run.resume(state)
        with self.timing(name, path, resumed=state is not None) as noted:
            self._watch(run, name, noted(lambda: _write(half, run.state, setting)))
            _write(path, model.state_dict(), setting)
        _remove(half)
        return model.eval()

    def _watch(self, run: Training, name: str, save: Callable[[], None]) -> None:
        saving = Saving()
        try:
            for record in self.progress(run, name, len(run)):
                if saving.due(record.step):
                    saving.by(save)
        except TimeIsUp:  # raised between two steps
            save()
            raise

    def dataset(self, name: str, setting: str, begin: Callable[[], Construction]) -> Dataset:
        """Load the dataset of this setting, or construct it by `begin()`, going on after the parts that are saved."""
        path, folder = self.path(name, setting, ".safetensors"), self.path(name, setting, ".parts")
        kept = _read(path, setting)
        self.recall(name, path)
        construction = begin()
        if kept is None:
            with self.timing(name, path, resumed=folder.exists()) as noted:
                save = noted(partial(_save_parts, folder, setting))
                kept = tensors_of(construction.join(self._parts(construction, name, save, list(_saved_parts(folder, setting)))))
                _write(path, kept, setting)
            _remove(folder)
        return dataset_of(kept, construction.source)

    def _parts(self, construction: Construction, name: str, save: Callable[[list[Part]], object], parts: list[Part]) -> list[Part]:
        """All parts, those that were saved and the rest, which is made and saved from time to time."""
        done = sum(len(part.images) for part in parts)
        fresh, saving = [], Saving()
        left = -(-(len(construction.source) - done) // (construction.size * parallel.world()))
        try:
            for part in self.progress(construction.parts(done), name, left):
                fresh.append(part)
                if saving.due(0):
                    saving.by(partial(save, fresh))
                    parts, fresh = [*parts, *fresh], []
        finally:  # also when interrupted
            if fresh and fresh[-1].start + len(fresh[-1].images) < len(construction.source):
                save(fresh)
        return [*parts, *fresh]

    def value(self, name: str, setting: str, compute: Callable[[], object]) -> object:
        """Load the json value of this setting, or compute it."""
        path = self.path(name, setting, ".json")
        if (kept := parallel.agreed(None if parallel.rank() else _kept_value(path, setting))) is not None:
            self.recall(name, path)
        else:
            with self.timing(name, path):
                (value,) = [compute() for _ in self.progress(range(1), name, 1)]
            kept = {"setting": setting, "value": value, "sha256": _digest(setting, value)}
            write_json(path, kept)
        self.values[name] = kept["value"]
        return kept["value"]

    def so_far(self) -> dict:
        """What was measured through this store until now: what an unfinished run leaves behind."""
        return {"provenance": provenance(), "seconds": self.seconds, "values": self.values}


def _read(path: Path, setting: str) -> dict[str, Tensor] | None:
    """The tensors of a file, read by the first process, in every process."""
    return parallel.handed(None if parallel.rank() else files.read_tensors(path, setting))


def _write(path: Path, tensors: dict[str, Tensor], setting: str) -> None:
    if not parallel.rank():
        files.write_tensors(path, tensors, setting)


def _remove(path: Path) -> None:
    """Remove what an interruption would have needed; of several processes the first does."""
    if not parallel.rank():
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _fitting(path: Path, setting: str, model: nn.Module, prefix: str = "") -> dict[str, Tensor] | None:
    """The tensors of a file if those with this prefix are a state of this model; else None, with a warning if there was a file."""
    tensors = _read(path, setting)
    shapes = {prefix + name: t.shape for name, t in model.state_dict().items()}
    if tensors is None or {name: t.shape for name, t in tensors.items() if name.startswith(prefix)} == shapes:
        return tensors
    warnings.warn(f"{path} holds weights of another architecture; it is made again", stacklevel=3)
    return None


def _digest(setting: str, value: object) -> str:
    return hashlib.sha256(json.dumps([setting, value]).encode()).hexdigest()


def _kept_value(path: Path, setting: str) -> dict | None:
    """What `Store.value` wrote for this setting, or None if it is absent or, with a warning, not what was written."""
    if not path.exists():
        return None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text())
        if (kept["setting"], kept["sha256"]) == (setting, _digest(setting, kept["value"])):
            return kept
    warnings.warn(f"{path} is cut short, altered or from an older version; it is made again", stacklevel=3)
    return None


def tensors_of(data: Dataset) -> dict[str, Tensor]:
    """A dataset as tensors by name."""
    return {"images": data.images, "labels": data.labels, **{f"report.{name}": column for name, column in data.report.items()}}


def dataset_of(tensors: dict[str, Tensor], like: Dataset) -> Dataset:
    """The dataset of `tensors_of`, with the classes and on the device of `like`."""
    report = {name.removeprefix("report."): t for name, t in tensors.items() if name.startswith("report.")}
    return Dataset(tensors["images"], tensors["labels"], like.classes, report).to(like.device)


def _save_parts(folder: Path, setting: str, parts: list[Part]) -> None:
    report = {f"report.{name}": torch.cat([p.report[name] for p in parts]) for name in parts[0].report}
    tensors = {"images": torch.cat([p.images for p in parts]), **report}
    _write(folder / f"{parts[0].start:09d}.safetensors", tensors, setting)


def _saved_parts(folder: Path, setting: str) -> Iterator[Part]:
    """The saved parts from the first image on, as far as they are whole and without a gap."""
    done = 0
    for path in parallel.agreed(sorted(folder.glob("*.safetensors"))):
        tensors = _read(path, setting) if int(path.stem) == done else None
        if tensors is None:
            return
        report = {name.removeprefix("report."): t for name, t in tensors.items() if name.startswith("report.")}
        yield Part(done, tensors["images"].to(engine.device()), {name: t.to(engine.device()) for name, t in report.items()})
        done += len(tensors["images"])


def measured(name: str) -> list[dict]:
    """The stored reports of a setting, one a seed: measured("fashion-mnist-laptop") reads results/fashion-mnist-laptop-seed*.json."""
    folder = RESULTS
    paths = sorted(folder.glob(f"{name}-seed*.json"))
    if not paths:
        command = next((c for c in ("teachers", "spectra", "debate", "figure3", "converse") if name.endswith(c)), "reproduce")
        raise FileNotFoundError(f"no stored results {folder / name}-seed*.json: python -m featlab {command} --out {folder} writes them")
    return [json.loads(path.read_text()) for path in paths]


def over_seeds(reports: list[dict]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Rows of several seeds together, as bars: row -> "clean" or "under l2 radius" -> (mean, least, greatest) over the seeds."""
    rows = {}
    for name, first in reports[0]["rows"].items():
        values = {"clean": [r["rows"][name]["clean"]["value"] for r in reports]}
        values |= {f"under l2 {radius}": [r["rows"][name]["attacked"][radius]["value"] for r in reports] for radius in first["attacked"]}
        rows[name] = {column: (sum(v) / len(v), min(v), max(v)) for column, v in values.items()}
    return rows


def provenance() -> dict[str, str]:
    """What a measured number is to be read with: date, device, versions."""
    import featlab

    gpu, together = engine.device().type == "cuda", f"{parallel.world()} x " if parallel.world() > 1 else ""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "device": together + (torch.cuda.get_device_name() if gpu else f"CPU, {torch.get_num_threads()} threads, {engine.processor()}"),
        "precision": engine.describe_precision(),
        "featlab": featlab.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def write_json(path: Path, value: object) -> None:
    """Write json, atomically; of several processes the first does."""
    if parallel.rank():
        return
    with files.replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")
