"""The networks of a function are found wherever it holds them, and nothing else is."""

import functools

import pytest
import torch
from torch import nn

from featlab.engine.reach import DEEP, networks_in


class Called:
    def __init__(self, network):
        self.network = network

    def __call__(self, x):
        return self.network(x)


NETWORK = nn.Linear(2, 2)


def through(x):
    """A function whose network is a global."""
    return NETWORK(x)


HOLDERS = {
    "itself": lambda network: network,
    "a closure": lambda network: lambda x: network(x),
    "a default": lambda network: lambda x, one=network: one(x),
    "a partial": lambda network: functools.partial(nn.Module.__call__, network),
    "a partial's keyword": lambda network: functools.partial(lambda x, one: one(x), one=network),
    "a keyword's default": lambda network: lambda x, *, one=network: one(x),
    "a method of an object": lambda network: Called(network).__call__,
    "a dict in an object": lambda network: Called({"first": network}),
    "a function in a closure": lambda network: (lambda inner: lambda x: inner(x))(lambda x: network(x)),
    "a method": lambda network: network.forward,
    "an object": Called,
    "a list in an object": lambda network: Called([network]),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_the_network_of_a_function_is_found_wherever_it_is_held(name):
    assert networks_in(HOLDERS[name](NETWORK)) == [NETWORK]


def test_the_network_that_a_function_reads_by_its_global_name_is_found_and_a_plain_function_has_none():
    assert networks_in(lambda x: NETWORK(x)) == networks_in(lambda x: through(x)) == [NETWORK]
    assert networks_in(lambda x: x * torch.ones(2)) == networks_in(torch.relu) == networks_in(None) == []


def test_the_networks_of_a_function_come_in_the_order_in_which_it_holds_them():
    other = nn.Linear(2, 3)
    assert networks_in(functools.partial(through, other)) == [NETWORK, other]
    assert networks_in([other, through]) == [other, NETWORK]


@pytest.mark.parametrize("depth, found", [(DEEP, [NETWORK]), (DEEP + 1, [])])
def test_what_lies_deeper_than_the_limit_is_not_looked_for(depth, found):
    value = NETWORK
    for _ in range(depth):
        value = [value]
    assert networks_in(value) == found


def test_an_object_that_holds_itself_is_searched_to_an_end():
    endless = Called(NETWORK)
    endless.again = endless
    assert set(networks_in(endless)) == {NETWORK}


def test_a_name_that_is_bound_later_holds_nothing_yet():
    def early(x):
        return late(x)

    assert networks_in(early) == []
    late = NETWORK
    assert networks_in(early) == [NETWORK]


def test_what_leaves_its_network_as_it_is_and_what_cannot_be_called_hold_none():
    harmless = type("Harmless", (Called,), {"harmless": True})
    assert networks_in(harmless(NETWORK)) == []
    for value in (nn.Linear, torch, torch.ones(2), "network", b"network", 3):
        assert networks_in(value) == []
