"""An attack without a gradient to follow is never silent, and no image of NaN comes back."""

import warnings

import pytest
import torch
from networks import MASKS, Around
from small import patches, tiny

import featlab as fl
from featlab.debate.stronger import APGD
from featlab.doors.gradients import BLIND, LOST, blindness, say_blind, settled

BREAKS = {
    "square root": {"pre": lambda x: (x - x.amin((1, 2, 3), keepdim=True)).sqrt()},
    "logarithm": {"pre": lambda x: (x - x.amin((1, 2, 3), keepdim=True)).clamp_min(0).log().clamp(-9, 9)},
    "norm of nothing": {"post": lambda y: y + (y - y).norm(dim=1, keepdim=True)},
}
ATTACKS = [fl.PGD(fl.L2(0.5), steps=3), fl.PGD(fl.L2(0.5), steps=3, best=True),
           fl.PGD(fl.Linf(0.05), steps=3),
           fl.PGD(fl.L2(0.5), steps=3, random_start=True), APGD(fl.L2(0.5), steps=3)]  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return patches(40)


@pytest.fixture(scope="module")
def model(data):
    return fl.train(tiny(), data, epochs=10, batch=8, lr=0.02, seed=0)


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
@pytest.mark.parametrize("mask", MASKS)
def test_an_attack_without_a_gradient_is_never_silent(attack, mask, model, data):
    with pytest.warns(UserWarning, match="gradient with respect to the pixels is 0 on"):
        attack(Around(model, **MASKS[mask]), data.images, data.labels)


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
@pytest.mark.parametrize("case", BREAKS)
def test_images_of_nan_never_come_back(attack, case, model, data):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            z = attack(Around(model, **BREAKS[case]), data.images, data.labels)
        except ValueError as error:
            assert "NaN or infinite" in str(error)
            return
    assert z.isfinite().all() and (said or not torch.equal(z, data.pixels))


def test_a_gradient_of_nan_on_few_images_leaves_these_as_they_are_and_says_so(model, data):
    """One image in 40 has a black pixel, where the root has no slope."""
    x = data.pixels * 0.5 + 0.3
    x[7, 0, 0, 0] = 0
    with pytest.warns(UserWarning, match="NaN or infinite on 1 of 40"):
        z = ATTACKS[0](Around(model, pre=lambda x: x.sqrt()), x, data.labels)
    moved = (z != x).flatten(1).any(1)
    assert not moved[7] and moved.sum() == 39


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_no_false_alarm_on_ordinary_models(attack, trained, clothes, model, data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scale in (1, 5):
            fl.accuracy(Around(trained, post=lambda y, scale=scale: scale * y), clothes[1], attack)
        fl.accuracy(model, data, attack)
        fl.PGD(fl.L2(0.5), steps=3, targeted=True)(
            Around(model, post=lambda y: 1e6 * y), data.images, fl.predict(model, data.images)
        )


def test_an_image_is_blind_where_its_gradient_is_0_and_lost_where_it_is_no_number():
    gradient = torch.zeros(5, 1, 2, 2)
    gradient[1, 0, 0, 1] = 1e-30
    gradient[2, 0, 1, 1], gradient[3, 0, 0, 0], gradient[4] = torch.nan, -torch.inf, torch.nan
    assert blindness(gradient).tolist() == [1, 0, 2, 2, 2]


def settle(lost: int, dark: int, n: int = 100) -> torch.Tensor:
    """What is settled of n images of 1 begun at 0: some come back as NaN, some after these did not move."""
    x, z, still = torch.zeros(n, 1, 2, 2), torch.ones(n, 1, 2, 2), torch.zeros(n, dtype=torch.bool)
    z[:lost, 0, 0, 0] = torch.nan
    still[: lost + dark] = True
    return settled("this attack", z, x, still, lambda index: torch.ones(len(index), dtype=torch.long))


def test_images_of_nan_are_left_as_they_were_and_all_others_as_they_were_found():
    with pytest.warns(UserWarning, match="NaN or infinite on 3 of 100 images under this attack"):
        z = settle(lost=3, dark=0)
    assert not z[:3].any() and torch.equal(z[3:], torch.ones(97, 1, 2, 2))


def test_few_images_without_a_gradient_are_passed_over_and_more_are_said():
    few = int(100 * BLIND)
    assert torch.equal(settle(lost=0, dark=few), torch.ones(100, 1, 2, 2))
    with pytest.warns(UserWarning, match=f"0 on {few + 1} of 100 images, so this attack"):
        settle(lost=0, dark=few + 1)
    with pytest.warns(UserWarning, match="0 on 1 of 1 images"):
        say_blind("this attack", 1, 1)


def test_more_than_a_share_of_nan_is_an_error():
    most = int(100 * LOST)
    with pytest.warns(UserWarning, match=f"on {most} of 100"):
        settle(lost=most, dark=0)
    with pytest.raises(ValueError, match=f"on {most + 1} of 100.*small number there"):
        settle(lost=most + 1, dark=0)


def test_where_every_image_moved_no_gradient_is_asked_for():
    z = torch.rand(4, 1, 2, 2)
    assert settled("this attack", z, 0 * z, torch.zeros(4, dtype=torch.bool), None) is z
