"""Memory runs out: chunks are halved, the result is the same, and what does not fit at all is said."""

import math

import pytest
import torch
from small import tiny
from work import DATA, PUSH, agree, made

import featlab as fl
from featlab import features
from featlab.debate.stronger import APGD, Worst
from featlab.engine import chunks, freezing, memory
from featlab.features import spectrum


@pytest.fixture
def little_memory(monkeypatch):
    """A device on which a network cannot take more than 12 images at once outside training."""
    monkeypatch.setattr(chunks, "_ceiling", {})
    monkeypatch.setattr(chunks, "chunk", lambda kind: min(40, chunks._ceiling.get(kind, 40)))
    refused = []
    through = freezing.Frozen.__call__, freezing.Frozen.represent

    def guard(original):
        def limited(self, x):
            if len(x) > 12:
                refused.append(len(x))
                raise torch.OutOfMemoryError("out of memory")
            return original(self, x)

        return limited

    monkeypatch.setattr(freezing.Frozen, "__call__", guard(through[0]))
    monkeypatch.setattr(freezing.Frozen, "represent", guard(through[1]))
    return refused


def test_out_of_memory_halves_the_chunks_and_gives_the_same(request):
    whole = made()
    refused = request.getfixturevalue("little_memory")
    assert agree(made(), whole)
    # halved until predictions, which take two chunks at once, fit
    assert refused[0] == 20 and 12 / 4 < chunks.chunk("cpu") <= 12 / 2
    tried = len(refused)
    assert agree(made(), whole) and len(refused) == tried  # what did not fit is not tried again


LOOPS = {
    "PGD": lambda m, d: fl.PGD(fl.L2(0.3), steps=2)(m, d.pixels, d.labels),
    "APGD": lambda m, d: APGD(fl.L2(0.3), steps=3)(m, d.pixels, d.labels),
    "Worst": lambda m, d: Worst([fl.PGD(fl.L2(0.3), steps=2)])(m, d.pixels, d.labels),
    "predict": lambda m, d: fl.predict(m, d.images),
    "mislabel": lambda m, d: fl.mislabel(m, d, fl.next_labels, PUSH).images,
    "pull": lambda m, d: torch.tensor(fl.craft(m, d, PUSH, (d.labels + 1) % 4).pull(m)),
    "doubt": lambda m, d: torch.tensor([c.holds for c in fl.doubt(m, d, fl.PGD(fl.L2(0.3), steps=2)).checks]),
    "rho": lambda m, d: features.usefulness(m, features.one_against_rest(d, 0)).value,
    "gamma": lambda m, d: (
        features.robust_usefulness(m, features.one_against_rest(d, 0), fl.L2(0.3), steps=2).value
    ),
}


def as_itself(model, seen):
    model.register_forward_hook(lambda part, given, out: seen.append(len(out)))
    return model


def as_a_function(model, seen):
    network = as_itself(model.eval(), seen)
    return lambda x: network(x)


@pytest.mark.parametrize("form", [as_itself, as_a_function])
@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.filterwarnings("ignore")
def test_a_model_that_has_no_copy_is_weighed_in_every_loop(name, form, monkeypatch):
    whole, few = (LOOPS[name](form(tiny(), seen), DATA) for seen in ([], []))
    assert torch.allclose(whole.float(), few.float(), atol=1e-5)
    seen = []
    monkeypatch.setattr(chunks, "allowance", lambda kind: 3e4)
    assert torch.allclose(LOOPS[name](form(tiny(), seen), DATA).float(), whole.float(), atol=1e-5)
    # of passes that came to an end: the first is broken off as soon as it takes too much
    assert max(seen) < 60


def test_a_row_that_needs_much_is_worked_on_alone(monkeypatch):
    monkeypatch.setattr(chunks, "_ceiling", {})
    monkeypatch.setattr(chunks, "allowance", lambda kind: 1.0)
    data, model = DATA[:12], tiny()
    assert sum(len(part.images) for part in spectrum.parts_of_spectrum(model, data, (0.0, 0.2)).parts()) == 12

    def narrow(x):
        if len(x) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return x

    monkeypatch.setattr(chunks, "allowance", lambda kind: 1e12)
    assert torch.equal(memory.mapped(narrow, torch.arange(5), times=2, each=7), torch.arange(5))


def test_a_cpu_without_memory_is_known_by_what_torch_says():
    assert memory.attempt(lambda: torch.empty(10**16), "cpu", []) == []
    with pytest.raises(RuntimeError, match="must match"):
        memory.attempt(lambda: torch.zeros(2) + torch.zeros(3), "cpu", [])


def test_memory_for_less_than_one_image_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(chunks, "_ceiling", {})

    def never(x):
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError, match=r"not even one image.*kept.*smaller preset.*again"):
        memory.mapped(never, DATA.images)


@pytest.mark.parametrize("n, size, times", [(90, 100, 1), (90, 40, 1), (80, 40, 1), (90, 20, 2), (1, 40, 1)])
def test_filled_chunks_have_one_shape_and_change_nothing(n, size, times, monkeypatch):
    monkeypatch.setattr(memory, "FILLED", ("cpu",))
    monkeypatch.setattr(chunks, "chunk", lambda kind: size)
    seen = []

    def double(a, b):
        seen.append(len(a))
        return a + b

    rows = torch.arange(n)
    assert torch.equal(memory.mapped(double, rows, rows, times=times), 2 * rows)
    assert seen == ([n] if n <= size * times else [size * times] * math.ceil(n / (size * times)))
