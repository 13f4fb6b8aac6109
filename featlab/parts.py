"""Work on images in parts, which a caller can show, stop, keep and take up again: what stands behind the
constructed sets (sections 3.1, 3.2) and the feature spectrum.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from featlab.engine import memory, parallel, workers
from featlab.inputs.checks import shown_by
from featlab.types import Dataset


@dataclass(frozen=True)
class Part:
    """Images start .. start + len(images) of a construction, with the quantities measured on each."""

    start: int
    images: Tensor
    report: dict[str, Tensor]


@dataclass(frozen=True)
class Construction:
    """A dataset in the making; `labels` are known from the outset.

    make  (index, places) -> Part: numbers of images, on their device and as a range that can be read without
          waiting for a GPU
    size  images per part
    each  images that the network sees for each of them
    thread_safe  whether several workers may make parts at once
    """

    source: Dataset
    labels: Tensor
    make: Callable[[Tensor, range], Part]
    size: int
    each: int = 1
    thread_safe: bool = False

    def parts(self, done: int = 0) -> Iterator[Part]:
        """The parts from image number `done` on, none if all are done;
        several processes make each part together.
        """
        if done >= len(self.source) > 0:
            return
        left = torch.arange(done, len(self.source), device=self.source.device)
        parts = parallel.shareable(left.split(self.size * parallel.world()))
        starts = [done + sum(map(len, parts[:i])) for i in range(len(parts))]
        jobs = [(index, range(start, start + len(index))) for index, start in zip(parts, starts, strict=True)]
        many = min(workers.count(left.device.type), len(jobs)) if self.thread_safe else 1
        for (_, places), made in zip(jobs, workers.hand_out(self.my_part, jobs, many), strict=True):
            report = {name: parallel.gather(column, len(places)) for name, column in made.items()}
            yield Part(places.start, report.pop(""), report)

    def my_part(self, job: tuple[Tensor, range]) -> dict[str, Tensor]:
        """This process's share of a part, numbers of images (m,) and as a range: the images made, under "",
        and what was measured on each, by name, (m, ...).
        """
        share = parallel.my_share(len(job[0]))
        index, places = job[0][share], job[1][share]
        made = list(memory.in_chunks(self.make, index, places, each=self.each))
        columns = {"": [part.images for part in made]}
        columns |= {name: [part.report[name] for part in made] for name in made[0].report}
        return {name: torch.cat(column)[: len(index)] for name, column in columns.items()}

    def startable(self, saved: list[Part]) -> list[Part]:
        """The saved parts after which the processes can go on: the images that are left, if any,
        are enough for all of them.
        """
        parts, left = list(saved), len(self.source) - sum(len(part.images) for part in saved)
        while parts and 0 < left < parallel.world():
            left += len(parts.pop().images)
        return parts

    def whole(self, progress: Callable | None, label: str) -> Dataset:
        """All of it at once; `progress` (iterable, label, number of parts)
        shows the parts as they are made.
        """
        count = -(-len(self.source) // self.size)
        if progress is None:
            return self.join(list(self.parts()))
        return self.join(list(shown_by(progress, "parts, label, number", self.parts(), label, count)))

    def join(self, parts: list[Part]) -> Dataset:
        """All parts together as a dataset."""
        report = {name: torch.cat([p.report[name] for p in parts]) for name in parts[0].report}
        return replace(
            self.source, images=torch.cat([p.images for p in parts]), labels=self.labels, report=report
        )
