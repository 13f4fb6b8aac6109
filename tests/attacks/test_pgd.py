"""PGD by its laws and limits: closed forms, batches, seeds, what it refuses and how it prints."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from small import linear, patches, same, snapshot, tiny

import featlab as fl
from featlab import doors
from featlab.attacks import L2, PGD, Linf, descend_outwards
from featlab.debate.stronger import APGD, Worst
from featlab.engine import chunks, devices, freezing

attacks = st.builds(
    PGD,
    st.floats(0, 2).map(L2) | st.floats(0, 1).map(Linf),
    steps=st.integers(0, 4),
    step=st.none() | st.floats(0.01, 2),
    targeted=st.booleans(),
    random_start=st.booleans(),
    best=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(attack=attacks, seed=st.integers(0, 1000))
def test_pgd_stays_in_the_box_exactly_and_in_the_ball(attack, seed):
    data, model = patches(6, seed=seed), tiny()
    torch.manual_seed(seed)
    x = torch.rand(6, 1, 8, 8).round(decimals=1)  # many pixels at 0 and 1
    z = attack(model, x, data.labels)
    assert z.shape == x.shape and z.dtype == torch.float32
    assert z.min() >= 0 and z.max() <= 1
    assert (attack.ball.norm((z - x).double()) <= attack.ball.eps * (1 + 1e-5) + 1e-6).all()


@pytest.mark.parametrize(
    "attack",
    [
        PGD(L2(0.0)),
        PGD(Linf(0.0), random_start=True),
        PGD(L2(1.0), steps=0),
        PGD(Linf(0.1), steps=0, best=True),
    ],
)
def test_no_radius_or_no_steps_changes_nothing(attack):
    data = patches(6)
    assert torch.equal(attack(tiny(), data.images, data.labels), data.pixels)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was_found(training):
    model, data = tiny().train(training), patches(6)
    model.head.weight.requires_grad_(False)
    model.body[0].weight.grad = torch.full_like(model.body[0].weight, 3.0)
    before, needs = snapshot(model), [p.requires_grad for p in model.parameters()]
    modes = [part.training for part in model.modules()]
    for use in (PGD(L2(1.0), steps=3), PGD(Linf(0.1), steps=3, random_start=True, best=True)):
        use(model, data.images, data.labels)
    fl.accuracy(model, data, attack=PGD(L2(1.0), steps=1)), fl.predict(model, data.images)
    assert same(before, snapshot(model))
    assert modes == [part.training for part in model.modules()]
    assert needs == [p.requires_grad for p in model.parameters()]
    assert (model.body[0].weight.grad == 3).all() and model.body[3].weight.grad is None


def test_the_images_are_left_as_they_were_and_carry_no_gradient():
    data = patches(6)
    x, before = data.pixels, data.pixels.clone()
    z = PGD(L2(1.0), steps=3)(tiny(), x, data.labels)
    assert torch.equal(x, before) and not x.requires_grad and not z.requires_grad


def test_attacks_work_where_gradients_are_off():
    model, data = tiny(), patches(6)
    expected = PGD(L2(1.0), steps=3)(model, data.images, data.labels)
    with torch.no_grad():
        assert torch.equal(PGD(L2(1.0), steps=3)(model, data.images, data.labels), expected)


@pytest.mark.parametrize(
    "attack",
    [PGD(L2(0.5), steps=4), PGD(Linf(0.05), steps=4), PGD(L2(0.5), steps=4, targeted=True, best=True)],
)
def test_a_batch_equals_one_by_one(attack):
    model, data = tiny(), patches(7)
    together = attack(model, data.images, data.labels)
    alone = torch.cat([attack(model, one.images, one.labels) for one in data])
    assert (
        (together - alone).abs() < 1e-3
    ).float().mean() > 0.999  # a sign may flip where a gradient is a rounding error


@pytest.mark.parametrize(
    "attack",
    [
        PGD(L2(0.5), steps=5),
        fl.Selective(Linf(0.1), steps=3),
        APGD(L2(0.5), steps=5),
        Worst((PGD(L2(0.5), steps=5),)),
    ],
)
def test_without_looks_an_attack_finds_the_same_and_a_training_looks_at_its_first_batch_only(
    attack, monkeypatch
):
    model, data = tiny(), patches(30)
    assert torch.equal(
        attack(model, data.pixels, data.labels), attack.unchecked(model, data.pixels, data.labels)
    )
    looks = []
    monkeypatch.setattr("featlab.attacks.pgd.enter", lambda *given: looks.append(1) or doors.enter(*given))
    fl.train(tiny(), data, attack=attack, epochs=2, batch=10, seed=0)
    assert len(looks) == 1


def test_an_attack_with_a_call_of_its_own_is_called_so_at_every_batch():
    calls = []

    class Counted(PGD):
        def __call__(self, model, x, y):
            calls.append(len(x))
            return super().__call__(model, x, y)

    class Passing:
        def __init__(self, attack):
            self.attack = attack

        def __getattr__(self, name):
            return getattr(self.attack, name)

        def __call__(self, model, x, y):
            return self.attack(model, x, y)

    for attack in (Counted(L2(0.5), steps=1), Passing(Counted(L2(0.5), steps=1))):
        calls.clear()
        fl.train(tiny(), patches(30), attack=attack, epochs=2, batch=10, seed=0)
        assert calls == [10] * 6


def test_more_images_than_a_chunk_keep_their_order():
    n = chunks.chunk("cpu") + 7
    model, data = tiny(), patches(n)
    z = PGD(L2(0.3), steps=2)(model, data.images, data.labels)
    assert len(z) == n
    tail = PGD(L2(0.3), steps=2)(model, data.images[-7:], data.labels[-7:])
    torch.testing.assert_close(z[-7:], tail, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind, eps", [(L2, 0.3), (Linf, 0.04)])
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("steps", [1, 7])
def test_on_a_linear_model_pgd_is_the_closed_form(kind, eps, targeted, steps):
    """Two classes, logits linear in x: the best perturbation is eps * steepest(+-(w_1 - w_0)),
    whatever x is.
    """
    torch.manual_seed(0)
    model, x, y = linear(classes=2), 0.5 + 0.1 * torch.rand(6, 1, 8, 8), torch.tensor([0, 1, 0, 1, 0, 1])
    w = (model.head.weight[1] - model.head.weight[0]).detach().view(1, 1, 8, 8)
    towards_one = (y == 1) == targeted
    gradient = torch.where(towards_one.view(-1, 1, 1, 1), w, -w)
    expected = x + eps * kind(eps).steepest(gradient)
    torch.testing.assert_close(
        PGD(kind(eps), steps=steps, targeted=targeted)(model, x, y), expected, atol=1e-5, rtol=0
    )


def loss(model, z, y):
    return F.cross_entropy(freezing.frozen(model)(z), y, reduction="none").detach()


@pytest.mark.parametrize("kind, eps", [(L2, 1.0), (Linf, 0.1)])
def test_more_radius_is_more_loss_and_best_is_never_worse_than_last(kind, eps, trained, clothes):
    x, y = clothes[1][:60].pixels, clothes[1][:60].labels
    last, best = (PGD(kind(eps), steps=5, step=eps, best=best)(trained, x, y) for best in (False, True))
    assert (loss(trained, best, y) >= loss(trained, last, y) - 1e-6).all()
    means = [
        loss(trained, PGD(kind(e), steps=5)(trained, x, y), y).mean() for e in (0, eps / 4, eps / 2, eps)
    ]
    assert means == sorted(means) and means[-1] > means[0] + 1


def test_a_targeted_attack_raises_the_probability_of_the_target_and_an_untargeted_lowers_that_of_the_label(
    trained, clothes
):
    x, y = clothes[1][:60].pixels, clothes[1][:60].labels
    p = lambda z, labels: freezing.frozen(trained)(z).softmax(1).gather(1, labels[:, None])[:, 0].detach()  # noqa: E731
    t = (y + 3) % 10
    assert (p(PGD(L2(1.0), targeted=True)(trained, x, t), t) > p(x, t)).float().mean() > 0.98
    assert (p(PGD(L2(1.0))(trained, x, y), y) < p(x, y)).float().mean() > 0.98


def test_a_random_start_is_seeded_by_torch_and_inside():
    model, data = tiny(), patches(6)
    attack = PGD(L2(0.5), steps=0, random_start=True)
    torch.manual_seed(1)
    a, b = (attack(model, data.images, data.labels) for _ in range(2))
    torch.manual_seed(1)
    assert torch.equal(attack(model, data.images, data.labels), a) and not torch.equal(a, b)
    length = (a - data.pixels).flatten(1).norm(dim=1)
    assert (length > 0).all() and (length <= 0.5 + 1e-6).all()


@pytest.mark.parametrize(
    "attack", [PGD(L2(0.75), steps=10), PGD(Linf(0.05), steps=10), PGD(L2(1.0), steps=10, targeted=True)]
)
def test_the_precision_of_the_processor_changes_neither_success_nor_length(attack, trained, clothes):
    x, y = clothes[1].pixels, clothes[1].labels
    found = {}
    for name in devices.PRECISIONS:
        with devices.precision(name):
            z = attack(trained, x, (y + 1) % 10 if attack.targeted else y)
        # judged by the reference
        found[name] = ((fl.predict(trained, z) == y).float().mean(), attack.ball.norm(z - x).mean())
    (right, length), (right_32, length_32) = found["auto"], found["float32"]
    assert abs(right - right_32) < 0.03
    assert abs(length / length_32 - 1) < 0.01


def test_an_attack_takes_any_function_for_a_model():
    x, y = torch.full((2, 1, 2, 2), 0.5), torch.tensor([0, 1])
    logits = lambda z: torch.stack([z[:, 0, 0, 0], z[:, 0, 1, 1]], 1)  # noqa: E731
    z = PGD(Linf(0.1), steps=1, step=0.1)(logits, x, y)
    expected = x.clone()
    expected[0, 0, 0, 0], expected[0, 0, 1, 1], expected[1, 0, 0, 0], expected[1, 0, 1, 1] = (
        0.4,
        0.6,
        0.6,
        0.4,
    )
    torch.testing.assert_close(z, expected)


@pytest.mark.parametrize("images, labels, error, says", [
    (torch.rand(2, 1, 8, 8) * 2, [0, 1], ValueError, r"\[0, 1\]"),
    (torch.full((2, 1, 8, 8), math.nan), [0, 1], ValueError, "finite"),
    (torch.rand(1, 8, 8), [0], ValueError, "shape"),
    (torch.rand(0, 1, 8, 8), [], ValueError, "no images"),
    (torch.ones(2, 1, 8, 8, dtype=torch.int32), [0, 1], TypeError, "uint8"),
    (torch.rand(2, 1, 8, 8), [0], ValueError, "one label per image"),
    (torch.rand(2, 1, 8, 8), [0, 4], ValueError, r"0\.\.3 for 4 classes"),
    (torch.rand(2, 1, 8, 8), [0, -1], ValueError, r"0\.\.3 for 4 classes"),
])  # fmt: skip
def test_attacks_refuse_bad_images_and_labels(images, labels, error, says):
    with pytest.raises(error, match=says):
        PGD(L2(1.0))(tiny(), images, torch.tensor(labels, dtype=torch.long))


def test_an_attack_prints_as_it_is_written():
    """The repr names a cache file and a plot: it must say everything, and no two attacks may share it."""
    assert repr(PGD(L2(1.25), steps=5)) == "PGD(L2(1.25), steps=5)"
    flags = {"targeted": True, "random_start": True, "best": True}
    many = [
        PGD(ball, steps, step)
        for ball in (L2(1), Linf(1), L2(0.999))
        for steps in (5, 6)
        for step in (None, 0.1, 0.11)
    ]
    many += [PGD(L2(1), **{flag: True}) for flag in flags]
    assert (
        repr(PGD(Linf(0.1), 7, 0.02, **flags))
        == "PGD(Linf(0.1), steps=7, step=0.02, targeted, random_start, best)"
    )
    assert len({repr(attack) for attack in many}) == len(many)


@pytest.mark.parametrize("one, other", [(0.1234567, 0.1234568), (1e-9, 1.0000001e-9)])
def test_close_numbers_print_differently(one, other):
    assert repr(PGD(L2(one), step=0.1)) != repr(PGD(L2(other), step=0.1))
    assert repr(PGD(L2(1), step=one)) != repr(PGD(L2(1), step=other))


def test_one_sweep_over_growing_balls_bounds_the_infimum_in_each():
    x = 0.5 + 0.2 * torch.rand(8, 1, 4, 4)
    a = torch.randn(16)
    found = list(descend_outwards(lambda z: z.flatten(1) @ a, x, [L2(0.05), L2(0.1), L2(0.2)]))
    for eps, least in zip((0, 0.05, 0.1, 0.2), found, strict=True):
        torch.testing.assert_close(least, x.flatten(1) @ a - eps * a.norm(), rtol=0, atol=1e-5)
    # only the negative entries can be used
    edge = list(descend_outwards(lambda z: z.flatten(1) @ a, torch.zeros_like(x), [L2(0.1)]))[1]
    torch.testing.assert_close(edge, (-0.1 * a.clamp_max(0).norm()).expand(8), rtol=0, atol=1e-5)
