"""What a model is made of: a glance sees what a walk sees."""

import pytest
from networks import CHANGES, ready

from featlab.engine.anatomy import Anatomy


@pytest.mark.parametrize("name", CHANGES)
def test_a_glance_sees_whatever_a_walk_would_see(name):
    model = ready("plain")
    first = Anatomy(model)
    assert first.plain and first.holds(model)
    CHANGES[name](model)
    assert Anatomy(model).signature == first.signature or not first.holds(model)


# The other layer has the shape of the one that it replaces.
OTHER_VALUES = ("weights through data", "weights of another place", "a buffer replaced", "another layer")


@pytest.mark.parametrize("name", CHANGES)
def test_a_model_is_the_same_to_its_copy_where_only_values_change(name):
    model = ready("plain")
    first, again = Anatomy(model), Anatomy(model)
    assert again.signature == first.signature and not again.obstacle
    CHANGES[name](model)
    changed = Anatomy(model)
    assert (changed.signature == first.signature and not changed.obstacle) == (name in OTHER_VALUES)


def test_what_could_not_be_copied_is_said_in_words():
    assert Anatomy(ready("plain")).obstacle == ""
    for name, says in {"hooked": "has hooks", "a lock": "a lock", "a hidden module": "eval"}.items():
        assert says in Anatomy(ready(name)).obstacle
