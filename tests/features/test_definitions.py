"""Usefulness and robust usefulness: the laws of section 2, closed forms, and what is no feature."""

import math

import pytest
import torch
from small import direction, grey, patches

import featlab as fl
from featlab import features as ft
from featlab.attacks import L2, Linf
from featlab.features.definitions import (
    check_moves,
    kind,
    one_against_rest,
    pair,
    robust_usefulness,
    standardise,
    usefulness,
)
from featlab.types import Dataset


def test_gamma_never_exceeds_rho_falls_with_the_radius_and_is_rho_without_one():
    data, model = patches(60, classes=2), fl.cnn(classes=2, size=8, width=2, features=5).eval()
    f = standardise(ft.Units(model), data)
    rho = usefulness(f, data).value
    gammas = [robust_usefulness(f, data, ball(eps)).value for ball in (L2, Linf) for eps in (0.0, 0.05, 0.2)]
    for at in (0, 3):
        torch.testing.assert_close(gammas[at], rho, rtol=0, atol=1e-5)
        assert bool(
            (gammas[at + 1] <= gammas[at] + 1e-6).all() and (gammas[at + 2] < gammas[at + 1] + 1e-3).all()
        )
    assert bool((gammas[2] < rho - 0.05).all())  # and it does fall


@pytest.mark.parametrize("scale, shift", [(7.0, -3.0), (0.01, 100.0)])
def test_shift_and_scale_change_nothing_and_a_sign_turns_rho(scale, shift):
    data, f = grey(), direction()
    g = lambda x: scale * f(x).double()[:, 0] + shift  # noqa: E731
    for ball in (L2(0.0), L2(0.1)):
        assert float(robust_usefulness(g, data, ball)) == pytest.approx(
            float(robust_usefulness(f, data, ball)), abs=1e-4
        )
    assert float(usefulness(lambda x: -f(x), data)) == pytest.approx(-float(usefulness(f, data)), abs=1e-6)


