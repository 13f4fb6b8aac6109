"""Load or make: expensive artifacts named by their setting, resumable, with provenance.

A setting is the text that says how an artifact is made; it is kept in the file and its hash is in the file's
name, so another setting is another file. What is interrupted goes on where it was saved: a training after a
step, a construction after a part. What cannot be written is given back all the same, stays in the store's
memory, and is said once.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from featlab.engine import devices, parallel
from featlab.engine.clock import Saving, TimeIsUp
from featlab.experiments import entries, records, released
from featlab.experiments.progress import Progress, silent
from featlab.experiments.records import Tensors, dataset_of, tensors_of
from featlab.experiments.reports import provenance, write_once
from featlab.experiments.shelf import Shelf
from featlab.inputs.checks import flag, function, instance
from featlab.parts import Construction, Part
from featlab.training import Training
from featlab.types import Dataset

_M = TypeVar("_M", bound=nn.Module)
CACHE, RELEASE, HERE = "from the cache of this machine", "released with featlab", "trained here"


@dataclass(frozen=True)
class Store(Shelf):
    """A folder of artifacts: ask for one by its setting, it is loaded or made.

    progress  shows the work: `silent` or `bar`
    released  whether a network that featlab carries is taken from there instead of being trained here
    values    filled with the values that were asked for, by name
    sources   filled with where each network came from, by setting: CACHE, RELEASE or HERE

    What cannot be written is a warning, and stays in memory; a damaged file is a warning, and made again.
    """

    progress: Progress = silent
    released: bool = True
    values: dict[str, object] = field(default_factory=dict, kw_only=True)
    sources: dict[str, str] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        function(self.progress, "progress", "items, label, number")
        flag(self.released, "released")

    def model(
        self,
        name: str,
        setting: str,
        model: _M,
        begin: Callable[[_M], Training],
        *,
        lineage: str = "",
    ) -> _M:
        """Load the trained weights of this setting into `model`, or train it by `begin(model)` from the last
        saved step.

        The reader's own whole file comes first, then the released network of this setting, which is the same
        in every precision.

        lineage  what `Store.lineage` says of the networks that the training images were made with
        """
        records.only_tensors(instance(model, nn.Module, "the model must be a torch.nn.Module"), name)
        function(begin, "begin", "model")
        everywhere, setting = setting, f"{setting}{lineage}; {devices.describe_precision()}"
        path = self.path(name, setting, ".safetensors")
        if (weights := records.network_weights(self.find(path, setting), path, model)) is not None:
            self.recall(name, path)
            if path not in self.unwritten:
                self.sources[everywhere] = CACHE
                records.tidy(path)
            return _load(model, weights)
        if (weights := self.release(everywhere)) is not None:
            self.sources[everywhere] = RELEASE
            return _load(model, weights)
        self.sources[everywhere] = HERE
        self._train(name, path, setting, begin(model))
        return model.eval()

    def _train(self, name: str, path: Path, setting: str, run: Training) -> None:
        """Take up the steps of a training that were saved, and do the rest."""
        half = path.with_suffix(".steps.safetensors")
        state = records.network_weights(self.find(half, setting), half, run.model, "model.")
        if state is not None:
            run.resume(state)
        with self.timing(name, path, resumed=state is not None) as noted:
            self._watch(run, name, noted(lambda: self.attempt(records.write, half, run.state, setting)))
            self.keep(path, run.model.state_dict(), setting)

    def release(self, setting: str) -> Tensors | None:
        """What featlab carries for this setting, if this store takes it from there."""
        return released.find(setting) if self.released else None

    def lineage(self, *settings: str) -> str:
        """What the setting of a piece says more if a network of one of these settings, with which it is made,
        was a released one.
        """
        return "; from a released network" if RELEASE in map(self.sources.get, settings) else ""

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
        """Load the dataset of this setting, or construct it by `begin()`,
        going on after the parts that are saved.
        """
        function(begin, "begin", "")
        path = self.path(name, setting, ".safetensors")
        found = self.find(path, setting)
        self.recall(name, path)
        construction = begin()
        if (found := records.images(found, path, construction.source)) is None:
            found = self._construct(name, path, setting, construction)
        elif path not in self.unwritten:
            records.tidy(path)
        return dataset_of(found, construction.source)

    def _construct(self, name: str, path: Path, setting: str, construction: Construction) -> Tensors:
        """The tensors of a construction: parts that were saved are taken up, and the rest is made."""
        folder = path.with_suffix(".parts")
        saved = list(records.saved_parts(folder, setting, construction.source))
        with self.timing(name, path, resumed=bool(saved)) as noted:
            save = noted(lambda parts: self.attempt(records.write_parts, folder, setting, parts))
            parts, unsaved = self._parts(construction, name, save, saved)
            found = tensors_of(construction.join(parts))
            if not self.keep(path, found, setting) and unsaved:
                save(unsaved)  # there may be room for these: the next start then has all parts
        return found

    def _parts(
        self, construction: Construction, name: str, save: Callable[[list[Part]], bool], saved: list[Part]
    ) -> tuple[list[Part], list[Part]]:
        """All parts, those that were saved and the rest, which is made and saved from time to time;
        and those of them not yet saved.
        """
        parts, fresh, saving = construction.startable(saved), [], Saving()
        done = sum(len(part.images) for part in parts)
        left = -(-(len(construction.source) - done) // (construction.size * parallel.world()))
        try:
            for part in self.progress(construction.parts(done), name, left):
                fresh.append(part)
                if saving.due(0) and saving.by(partial(save, fresh)):
                    parts, fresh = [*parts, *fresh], []
        except BaseException:  # interrupted, by whatever: what was made is kept
            if fresh:
                save(fresh)
            raise
        return [*parts, *fresh], fresh

    def value(self, name: str, setting: str, compute: Callable[[], object]) -> Any:
        """Load the json value of this setting, its accuracies as Entries, or compute it;
        what was measured where released networks are taken is kept apart.
        """
        function(compute, "compute", "")
        setting = f"{setting}; of released networks" if self.released else setting
        path = self.path(name, setting, ".json")
        if (
            found := parallel.broadcast(self.unwritten.get(path) or records.value(path, setting))
        ) is not None:
            self.recall(name, path)
        else:
            with self.timing(name, path):
                (computed,) = [compute() for _ in self.progress(range(1), name, 1)]
            found = records.record(setting, computed)
            if not self.attempt(write_once, path, found):
                self.unwritten[path] = found
        if path not in self.unwritten:
            records.tidy(path)
        self.values[name] = entries.parse(json.dumps(found["value"]))
        return copy.deepcopy(self.values[name])

    def so_far(self) -> dict:
        """What was measured through this store until now: what an unfinished run leaves behind."""
        return {"provenance": provenance(), "seconds": self.seconds, "values": self.values}


def _load(model: _M, weights: Tensors) -> _M:
    model.load_state_dict(weights)
    return model.to(devices.device()).eval()
