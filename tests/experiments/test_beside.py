"""The rows beside the paper's: each set is what its name says, image by image."""

import pytest
import torch
from small import TINY

import featlab as fl
from featlab.experiments import beside, presets


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return fl.Lab(TINY, store=fl.Store(tmp_path_factory.mktemp("store"), released=False))


@pytest.mark.parametrize("name", ["D_rand", "D_other", "D_det", "D_static"])
def test_a_control_has_the_labels_of_its_set_on_its_unperturbed_images(lab, name):
    made, control = lab.dataset(name), lab.dataset(f"{name} control")
    assert made.labels.equal(control.labels)
    assert control.pixels.equal(lab.images(name).pixels)
    assert 0 < (made.pixels - control.pixels).flatten(1).norm(dim=1).max() <= TINY.push.ball.eps + 1e-4


def test_poison_is_d_det_with_its_true_labels(lab):
    assert lab.dataset("poison").images.equal(lab.dataset("D_det").images)
    assert lab.dataset("poison").labels.equal(lab.data[0].labels)


def test_no_image_of_d_is_in_static(lab):
    noise = lab.images("D_static")
    assert len(noise) == 60 and noise.pixels.std() == pytest.approx(12**-0.5, abs=0.01)
    assert lab.images("D_rand") is lab.data[0]
    assert lab.dataset("D_static untrained").labels.equal(lab.dataset("D_static").labels)


def test_a_blend_is_as_far_from_x_as_d_r_and_has_no_more_of_x_0_than_that(lab):
    x = lab.data[0].pixels
    far = (lab.dataset("D_R").pixels - x).flatten(1).norm(dim=1)
    moved = (lab.dataset("D_R blend").pixels - x).flatten(1).norm(dim=1)
    assert bool((moved <= far + 1e-3).all()) and moved.sum() > 0.8 * far.sum()


def test_the_untrained_network_is_ready_and_knows_nothing_of_the_labels(lab):
    untrained, trained = lab.model("untrained"), lab.model("standard")
    assert not untrained.training and bool(untrained.trained)
    torch.testing.assert_close(untrained.mean, trained.mean)
    assert untrained.head.weight.equal(lab.model("untrained").head.weight)


def test_every_row_beside_has_its_meaning_and_none_is_a_row_of_the_paper():
    assert set(presets.MEANING) == {*presets.ROWS, *presets.EXTRA_ROWS}
    assert not {*presets.ROWS} & {*presets.EXTRA_ROWS} and beside.TABLE[0] == "D"


def test_a_preset_without_them_has_the_paper_s_rows_and_the_same_text():
    small = presets.PRESETS["ten-minutes"]
    assert small.rows == presets.ROWS and presets.PRESETS["laptop"].rows == (
        *presets.ROWS,
        *presets.EXTRA_ROWS,
    )
    assert "beside" not in repr(small)
