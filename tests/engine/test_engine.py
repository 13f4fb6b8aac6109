"""The engine's door: what notebooks ask it for, and nothing else that it does not have."""

import pytest

from featlab import engine
from featlab.engine import devices


def test_the_engine_itself_is_asked_for_the_precision_and_for_no_other_name():
    assert engine.precision is devices.precision
    with pytest.raises(AttributeError, match=r"featlab\.engine has no 'speed'"):
        engine.speed  # noqa: B018
