"""Whatever happens to modules inside a block, after it they are as they were."""

import threading
from contextlib import nullcontext

import pytest
import torch
from networks import MODELS, attributed, ready, state, untouched
from torch import nn

from featlab.engine.unchanged import LARGE, evaluated, same, unchanged


def passed(model: nn.Module) -> torch.Tensor:
    """What a model in training mode gives for some images; its statistics move."""
    return model.train()(torch.rand(16, 1, 8, 8, dtype=model.out.weight.dtype))


HARMS = {
    "a pass in training mode": passed,
    "another mode": lambda m: m.eval(),
    "a part in another mode": lambda m: m.n.eval(),
    "a buffer in place": lambda m: m.n.running_mean.add_(3),
    "a buffer replaced": lambda m: attributed(m.n, running_mean=torch.ones(4)),
    "a buffer more": lambda m: m.register_buffer("more", torch.ones(2)),
    "a weight replaced": lambda m: attributed(m.a, weight=nn.Parameter(torch.ones(4, 1, 3, 3))),
    "a weight fewer": lambda m: delattr(m.a, "bias"),
    "another layer": lambda m: attributed(m, out=nn.Linear(2, 2)),
    "a layer fewer": lambda m: delattr(m, "out"),
    "an attribute": lambda m: attributed(m.n, eps=1.0),
    "an attribute more": lambda m: attributed(m, seen=torch.ones(3)),
    "an attribute fewer": lambda m: delattr(m, "scale"),
    "a tensor's values": lambda m: m.scale.mul_(2),
    "a list's entries": lambda m: m.steps.append(4),
}


def model_with_attributes() -> nn.Module:
    """A model with a tensor and a list that are neither weights nor buffers."""
    return attributed(ready("plain"), scale=torch.ones(3), steps=[1, 2])


@pytest.mark.parametrize("fails", [False, True], ids=["ends", "fails"])
@pytest.mark.parametrize("name", HARMS)
def test_whatever_happens_inside_a_block_the_module_is_as_before(name, fails):
    model = model_with_attributes()
    before = state(model)
    with pytest.raises(KeyboardInterrupt) if fails else nullcontext(), unchanged([*model.modules()]):
        HARMS[name](model)
        if fails:
            raise KeyboardInterrupt
    assert untouched(before, state(model))
    assert model.steps == [1, 2] and torch.equal(model.scale, torch.ones(3))


@pytest.mark.parametrize("name", MODELS)
def test_a_pass_in_either_mode_leaves_models_of_all_kinds_as_they_were(name):
    model = ready(name)
    before = state(model)
    with unchanged([*model.modules()]):
        passed(model)
        model.eval()
    assert untouched(before, state(model))


def test_weights_come_back_where_changing_the_mode_may_change_them():
    """The model doubles a weight when it is evaluated; a pass made meanwhile can still be differentiated."""
    model = ready("eval merges")
    weight, bias = model.out.weight.detach().clone(), model.out.bias
    with evaluated(model):
        torch.testing.assert_close(model.out.weight, 2 * weight)
        out = model(torch.rand(4, 1, 8, 8))
    assert torch.equal(model.out.weight, weight)
    assert torch.equal(torch.autograd.grad(out.sum(), bias)[0], torch.full((3,), 4.0))


def test_a_model_is_in_eval_mode_within_its_block_and_each_part_in_its_own_after_it():
    model = ready("plain")
    model.n.eval()
    before = [part.training for part in model.modules()]
    with evaluated(model):
        assert not any(part.training for part in model.modules())
    assert [part.training for part in model.modules()] == before and len(set(before)) == 2


def test_what_hooks_leave_for_somebody_to_look_at_stays_if_asked():
    model = model_with_attributes()
    mean = model.n.running_mean.clone()
    with unchanged([*model.modules()], plain=False):
        passed(model)
        model.eval()
        model.seen = 3
    assert model.seen == 3 and model.training and torch.equal(model.n.running_mean, mean)


def test_a_second_thread_waits_until_the_first_has_left_its_block():
    model, order = ready("plain"), []

    def second():
        with unchanged([model]):
            order.append("second")

    thread = threading.Thread(target=second)
    with unchanged([model]):
        thread.start()
        thread.join(timeout=0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64])
@pytest.mark.parametrize("n", [3, LARGE + 1])
def test_the_same_numbers_are_the_same_and_one_other_number_is_seen(n, dtype):
    a = torch.arange(n).remainder(100).to(dtype)
    assert same(a, a.clone())
    for at in (0, n - 1):
        b = a.clone()
        b[at] += 1
        assert not same(a, b) and not same(b, a)


@pytest.mark.parametrize("n", [3, LARGE + 1])
def test_nan_is_the_same_as_nan_and_as_nothing_else(n):
    a, b = torch.zeros(n), torch.zeros(n)
    a[1] = torch.nan
    assert same(a, a.clone()) and not same(a, b) and not same(b, a)
