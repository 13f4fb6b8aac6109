"""A run stands on a lab, or is one; other data reach the preset wherever it stands."""

import pytest
from small import TINY

import featlab as fl
from featlab.experiments import figure3, presets
from featlab.experiments.plan import lab_of, with_data


def test_the_lab_of_a_lab_is_itself_and_of_a_study_its_own():
    lab = fl.Lab(TINY)
    assert lab_of(lab) is lab
    figure = figure3.Figure3("quick", seed=3)
    assert lab_of(figure) is figure.lab and figure.lab.seed == 3


@pytest.mark.parametrize("preset", [presets.PRESETS["laptop"], figure3.PRESETS["laptop"]])
def test_other_data_are_all_that_changes(preset):
    changed = with_data(preset, "cifar10")
    assert lab_of(changed).data == "cifar10" and with_data(changed, lab_of(preset).data) == preset
    assert with_data(preset, None) is preset
