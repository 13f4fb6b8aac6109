"""Usefulness and robust usefulness: the laws of section 2, closed forms, and networks taken apart into features."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import linear, patches, tiny
from torch import nn

import featlab as fl
from featlab import bounds, engine
from featlab import features as ft
from featlab.attacks import L2, Linf, sweep
from featlab.spectrum import Spectrum, measuring, spectrum
from featlab.types import Dataset


def grey(n: int = 200, size: int = 4, *, seed: int = 0) -> Dataset:
    """Two classes of images around mid-grey, so that small perturbations stay inside the box; labels -1 and +1."""
    generator = torch.Generator().manual_seed(seed)
    labels = 2 * (torch.arange(n) % 2) - 1
    images = 0.5 + 0.05 * torch.randn(n, 1, size, size, generator=generator).clamp(-3, 3)
    images[:, :, 0] += 0.06 * labels.view(-1, 1, 1)
    return Dataset(images, labels)


def direction(size: int = 4, *, seed: int = 1) -> ft.Linear:
    a = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))
    a[:, :, 0] += 1.5
    return ft.Linear(a)


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


def test_gamma_never_exceeds_rho_falls_with_the_radius_and_is_rho_without_one():
    data, model = patches(60, classes=2), fl.cnn(classes=2, size=8, width=2, features=5).eval()
    f = ft.standardise(ft.Units(model), data)
    rho = fl.usefulness(f, data).value
    gammas = [fl.robust_usefulness(f, data, ball(eps)).value for ball in (L2, Linf) for eps in (0.0, 0.05, 0.2)]
    for at in (0, 3):
        torch.testing.assert_close(gammas[at], rho, rtol=0, atol=1e-5)
        assert bool((gammas[at + 1] <= gammas[at] + 1e-6).all() and (gammas[at + 2] < gammas[at + 1] + 1e-3).all())
    assert bool((gammas[2] < rho - 0.05).all())  # and it does fall


@pytest.mark.parametrize("scale, shift", [(7.0, -3.0), (0.01, 100.0)])
def test_shift_and_scale_change_nothing_and_a_sign_turns_rho(scale, shift):
    data, f = grey(), direction()
    g = lambda x: scale * f(x).double()[:, 0] + shift  # noqa: E731
    for ball in (L2(0.0), L2(0.1)):
        assert float(fl.robust_usefulness(g, data, ball)) == pytest.approx(float(fl.robust_usefulness(f, data, ball)), abs=1e-4)
    assert float(fl.usefulness(lambda x: -f(x), data)) == pytest.approx(-float(fl.usefulness(f, data)), abs=1e-6)


def test_labels_0_and_1_mean_the_same_as_minus_1_and_1():
    data, f = grey(), direction()
    other = Dataset(data.images, (data.labels + 1) // 2)
    assert float(fl.robust_usefulness(f, other, L2(0.1))) == float(fl.robust_usefulness(f, data, L2(0.1)))


def test_the_coordinates_of_two_gaussians_have_their_closed_forms():
    mu, sd, eps, n = torch.tensor([0.06, 0.02]), torch.tensor([0.03, 0.05]), 0.03, 20_000
    generator = torch.Generator().manual_seed(0)
    y = 2 * torch.randint(2, (n,), generator=generator) - 1
    x = 0.5 + y[:, None] * mu + sd * torch.randn(n, 2, generator=generator)
    data = Dataset(x.clamp(0, 1).view(n, 1, 1, 2), y)
    s = (sd**2 + mu**2).sqrt()
    rho, gamma = fl.usefulness(lambda x: x.flatten(1), data), fl.robust_usefulness(lambda x: x.flatten(1), data, L2(eps))
    assert bool(((rho.value - mu / s).abs() < 4 * rho.error + 1e-3).all())
    assert bool(((gamma.value - (mu - eps) / s).abs() < 4 * gamma.error + 1e-3).all())
    assert bool((rho.error - (1 - (mu / s) ** 2).sqrt() / math.sqrt(n)).abs().max() < 1e-4)


def least_in_the_box(a: torch.Tensor, x: torch.Tensor, eps: float) -> torch.Tensor:
    """min of a . z over the box and the l2 ball around x, exactly: one multiplier an image, found by bisection."""
    low, high = torch.full((len(x),), 1e-9), torch.full((len(x),), 1e9)
    for _ in range(200):
        middle = (low * high).sqrt()
        delta = (x - a / middle[:, None]).clamp(0, 1) - x
        inside = delta.norm(dim=1) <= eps
        low, high = torch.where(inside, low, middle), torch.where(inside, middle, high)
    return (x + ((x - a / high[:, None]).clamp(0, 1) - x)) @ a


@pytest.mark.parametrize("eps", [0.2, 0.5])
def test_the_descent_finds_the_infimum_within_2_percent_also_at_the_edge_of_the_box(eps):
    data = Dataset(patches(60, classes=2).images, 2 * patches(60, classes=2).labels - 1)
    for squash in (lambda t: t, torch.tanh):  # linear, and one hidden unit
        torch.manual_seed(0)
        a, x = torch.randn(64) / 8, data.pixels.flatten(1).double()
        a = a.double()

        def f(z, squash=squash, a=a):
            return squash(z.flatten(1).double() @ a)

        g = ft.standardise(f, data)
        ends = torch.where(data.labels > 0, least_in_the_box(a, x, eps), -least_in_the_box(-a, x, eps))
        exact = (data.labels * (squash(ends) - g.mean) / g.std).mean().item()
        found = float(fl.robust_usefulness(g, data, L2(eps)))
        assert exact - 1e-6 <= found and abs(found - exact) < 0.02 * abs(float(fl.usefulness(g, data)) - exact)


def test_k_features_at_once_are_each_alone():
    data = grey(40)
    both = ft.Linear(torch.cat([direction(seed=1).directions, direction(seed=2).directions]))
    torch.testing.assert_close(
        fl.robust_usefulness(both, data, L2(0.1)).value,
        torch.cat([fl.robust_usefulness(direction(seed=s), data, L2(0.1)).value for s in (1, 2)]),
        rtol=0,
        atol=1e-6,
    )
    with pytest.raises(TypeError, match="2 features"):
        float(fl.usefulness(both, data))


def test_balanced_weights_make_the_share_of_a_class_irrelevant():
    data = grey(200)
    few = data[torch.cat([torch.arange(0, 200, 2), torch.arange(1, 40, 2)])]
    twice = few[torch.cat([torch.arange(120), torch.arange(100)])]  # the larger class once more
    f = direction()
    assert float(fl.usefulness(f, twice, balanced=True)) == pytest.approx(float(fl.usefulness(f, few, balanced=True)), abs=1e-6)
    assert float(fl.usefulness(f, twice)) != pytest.approx(float(fl.usefulness(f, few)), abs=1e-3)


def test_what_section_2_calls_them():
    assert [ft.kind(*g) for g in ((0.5, 0.1), (0.5, 0.0), (0.5, -1), (0.0, -1), (-0.2, -0.3))] == [
        "robustly useful",
        "useful, non-robust",
        "useful, non-robust",
        "not useful",
        "not useful",
    ]


# errors at the door

TEN = patches(40, classes=4)
BAD = [
    (lambda x: torch.ones(len(x)), grey(), "same for all"),
    (lambda x: x.flatten(1).mean(1) / 0, grey(), "NaN or infinite"),
    (lambda x: x, grey(), "one number an image"),
    (lambda x: x.mean(), grey(), "one number an image"),
    (lambda x: x.flatten(1)[:3], grey(), "one number an image"),
    (direction(8), TEN, "one_against_rest"),
    (direction(), grey()[torch.arange(0, 20, 2)], "both are needed"),
]


@pytest.mark.parametrize("feature, data, says", BAD, ids=range(len(BAD)))
def test_what_is_no_feature_or_has_not_two_classes_is_refused(feature, data, says):
    with pytest.raises(ValueError, match=says):
        fl.usefulness(feature, data)
    with pytest.raises(ValueError, match=says):
        fl.robust_usefulness(feature, data, L2(0.1))


def test_a_feature_without_a_gradient_and_a_ball_without_a_limit_are_refused():
    with pytest.raises(ValueError, match="no gradient"):
        fl.robust_usefulness(lambda x: x.detach().flatten(1).mean(1), grey(), L2(0.1))
    with pytest.raises(ValueError, match="feature 1 is 0 on every image"):
        fl.robust_usefulness(lambda x: torch.stack([x.flatten(1).mean(1), x.round().flatten(1).mean(1)], 1), grey(), L2(0.1))
    with pytest.raises(ValueError, match="finite eps"):
        fl.robust_usefulness(direction(), grey(), L2(math.inf))
    with pytest.raises(ValueError, match="class 4 does not exist"):
        ft.one_against_rest(TEN, 4)


# features of data and of networks


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


def test_a_network_is_its_features_and_weights():
    data = patches(50)
    with engine.precision("float32"):
        model = tiny()
        composed = ft.compose(model, data)
        logits = model(data.pixels)
        same = composed(data.pixels) - logits  # the same for all classes of an image
        torch.testing.assert_close(same, same[:, :1].expand_as(same), rtol=0, atol=1e-3)
        assert torch.equal(composed(data.pixels).argmax(1), logits.argmax(1))
    assert float(composed.w.mean(1).abs().max()) < 1e-6


# bounds from below


@pytest.mark.parametrize("ball", [L2(0.001), L2(0.03), Linf(0.0005), Linf(0.01)], ids=str)
def test_the_bracket_is_never_inverted(ball):
    data = ft.one_against_rest(patches(40), 1)
    with engine.precision("float32"):
        model = fl.cnn(classes=4, size=8, width=2, features=5).eval()
        lower = bounds.lower_bound(model, data, ball, balanced=True)
        upper = fl.robust_usefulness(ft.Units(model), data, ball, balanced=True)
        rho = fl.usefulness(ft.Units(model), data, balanced=True)
    assert bool((lower.value <= upper.value + 1e-5).all() and (upper.value <= rho.value + 1e-6).all())


def test_bounds_of_a_linear_network_are_exact():
    model, x = linear(classes=3, size=4), grey(6).images
    model.body = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    model.mean.fill_(0.4)
    model.std.fill_(0.25)
    a = model.body[1].weight.double() / 0.25
    with torch.no_grad():
        at = model.represent(x).double()
    low, high = bounds.intervals(model, x, Linf(0.02))
    torch.testing.assert_close(high - at, (0.02 * a.abs().sum(1)).expand_as(at), rtol=0, atol=1e-5)
    low, _ = bounds.intervals(model, x, L2(0.1))
    torch.testing.assert_close(at - low, (0.1 * a.norm(dim=1)).expand_as(at), rtol=0, atol=1e-5)
    torch.testing.assert_close(bounds.lipschitz(model, 4), a.norm(dim=1), rtol=1e-6, atol=0)


def test_no_pair_of_images_breaks_the_lipschitz_bound_and_the_interval_holds_what_is_found():
    with engine.precision("float32"):
        model = fl.cnn(classes=4, size=8, width=2, features=5).eval()
        x, step = patches(30).pixels, L2(0.05).sample(patches(30).pixels)
        with torch.no_grad():
            moved = (model.represent(x + step) - model.represent(x)).abs().double()
            inside = model.represent(x + step).double()
    assert bool((moved <= bounds.lipschitz(model, 8) * step.flatten(1).norm(dim=1)[:, None] + 1e-6).all())
    low, high = bounds.intervals(model, x, L2(0.05))
    assert bool((low <= inside + 1e-5).all() and (inside <= high + 1e-5).all())


def test_a_bound_that_says_nothing_is_called_vacuous_and_an_unknown_layer_is_refused():
    data, model = ft.one_against_rest(patches(40), 1), fl.cnn(classes=4, size=8, width=2, features=5).eval()
    f = ft.standardise(ft.Units(model), data, balanced=True)
    assert not bool(bounds.vacuous(bounds.lower_bound(model, data, L2(1e-4), balanced=True), f, data).any())
    assert bool(bounds.vacuous(bounds.lower_bound(model, data, L2(5.0), balanced=True), f, data).all())
    with pytest.raises(TypeError, match="plain sequence"):
        bounds.lipschitz(fl.resnet18(channels=1), 8)
    model.body.append(nn.Dropout())
    with pytest.raises(TypeError, match="Dropout"):
        bounds.lipschitz(model, 8)


# the spectrum


def test_one_sweep_over_growing_balls_bounds_the_infimum_in_each():
    x = 0.5 + 0.2 * torch.rand(8, 1, 4, 4)
    a = torch.randn(16)
    found = list(sweep(lambda z: z.flatten(1) @ a, x, [L2(0.05), L2(0.1), L2(0.2)]))
    for eps, least in zip((0, 0.05, 0.1, 0.2), found, strict=True):
        torch.testing.assert_close(least, x.flatten(1) @ a - eps * a.norm(), rtol=0, atol=1e-5)
    edge = list(sweep(lambda z: z.flatten(1) @ a, torch.zeros_like(x), [L2(0.1)]))[1]  # only the negative entries can be used
    torch.testing.assert_close(edge, (-0.1 * a.clamp_max(0).norm()).expand(8), rtol=0, atol=1e-5)


GRID = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2)


@pytest.fixture(scope="module")
def measured():
    with engine.precision("float32"):
        data, model = patches(80), fl.train(fl.cnn(classes=4, size=8, width=2, features=6), patches(80), epochs=3, seed=0)
        return model, data, spectrum(model, data, GRID)


def test_the_spectrum_is_rho_and_gamma_of_each_unit_for_each_class(measured):
    model, data, found = measured
    with engine.precision("float32"):
        for c in range(4):
            sign = torch.from_numpy(np.where(found.w[:, c] >= 0, 1.0, -1.0))
            task = ft.one_against_rest(data, c)

            def units(x, sign=sign):
                return sign.to(x.dtype) * ft.Units(model)(x)

            rho = fl.usefulness(units, task, balanced=True)
            np.testing.assert_allclose(found.rho[:, c], rho.value, atol=1e-4)
            np.testing.assert_allclose(found.error[0, :, c], rho.error, rtol=0.35)
            gamma = fl.robust_usefulness(units, task, L2(0.2), balanced=True, steps=30).value.numpy()
            assert np.abs(found.gamma[-1, :, c] - gamma).max() < 0.12 * np.abs(rho.value.numpy() - gamma).max()


def test_gamma_falls_along_the_radii_and_shares_make_a_whole(measured):
    *_, found = measured
    assert (np.diff(found.gamma, axis=0) <= 1e-9).all() and (found.gamma[2] < found.rho).any()
    for eps in (0.0, 0.07, 0.2):
        assert found.shares(eps).sum() == pytest.approx(1) and found.counts(eps).sum() == pytest.approx(1)
    assert found.shares(0.0)[1] == 0
    np.testing.assert_allclose(found.at(0.06), (found.gamma[1] + found.gamma[2]) / 2)
    np.testing.assert_array_equal(found.at(0.2), found.gamma[-1])
    with pytest.raises(ValueError, match=r"from 0 to 0\.2"):
        found.at(0.5)


def test_shares_weigh_and_counts_count():
    gamma = np.array([[[0.5, 0.4, -0.1, 0.3]], [[0.2, -0.1, -0.3, -0.2]]])
    found = Spectrum(np.array([0.0, 1.0]), gamma, gamma * 0, np.array([[4.0, -3.0, 2.0, 1.0]]))
    np.testing.assert_allclose(found.shares(1.0), [0.4, 0.4, 0.2])
    np.testing.assert_allclose(found.counts(1.0), [0.25, 0.5, 0.25])


def test_a_spectrum_goes_on_where_it_was_interrupted(measured):
    model, data, _ = measured
    work = replace(measuring(model, data, (0.0, 0.1)), size=30)
    whole = work.join(list(work.parts()))
    first = next(iter(work.parts()))
    rest = list(work.parts(len(first.images)))
    torch.testing.assert_close(work.join([first, *rest]).report["least"], whole.report["least"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("radii", [(0.1, 0.2), (0.0,), (0.0, 0.2, 0.1)])
def test_radii_must_grow_from_0(radii):
    with pytest.raises(ValueError, match="radii must increase"):
        spectrum(tiny(), patches(), radii)
    with pytest.raises(ValueError, match="every class"):
        spectrum(tiny(), patches(40)[torch.arange(0, 40, 2)], (0.0, 0.1))
