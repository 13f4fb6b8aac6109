"""Work on images in parts, which a caller can show, stop, keep and take up again: what stands behind the
constructed sets (sections 3.1, 3.2) and the feature spectrum.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from featlab.engine import memory, parallel
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
    """

    source: Dataset
    labels: Tensor
    make: Callable[[Tensor, range], Part]
    size: int
    each: int = 1

    def parts(self, done: int = 0) -> Iterator[Part]:
        """The parts from image number `done` on, none if all are done;
        several processes make each part together.
        """
        if done >= len(self.source) > 0:
            return
        left = torch.arange(done, len(self.source), device=self.source.device)
        for index in parallel.shareable(left.split(self.size * parallel.world())):
            share = parallel.my_share(len(index))
            mine, places = index[share], range(done, done + len(index))[share]
            made = list(memory.in_chunks(self.make, mine, places, each=self.each))
            columns = {
                "": [part.images for part in made],
                **{name: [part.report[name] for part in made] for name in made[0].report},
            }
            whole = {
                name: parallel.gather(torch.cat(column)[: len(mine)], len(index))
                for name, column in columns.items()
            }
            yield Part(done, whole.pop(""), whole)
            done += len(index)

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
