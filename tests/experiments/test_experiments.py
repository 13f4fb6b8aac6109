"""The room of the experiments opens each of its modules when it is first named."""

import pytest

from featlab import experiments


def test_a_module_is_loaded_when_it_is_named_and_an_unknown_one_is_refused_with_the_known():
    assert experiments.presets.__name__ == "featlab.experiments.presets"
    with pytest.raises(AttributeError, match=r"no 'doubts'.*debate.*reproduce"):
        experiments.doubts  # noqa: B018
