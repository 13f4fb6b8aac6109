"""Every experiment has the form that the command asks of it."""

import pytest

from featlab.experiments.registry import EXPERIMENTS


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_an_experiment_is_a_module_with_presets_a_beginning_pieces_a_report_and_a_table(experiment):
    room = experiment.room
    assert room.__name__.endswith(f".{experiment.name}") and "laptop" in room.PRESETS
    assert all(callable(getattr(room, part)) for part in ("begin", "pieces", "report", "text_table"))
    assert set(getattr(room, "FOR_DATA", {}).values()) <= set(room.PRESETS)
