"""Teachers vary in how long they are trained and how far they push."""

import pytest
from small import TINY

import featlab as fl
from featlab.engine import devices
from featlab.experiments import teachers
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent, released=False))


def test_teachers_vary_in_length_and_reach(lab):
    part = teachers.teacher_labs(lab)[4, 2.5]
    assert part.preset.teacher.epochs == 4 and part.preset.push.ball == fl.L2(2.5)
    assert part.setting("standard") == lab.setting("standard")
    made = lab.dataset("D_det")
    measured = teachers.measure_teachers(lab)
    assert measured["D_det"]["reached"] == pytest.approx(
        made.report["reached"].float().mean().item(), abs=1e-4
    )
    assert 0 <= measured["D_det"]["depth"] <= 1
