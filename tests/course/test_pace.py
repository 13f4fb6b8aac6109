"""How long the whole experiment takes here, from a probe that leaves no trace."""

import pytest
import torch

from featlab.course import pace
from featlab.experiments import presets


def test_the_passes_are_those_of_the_preset():
    assert sum(presets.cost(presets.PRESETS["laptop"], 10_000, 2000).values()) == pytest.approx(
        pace.PASSES, rel=0.02
    )


def test_the_probe_measures_a_pass_and_leaves_no_trace():
    threads, draws = torch.get_num_threads(), torch.get_rng_state()
    assert 1e-6 < pace.seconds_per_pass() < 0.1
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), draws)


@pytest.mark.parametrize("seconds, said", [(2e-4, "17 minutes"), (1e-6, "5 seconds")])
def test_a_reader_is_told_how_long_it_takes(seconds, said, monkeypatch):
    monkeypatch.setattr(pace, "seconds_per_pass", lambda: seconds)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert f"about {said} here" in pace.length_of_a_run()
