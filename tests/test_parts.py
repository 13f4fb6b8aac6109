"""Parts of any size and any interruption give one result, which is seen and kept on the way."""

from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import patches, same, tiny
from work import DATA, Looks

import featlab as fl
from featlab.constructed import parts_of_mislabel, parts_of_robustify, random_labels
from featlab.engine import chunks, parallel
from featlab.parts import Construction, Part
from featlab.types import Dataset, pixels

PUSH = fl.PGD(fl.L2(1.5), steps=10, targeted=True, random_start=True)


def darkened(n: int, size: int) -> Construction:
    """n images of which each is darkened by its own number, in parts of this size."""
    data = patches(n)

    def make(index: torch.Tensor, places: range) -> Part:
        assert index.tolist() == list(places)
        found = pixels(data.images[index]) / (1 + index.view(-1, 1, 1, 1))
        return Part(places.start, found, {"number": index, "corner": found[:, 0, 0, :2]})

    return Construction(data, data.labels.flip(0), make, size)


def equal(a: Dataset, b: Dataset) -> bool:
    """Whether two made sets agree bit by bit."""
    ours = {"images": a.images, "labels": a.labels, **a.report}
    return same(ours, {"images": b.images, "labels": b.labels, **b.report})


@given(n=st.integers(1, 30), runs=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4)), max_size=4))
def test_parts_of_any_size_and_any_interruption_give_one_result(n, runs):
    """Each run makes some parts of a size of its own; the last one makes the rest."""
    saved = []
    for size, stop in [*runs, (5, n)]:
        done = sum(len(part.images) for part in saved)
        saved += islice(darkened(n, size).parts(done), stop)
    made = darkened(n, 5).join(saved)
    assert equal(made, darkened(n, n).whole(None, "all"))
    assert made.report["number"].tolist() == list(range(n))


@pytest.mark.parametrize("n, size, lengths", [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 3, [2])])
def test_parts_begin_where_the_one_before_them_ends(n, size, lengths):
    parts = list(darkened(n, size).parts())
    assert [len(part.images) for part in parts] == lengths
    assert [part.start for part in parts] == [size * i for i in range(len(lengths))]
    assert list(darkened(n, size).parts(n)) == []


def test_labels_are_known_from_the_outset_and_images_and_names_are_those_of_the_source():
    construction = darkened(9, 4)
    made = construction.whole(None, "all")
    assert torch.equal(made.labels, construction.labels) and made.classes == construction.source.classes
    torch.testing.assert_close(made.images[2], construction.source.pixels[2] / 3)


def test_progress_sees_every_part_with_its_label_and_their_number():
    said = []

    def progress(parts, label, number):
        said.append((label, number))
        for part in parts:
            said.append(part.start)
            yield part

    assert equal(darkened(7, 3).whole(progress, "darken"), darkened(7, 3).whole(None, "darken"))
    assert said == [("darken", 3), 0, 3, 6]


@pytest.mark.parametrize("saved, startable", [(0, 0), (1, 1), (2, 1), (3, 3)])
def test_parts_that_leave_too_few_images_for_all_processes_are_made_again(saved, startable, monkeypatch):
    """Seven images in parts of three: after two parts one image is left, and two processes wait for it."""
    construction = darkened(7, 3)
    parts = list(construction.parts())[:saved]
    monkeypatch.setattr(parallel, "world", lambda: 2)
    assert construction.startable(parts) == parts[:startable]


# the constructed sets


@pytest.mark.parametrize("begin", [
    lambda data: parts_of_robustify(tiny(), data, fl.Inversion(steps=2)),
    lambda data: parts_of_mislabel(tiny(), data, random_labels, PUSH),
])  # fmt: skip
def test_a_construction_gone_on_with_equals_one_made_at_once(begin):
    data = patches(2 * chunks.chunk("cpu") + 9)
    whole = list(begin(data).parts())
    assert [part.start for part in whole] == [0, chunks.chunk("cpu"), 2 * chunks.chunk("cpu")]
    torch.manual_seed(8)
    rest = list(begin(data).parts(whole[1].start))
    once, twice = begin(data).join(whole), begin(data).join([whole[0], *rest])
    assert equal(once, twice)


@pytest.mark.parametrize("size", [30, 1000])
@pytest.mark.parametrize("kind", ["robustify", "mislabel"])
def test_constructions_do_not_look_at_images_between_steps(kind, size, monkeypatch):
    monkeypatch.setattr(chunks, "chunk", lambda kind: size)
    model = tiny()
    begin = {
        "robustify": lambda steps: fl.constructed.parts_of_robustify(model, DATA, fl.Inversion(steps=steps)),
        "mislabel": lambda steps: fl.constructed.parts_of_mislabel(
            model, DATA, fl.next_labels, fl.PGD(fl.L2(1.0), steps=steps, targeted=True)
        ),
    }[kind]
    seen = []
    for steps in (2, 20):
        construction = begin(steps)
        with Looks() as looks:
            parts = list(construction.parts())
        seen.append(looks.count)
    # each part is looked at where it enters and leaves, whatever happens between
    assert seen[0] == seen[1] <= 4 * len(parts)