def test_labels_0_and_1_mean_the_same_as_minus_1_and_1():
    data, f = grey(), direction()
    other = Dataset(data.images, (data.labels + 1) // 2)
    assert float(robust_usefulness(f, other, L2(0.1))) == float(robust_usefulness(f, data, L2(0.1)))


def test_the_coordinates_of_two_gaussians_have_their_closed_forms():
    mu, sd, eps, n = torch.tensor([0.06, 0.02]), torch.tensor([0.03, 0.05]), 0.03, 20_000
    generator = torch.Generator().manual_seed(0)
    y = 2 * torch.randint(2, (n,), generator=generator) - 1
    x = 0.5 + y[:, None] * mu + sd * torch.randn(n, 2, generator=generator)
    data = Dataset(x.clamp(0, 1).view(n, 1, 1, 2), y)
    s = (sd**2 + mu**2).sqrt()
    rho, gamma = (
        usefulness(lambda x: x.flatten(1), data),
        robust_usefulness(lambda x: x.flatten(1), data[:5000], L2(eps)),
    )
    assert bool(((rho.value - mu / s).abs() < 4 * rho.error + 1e-3).all())
    assert bool(((gamma.value - (mu - eps) / s).abs() < 4 * gamma.error + 1e-3).all())
    assert bool((rho.error - (1 - (mu / s) ** 2).sqrt() / math.sqrt(n)).abs().max() < 1e-4)


def least_in_the_box(a: torch.Tensor, x: torch.Tensor, eps: float) -> torch.Tensor:
    """min of a . z over the box and the l2 ball around x, exactly: one multiplier an image,
    found by bisection.
    """
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

        g = standardise(f, data)
        ends = torch.where(data.labels > 0, least_in_the_box(a, x, eps), -least_in_the_box(-a, x, eps))
        exact = (data.labels * (squash(ends) - g.mean) / g.std).mean().item()
        found = float(robust_usefulness(g, data, L2(eps)))
        assert exact - 1e-6 <= found and abs(found - exact) < 0.02 * abs(float(usefulness(g, data)) - exact)


def test_k_features_at_once_are_each_alone():
    data = grey(40)
    both = ft.Linear(torch.cat([direction(seed=1).directions, direction(seed=2).directions]))
    torch.testing.assert_close(
        robust_usefulness(both, data, L2(0.1)).value,
        torch.cat([robust_usefulness(direction(seed=s), data, L2(0.1)).value for s in (1, 2)]),
        rtol=0,
        atol=1e-6,
    )
    with pytest.raises(TypeError, match="2 features"):
        float(usefulness(both, data))


def test_balanced_weights_make_the_share_of_a_class_irrelevant():
    data = grey(200)
    few = data[torch.cat([torch.arange(0, 200, 2), torch.arange(1, 40, 2)])]
    twice = few[torch.cat([torch.arange(120), torch.arange(100)])]  # the larger class once more
    f = direction()
    assert float(usefulness(f, twice, balanced=True)) == pytest.approx(
        float(usefulness(f, few, balanced=True)), abs=1e-6
    )
    assert float(usefulness(f, twice)) != pytest.approx(float(usefulness(f, few)), abs=1e-3)


def test_what_section_2_calls_them():
    assert [kind(*g) for g in ((0.5, 0.1), (0.5, 0.0), (0.5, -1), (0.0, -1), (-0.2, -0.3))] == [
        "robustly useful",
        "useful, non-robust",
        "useful, non-robust",
        "not useful",
        "not useful",
    ]


@pytest.mark.parametrize("balanced", [False, True])
def test_a_standardised_feature_has_mean_0_and_variance_1_and_keeps_its_scale_on_other_data(balanced):
    data = one_against_rest(patches(60), 2)
    f = standardise(direction(8), data, balanced=balanced)
    found = f(data.pixels)[:, 0]
    share = (data.labels == 1).float().mean() if balanced else torch.tensor(0.5)
    w = torch.where(data.labels == 1, 0.5 / share, 0.5 / (1 - share))
    assert (w * found).mean().item() == pytest.approx(0, abs=1e-5)
    assert (w * found**2).mean().item() == pytest.approx(1, rel=1e-5)
    torch.testing.assert_close(f(data.pixels[:7])[:, 0], found[:7])


def test_one_class_against_the_rest_and_a_pair_have_the_signs_of_their_classes():
    rest, two = one_against_rest(TEN, 2), pair(TEN, 3, 1)
    assert torch.equal(rest.labels == 1, TEN.labels == 2) and torch.equal(rest.images, TEN.images)
    chosen = TEN[(TEN.labels == 3) | (TEN.labels == 1)]
    assert torch.equal(two.labels, torch.where(chosen.labels == 3, 1, -1))
    assert torch.equal(two.images, chosen.images) and rest.classes == two.classes == ()


# errors at the door


TEN = patches(40, classes=4)
BAD = [
    (lambda x: torch.ones(len(x)), grey(), "same for all"),
    (lambda x: x.flatten(1).mean(1) / 0, grey(), "NaN or infinite"),
    (lambda x: x, grey(), "one number per image"),
    (lambda x: x.mean(), grey(), "one number per image"),
    (lambda x: x.flatten(1)[:3], grey(), "one number per image"),
    (direction(8), TEN, "one_against_rest"),
    (direction(), grey()[torch.arange(0, 20, 2)], "both are needed"),
]


@pytest.mark.parametrize("feature, data, says", BAD, ids=range(len(BAD)))
def test_what_is_no_feature_or_has_not_two_classes_is_refused(feature, data, says):
    with pytest.raises(ValueError, match=says):
        usefulness(feature, data)
    with pytest.raises(ValueError, match=says):
        robust_usefulness(feature, data, L2(0.1))


def test_a_feature_without_a_gradient_and_a_ball_without_a_limit_are_refused():
    with pytest.raises(ValueError, match="no gradient"):
        robust_usefulness(lambda x: x.detach().flatten(1).mean(1), grey(), L2(0.1))
    with pytest.raises(ValueError, match="feature 1 is 0 on every image"):
        robust_usefulness(
            lambda x: torch.stack([x.flatten(1).mean(1), x.round().flatten(1).mean(1)], 1), grey(), L2(0.1)
        )
    with pytest.raises(ValueError, match="finite eps"):
        robust_usefulness(direction(), grey(), L2(math.inf))
    with pytest.raises(ValueError, match="class 4 does not exist"):
        one_against_rest(TEN, 4)


BAD_FEATURES = [
    lambda x: x,
    lambda x: x.sum(),
    lambda x: None,
    lambda x: x[1:, 0, 0, 0],
    lambda x: x[:, 0, 0, 0] / 0,
    lambda: 1,
    "f",
]


@pytest.mark.parametrize("feature", BAD_FEATURES)
@pytest.mark.parametrize(
    "use", [usefulness, fl.standardise, lambda f, d: robust_usefulness(f, d, fl.L2(0.1))]
)
def test_what_is_no_feature_is_refused_in_a_sentence(use, feature):
    with pytest.raises((ValueError, TypeError), match="feature"):
        use(feature, one_against_rest(patches(8), 0))


def test_a_gradient_on_no_image_is_refused_and_one_on_few_is_said():
    check_moves(torch.tensor([1.0, 0.5]))
    with pytest.raises(ValueError, match="feature 1 is 0 on every image"):
        check_moves(torch.tensor([1.0, 0.0]))
    with pytest.warns(UserWarning, match="1 of 3 features, such as feature 2"):
        check_moves(torch.tensor([1.0, 0.5, 0.49]))
