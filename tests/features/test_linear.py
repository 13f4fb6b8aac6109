"""Features linear in the pixels: their closed form, their directions, and the shares of a mixture."""

import pytest
import torch
from small import direction, grey, patches

import featlab as fl
from featlab import features as ft
from featlab.attacks import L2, Linf

BALLS = [L2(0.05), L2(0.2), Linf(0.01), Linf(0.05)]


@pytest.mark.parametrize("ball", BALLS, ids=str)
def test_gamma_of_a_linear_feature_is_rho_minus_the_dual_norm(ball):
    data, f = grey(), direction()
    a, values = f.directions.flatten(), data.images.flatten(1) @ f.directions.flatten()
    dual = a.norm() if isinstance(ball, L2) else a.abs().sum()
    rho = ((values - values.mean()) / values.std(correction=0) * data.labels).mean()
    expected = (rho - ball.eps * dual / values.std(correction=0)).item()
    assert float(fl.robust_usefulness(f, data, ball)) == pytest.approx(expected, abs=1e-5)
    assert float(ft.closed_form(f, data, ball)) == pytest.approx(expected, abs=1e-5)
    assert float(fl.usefulness(f, data)) == pytest.approx(rho.item(), abs=1e-6)


@pytest.mark.parametrize("row, column", [(0, 0), (3, 1), (7, 7)])
def test_the_feature_of_a_pixel_is_that_pixel_of_the_first_channel(row, column):
    x = patches(6, channels=3).pixels
    assert torch.equal(ft.pixel(row, column, x)(x), x[:, :1, row, column])


def test_pixels_outside_and_images_of_another_size_are_refused():
    x = patches(6).pixels
    with pytest.raises(ValueError, match="row must"):
        ft.pixel(8, 0, x)
    with pytest.raises(ValueError, match=r"images \(1, 8, 8\), got \(200, 1, 4, 4\)"):
        ft.pixel(0, 0, x)(grey().images)


def test_principal_components_are_orthonormal_and_ordered_by_variance():
    data = patches(60)
    f = ft.principal_components(data, 5)
    a = f.directions.flatten(1)
    torch.testing.assert_close(a @ a.T, torch.eye(5), rtol=0, atol=1e-5)
    spread = f(data.pixels).var(0)
    assert bool((spread.diff() <= 1e-4).all()) and float(spread[0]) > data.pixels.flatten(1).var(0).max()


def test_a_mixture_has_the_shares_it_is_given():
    data = grey()
    both = ft.Linear(torch.cat([direction(seed=1).directions, 50 * direction(seed=2).directions]))
    z = ft.standardise(both, data)(data.images)
    f = ft.mixture(both, torch.tensor([0.25, 0.75]), data)(data.images)[:, 0]
    torch.testing.assert_close(f - f.mean(), 0.25 * z[:, 0] + 0.75 * z[:, 1], rtol=0, atol=1e-4)


def test_a_feature_that_is_not_linear_has_no_closed_form():
    for use in (lambda f: ft.closed_form(f, grey(), L2(0.1)), lambda f: ft.mixture(f, torch.ones(1), grey())):
        with pytest.raises(TypeError, match="directions are known"):
            use(lambda x: x.flatten(1).mean(1))
    with pytest.raises(ValueError, match=r"each of 1 features, got shape \(2,\)"):
        ft.mixture(direction(), torch.ones(2), grey())
