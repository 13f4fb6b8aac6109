"""The descent against torch's own, the average against its formula, and a state that goes on bit by bit."""

import pytest
import torch
from small import same, snapshot, tiny
from torch import nn

from featlab.engine.optimiser import Optimiser

RATES = [0.3, 0.1, 0.2, 0.05, 0.01]


def network(*, seed: int = 0) -> nn.Module:
    """A small network with batch-norm, untrained, in training mode."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


def differentiate(model: nn.Module, step: int) -> None:
    """Leave the gradients of a loss on numbers that are this step's."""
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(step))
    model.zero_grad()
    model(x).square().sum().backward()


def descend(optimiser: Optimiser, steps: range) -> None:
    """Some of the steps with their learning rates."""
    for step in steps:
        differentiate(optimiser.model, step)
        optimiser.step(RATES[step])


def begin(model: nn.Module, *, momentum: float = 0.9, decay: float = 0.01, average: float = 0.0) -> Optimiser:
    return Optimiser(model, momentum=momentum, weight_decay=decay, average=average)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_its_steps_are_those_of_torchs_sgd(momentum, decay):
    ours, theirs = network(), network()
    descend(begin(ours, momentum=momentum, decay=decay), range(5))
    sgd = torch.optim.SGD(theirs.parameters(), lr=1.0, momentum=momentum, weight_decay=decay)
    for step, sgd.param_groups[0]["lr"] in enumerate(RATES):
        differentiate(theirs, step)
        sgd.step()
    for name, tensor in snapshot(theirs).items():
        torch.testing.assert_close(snapshot(ours)[name], tensor, msg=name)


def test_a_weight_without_a_gradient_stays():
    model = network()
    model[3].requires_grad_(False)
    before = snapshot(model)
    descend(begin(model), range(3))
    after = snapshot(model)
    assert torch.equal(after["3.weight"], before["3.weight"])
    assert not torch.equal(after["0.weight"], before["0.weight"])


def test_the_average_is_that_of_the_formula_statistics_included():
    model, keep = network(), 0.7
    optimiser, expected = begin(model, average=keep), snapshot(model)
    for step in range(5):
        descend(optimiser, range(step, step + 1))
        expected = {n: keep * expected[n] + (1 - keep) * t for n, t in snapshot(model).items()}
    optimiser.finish()
    for name in ("0.weight", "0.bias", "1.running_mean", "1.running_var", "3.weight"):
        torch.testing.assert_close(model.state_dict()[name], expected[name], msg=name)
    assert model[1].num_batches_tracked == 5


def test_without_an_average_the_model_ends_with_its_last_weights():
    model = network()
    optimiser = begin(model)
    descend(optimiser, range(3))
    last = snapshot(model)
    optimiser.finish()
    assert same(last, snapshot(model))


@pytest.mark.parametrize("average", [0.0, 0.7])
@pytest.mark.parametrize("stop", range(6))
def test_a_resumed_state_goes_on_exactly(stop, average):
    whole, first, second = (begin(network(seed=seed), average=average) for seed in (0, 0, 1))
    descend(whole, range(5))
    descend(first, range(stop))
    second.resume({name: tensor.clone() for name, tensor in first.state.items()})
    descend(first, range(stop, 5))  # what goes on meanwhile changes nothing
    descend(second, range(stop, 5))
    assert same(whole.state, second.state)
    whole.finish(), second.finish()
    assert same(snapshot(whole.model), snapshot(second.model))


def test_a_resumed_state_is_laid_out_as_the_weights_are():
    model = tiny().train().to(memory_format=torch.channels_last)
    optimiser = begin(model, average=0.5)
    model(torch.rand(4, 1, 8, 8)).sum().backward()
    optimiser.step(0.1)
    optimiser.resume({name: tensor.clone().contiguous() for name, tensor in optimiser.state.items()})
    for kept in (optimiser.momenta, optimiser.averaged):
        assert kept["body.3.weight"].stride() == model.body[3].weight.stride() != (36, 9, 3, 1)


def test_tensors_that_lie_elsewhere_are_averaged_once_they_are_looked_at():
    model = network()
    optimiser = begin(model, average=0.5)
    before = model[3].bias.detach().clone()
    model[3].bias = nn.Parameter(torch.full((3,), 4.0))
    optimiser.refresh()
    optimiser.step(0.1)
    torch.testing.assert_close(optimiser.averaged["3.bias"], 0.5 * before + 2)


@pytest.mark.parametrize("name", ["0.weight", "1.running_var"])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_the_first_tensor_that_is_no_longer_finite_is_named(name, bad):
    model = network()
    optimiser = begin(model)
    assert optimiser.broken() == ""
    for broken in ("3.bias", name):
        model.state_dict()[broken][1] = bad
        assert optimiser.broken() == broken


def test_what_was_infinite_from_the_outset_is_not_broken():
    model = network()
    model.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    assert begin(model).broken() == ""
