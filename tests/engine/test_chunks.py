"""Networks are weighed, and get as many images at once as fit."""

import functools

import pytest
import torch
from small import patches, tiny
from torch import nn

import featlab as fl
from featlab.engine import chunks, freezing
from featlab.engine.chunks import TooMany, splitting, weighed


def test_a_wide_network_is_given_fewer_images_and_gives_the_same(monkeypatch):
    model, x, sizes, through = tiny(), torch.rand(40, 1, 8, 8), [], freezing.Frozen._pass
    whole = fl.PGD(fl.L2(0.3), steps=2)(model, x, torch.arange(40) % 4)
    monkeypatch.setattr(chunks, "memory_left", lambda: 2**17)
    monkeypatch.setattr(
        freezing.Frozen, "_pass", lambda self, z, which: (sizes.append(len(z)), through(self, z, which))[1]
    )
    part = fl.PGD(fl.L2(0.3), steps=2)(model, x, torch.arange(40) % 4)
    torch.testing.assert_close(part, whole)
    assert min(sizes) < 40


COMPILED = {
    "a module within another": lambda model: nn.Sequential(torch.compile(model, backend="eager")),
    "a function": lambda model: torch.compile(functools.partial(apply, model), backend="eager"),
}


def apply(model, x):
    return model(x)


@pytest.mark.parametrize("form", COMPILED)
def test_what_is_compiled_is_measured_as_it_is(form):
    """Weighing looks at what runs, never at what torch.compile traces."""
    model, data = tiny().eval(), patches(24)
    expected = fl.predict(model, data.images)
    assert torch.equal(fl.predict(COMPILED[form](model), data.images), expected)


BIG, SMALL = torch.rand(40, 1, 8, 8), torch.rand(2, 1, 8, 8)


def network(x):
    """Ten results as large as the images."""
    return sum(x * i for i in range(5))


def test_a_pass_that_takes_too_much_is_broken_off_and_known_the_next_time(monkeypatch):
    monkeypatch.setattr(chunks, "allowance", lambda kind: 2.0 * BIG.nbytes)
    known, passes = {}, []

    def counted(x):
        passes.append(len(x))
        return network(x)

    with torch.no_grad(), splitting("cpu"):
        weighed(counted, SMALL, known)
        with pytest.raises(TooMany) as refusal:
            weighed(counted, torch.cat([BIG] * 9), known)
    assert passes == [2] and refusal.value.rows < 9 * 40  # what is known is not tried


def test_a_first_pass_that_takes_too_much_is_halved(monkeypatch):
    monkeypatch.setattr(chunks, "allowance", lambda kind: 1.0)
    with splitting("cpu"), pytest.raises(TooMany) as refusal:
        weighed(network, BIG, {})
    assert refusal.value.rows == 20


def test_where_nobody_could_split_it_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(chunks, "allowance", lambda kind: 1.0)
    with splitting("cpu"):
        assert torch.equal(weighed(network, BIG[:1], {}), network(BIG[:1]))
    assert torch.equal(weighed(network, BIG, {}), network(BIG))


def test_what_did_not_fit_once_bounds_the_chunks_from_then_on(monkeypatch):
    monkeypatch.setattr(chunks, "_ceiling", {})
    monkeypatch.delenv("FEATLAB_CHUNK", raising=False)
    whole = chunks.chunk("cpu")
    chunks.lower("cpu", 7)
    assert chunks.chunk("cpu") == 7 < whole
    chunks.lower("cpu", 10**9)
    assert chunks.chunk("cpu") == whole


@pytest.mark.parametrize("n", [0, 1, 3, 31, 64, 100, 125, 130, 500, 501, 1001])
@pytest.mark.parametrize("most, few", [(125, 32), (250, 64), (9, 32), (1, 0)])
def test_shares_cover_all_rows_and_are_no_larger_than_a_chunk_nor_too_small(n, most, few):
    size = chunks.shares(n, most, few)
    pieces = -(-n // size)
    assert 1 <= size <= most and (pieces == -(-n // most) or size >= few)
    if n >= max(2 * few, 2):
        assert pieces >= 2
