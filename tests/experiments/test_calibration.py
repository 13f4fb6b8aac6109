"""What notebooks assert of live trainings was measured to hold far from its threshold;
the released networks are what their card says.
"""

import re

import pytest

import featlab as fl
from featlab.experiments import calibration
from tools.notebook import course, read

RUNS = 20


@pytest.mark.parametrize("name", calibration.THRESHOLDS)
def test_a_live_claim_lies_three_deviations_from_its_threshold_in_at_least_twenty_runs(name):
    values = calibration.runs(name)
    assert len(values) >= RUNS
    assert all(calibration.THRESHOLDS[name].holds(value) for value in values)
    assert calibration.distance(name) >= 3


def test_the_runs_differ_in_seed_precision_threads_and_instruction_set():
    runs = calibration.measurements()["runs"]
    for what, kinds in {"seed": 5, "precision": 2, "threads": 2, "machine": 4}.items():
        assert len({run[what] for run in runs}) >= kinds, what


def test_every_claim_is_made_in_a_notebook_and_every_notebook_makes_known_claims():
    code = "\n".join(
        cell["source"] for path in course() for cell in read(path)["cells"] if cell["cell_type"] == "code"
    )
    literal = set(re.findall(r'calibration\.compare\("([^"]+)"', code))
    assert literal | {"squares", "noisy squares"} == set(calibration.THRESHOLDS)


def test_a_claim_that_fails_says_what_was_expected():
    below = fl.experiments.calibration.THRESHOLDS["D_det"].threshold - 0.01
    with pytest.raises(
        AssertionError, match=r"real images: yours: 14\.0 %; \d+ stored runs: .* above 15 %.*doctor"
    ):
        calibration.compare("D_det", below)
    assert str(calibration.compare("D_det", 0.4)).startswith("yours: 40.0 %;")
