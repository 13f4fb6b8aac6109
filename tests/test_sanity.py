"""An attack that cannot work is not robustness: it is refused, or said beside the number;
and `doubt` finds it out.
"""

import math

import pytest
import torch
from networks import MASKS, Around
from small import linear, patches, tiny

import featlab as fl
from featlab.attacks import descend
from featlab.debate.stronger import APGD
from featlab.features.spectrum import spectrum
from featlab.sanity import doubt

ATTACK = fl.PGD(fl.L2(0.5), steps=3)


@pytest.fixture(scope="module")
def data():
    return patches(40)


@pytest.fixture(scope="module")
def model(data):
    return fl.train(tiny(), data, epochs=10, batch=8, lr=0.02, seed=0)


def test_the_direction_of_a_gradient_does_not_depend_on_its_size():
    g = torch.randn(6, 1, 4, 4, dtype=torch.float32)
    for exponent in (-40, -25, -12, 0, 12, 25, 37):
        scaled = g * torch.tensor(10.0, dtype=torch.float64).pow(exponent).float()
        torch.testing.assert_close(
            fl.L2(1.0).steepest(scaled), fl.L2(1.0).steepest(g), atol=2e-2 if exponent < -38 else 1e-6, rtol=0
        )


@pytest.mark.parametrize("attack", [
    lambda: fl.PGD(fl.Linf(8)), lambda: fl.PGD(fl.Linf(1.01)), lambda: fl.PGD(fl.L2(1e300)),
    lambda: fl.PGD(fl.L2(128)),
    lambda: fl.PGD(fl.L2(8.1)), lambda: APGD(fl.Linf(8)), lambda: APGD(fl.L2(128)),
    lambda: fl.PGD(fl.L2(0.5), step=1e30),
    lambda: fl.PGD(fl.Linf(0.1), step=8), lambda: fl.PGD(fl.L2(0.5), step=math.inf),
    lambda: fl.PGD(fl.L2(0.5), step=math.nan),
    lambda: APGD(fl.L2(math.inf)), lambda: fl.Selective(fl.Linf(8)),
    lambda: fl.PGD(fl.L2(1e300), random_start=True),
])  # fmt: skip
def test_radii_and_steps_beyond_the_box_are_refused(attack, data):
    with pytest.raises(ValueError, match=r"\[0, 1\]|finite"):
        attack()(linear(), data.images, data.labels)


def test_radii_up_to_the_boxs_size_are_taken(data):
    for attack in (
        fl.PGD(fl.Linf(1), steps=1),
        fl.PGD(fl.L2(8), steps=1),
        fl.PGD(fl.L2(math.inf), step=1.0, steps=1),
    ):
        attack(linear(), data.images, data.labels)
    with pytest.raises(ValueError, match="255"):
        fl.robust_usefulness(lambda x: x.flatten(1)[:, :1], fl.features.one_against_rest(data, 0), fl.L2(80))


def test_a_goal_of_nan_and_a_representation_of_nan_are_refused(data):
    x = torch.zeros(3, 1, 2, 2)
    with pytest.raises(ValueError, match="NaN or infinite on 3 of 3"):
        descend(lambda z: z.sqrt().sum((1, 2, 3)), x, ball=fl.L2(1.0), steps=2, step=0.1)
    broken = tiny()
    broken.mean.fill_(math.nan)
    for use in (
        lambda: fl.robustify(broken, data, fl.Inversion(steps=1)),
        lambda: spectrum(broken, data, (0.0, 0.5)),
    ):
        with pytest.raises(ValueError, match="NaN"):
            use()
    with pytest.raises(ValueError, match="255"):
        spectrum(tiny(), data, (0.0, 80.0))


def test_a_constructed_set_that_could_not_move_is_said(model, data):
    rounding = Around(model, **MASKS["rounds"])
    rounding.represent = lambda x: model.represent(x.round())
    with pytest.warns(UserWarning, match="gradient"):
        fl.mislabel(rounding, data, fl.next_labels, fl.PGD(fl.L2(0.5), steps=2, targeted=True))


def test_a_model_of_nan_weights_has_no_accuracy(data):
    broken = tiny()
    broken.head.weight.data[0, 0] = math.nan
    for use in (
        lambda: fl.accuracy(broken, data),
        lambda: fl.predict(broken, data.images),
        lambda: fl.accuracy(broken, data, ATTACK),
    ):
        with pytest.raises(ValueError, match="NaN or infinite for 40 of 40"):
            use()


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_a_training_that_diverges_on_its_last_step_raises(data, average):
    """One step: its loss is that of the first weights, and only the weights after it are no numbers."""
    with pytest.raises(FloatingPointError, match=r"diverged|learning rate"):
        fl.train(
            tiny(),
            data,
            epochs=1,
            batch=40,
            lr=1e38,
            schedule="constant",
            weight_decay=1e38,
            average=average,
            seed=0,
        )


def test_a_training_whose_attack_makes_nan_says_that_it_was_the_attack(data):
    calls = []

    def attack(model, x, y):
        calls.append(x)
        return x if len(calls) < 3 else x * math.nan

    with pytest.raises(FloatingPointError, match=r"attack.*made images of NaN"):
        fl.train(tiny(), data, epochs=1, batch=8, lr=1e-3, attack=attack, seed=0)


# the check of an attack itself


def test_doubt_has_nothing_against_an_attack_that_works(trained, clothes):
    report = doubt(trained, clothes[1], fl.PGD(fl.L2(0.5), steps=5), most=60, surrogate=trained)
    assert report.holds and len(report.checks) == 6 and report.n == 60
    assert fl.doubt is doubt and "No check fails" in repr(report)


@pytest.mark.parametrize("mask", ["rounds", "quantises", "saturates"])
def test_doubt_finds_a_gradient_that_is_masked(trained, clothes, mask):
    report = doubt(
        Around(trained, **MASKS[mask]), clothes[1], fl.PGD(fl.L2(1.0), steps=3), most=60, surrogate=trained
    )
    failed = {check.sentence.split(":")[0] for check in report.checks if not check.holds}
    assert {
        "gradient",
        "steps",
        "radius",
        "unbounded",
        "transfer",
    } <= failed and "not evidence" in report.verdict


def test_doubt_finds_too_few_steps(trained, clothes):
    """Steps far too short to reach the ball's surface: a longer attack finds far more."""
    report = doubt(trained, clothes[1], fl.PGD(fl.L2(1.0), steps=3, step=0.01), most=60)
    assert not report.holds


def test_doubt_refuses_what_it_cannot_vary(trained, clothes):
    for attack in (fl.PGD(fl.L2(0)), fl.PGD(fl.L2(0.5), steps=0), lambda m, x, y: x):
        with pytest.raises(TypeError, match="PGD"):
            doubt(trained, clothes[1], attack)
