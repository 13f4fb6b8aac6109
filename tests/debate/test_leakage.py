"""Linear models that prove their own robustness: no attack breaks a certificate, one just outside does."""

import pytest
import torch
from small import patches

import featlab as fl
from featlab.debate import leakage, stronger
from featlab.engine import devices


@pytest.fixture(scope="module")
def robust():
    """A linear classifier of small images in colour, whose channels have different scales, and the images."""
    data = patches(200, channels=3)
    data.images[:, 1] //= 3
    with devices.precision("float32"):
        return leakage.robust_linear(data, 0.3), data


def test_the_closed_form_is_the_worst_perturbation_in_its_ball(robust):
    model, data = robust
    x, y = data.pixels, data.labels
    for ball in (fl.L2(0.7), fl.Linf(0.05)):
        moved = leakage.WorstOfLinear(ball)(model, x, y)
        assert torch.allclose(ball.norm(moved - x), torch.full((len(x),), ball.eps), atol=1e-5)
        worst = stronger.margin(model(moved), y)
        pgd = fl.PGD(ball, steps=50)(model, x, y)
        assert (worst <= stronger.margin(model(pgd), y) + 1e-4).all()
        for _ in range(5):
            assert (
                worst <= stronger.margin(model(x + ball.project(10 * torch.randn_like(x))), y) + 1e-4
            ).all()


def test_no_attack_breaks_the_certificate_and_just_outside_the_prediction_changes(robust):
    model, data = robust
    x, said = data.pixels, fl.predict(model, data.images)
    radius = leakage.certified_radius(model, data.images)
    for eps in (0.2, 0.5, 1.0):
        inside = radius > eps
        assert 0 < leakage.certified_share(model, data.images, eps) == inside.float().mean()
        for attack in (fl.PGD(fl.L2(eps), steps=40), stronger.APGD(fl.L2(eps), steps=40, loss="margin")):
            assert torch.equal(fl.predict(model, attack(model, x, said))[inside], said[inside])
    for i in range(5):
        beyond_it = leakage.WorstOfLinear(fl.L2(1.001 * radius[i].item()))(
            model, x[i : i + 1], said[i : i + 1]
        )
        assert model(beyond_it).argmax() != said[i]


def test_training_against_the_worst_widens_the_certified_radius(robust):
    model, data = robust
    plain = leakage.robust_linear(data, 0)
    assert (
        leakage.certified_radius(model, data.images).mean()
        > 1.1 * leakage.certified_radius(plain, data.images).mean()
    )


def test_a_model_on_robust_features_sees_nothing_else(robust):
    model, data = robust
    w = leakage.pixel_weights(model, data.images.shape[1:])
    assert torch.allclose(
        data.pixels.flatten(1) @ w.T - (model(data.pixels)),
        (data.pixels.flatten(1) @ w.T - model(data.pixels))[:1],
        atol=1e-3,
    )
    reader = leakage.on_features(model, data)
    assert fl.accuracy(reader, data) > 0.9
    # directions that no output of the robust model sees
    unseen = torch.linalg.svd(w, full_matrices=True).Vh[len(w) :]
    moved = data.pixels + 0.5 * unseen[0].view_as(data.pixels[0])
    assert torch.allclose(reader(moved), reader(data.pixels), atol=1e-4)
