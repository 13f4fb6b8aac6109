"""Balls by their definitions, the loop by problems with known answers, PGD by its laws and limits."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from small import linear, patches, same, snapshot, tiny

import featlab as fl
from featlab import engine
from featlab.attacks import L2, PGD, Linf, descend

BALLS = [L2, Linf]
SHAPE = (5, 2, 3, 3)
numbers = {"seed": st.integers(0, 10**6), "eps": st.just(0.0) | st.floats(1e-6, 3)}


def draw(seed: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def norms(ball, delta):
    flat = delta.flatten(1)
    return flat.pow(2).sum(1).sqrt() if isinstance(ball, L2) else flat.abs().max(1).values


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_the_norm_is_the_norm(kind, seed, eps):
    delta = draw(seed)
    torch.testing.assert_close(kind(eps).norm(delta), norms(kind(eps), delta))


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_projection_lands_in_the_ball_is_idempotent_and_leaves_the_inside(kind, seed, eps):
    ball, delta = kind(eps), draw(seed)
    p = ball.project(delta)
    assert (norms(ball, p) <= eps * (1 + 1e-9)).all()
    torch.testing.assert_close(ball.project(p), p)
    inside = norms(ball, delta) <= eps
    assert torch.equal(p[inside], delta[inside])


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_projection_is_the_nearest_point(kind, seed, eps):
    """p is nearest to delta in a convex set exactly if <delta - p, q - p> <= 0 for every q in the set."""
    ball, delta = kind(eps), draw(seed)
    p = ball.project(delta)
    torch.manual_seed(seed)
    for q in (ball.sample(delta), ball.project(draw(seed + 1, 10)), torch.zeros_like(delta)):
        assert (((delta - p) * (q - p)).flatten(1).sum(1) <= 1e-9).all()


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_the_steepest_direction_has_norm_one_and_the_greatest_inner_product(kind, seed, eps):
    ball, g = kind(1.0), draw(seed, 0.01)
    v = ball.steepest(g)
    torch.testing.assert_close(norms(ball, v), torch.ones(5, dtype=torch.float64))
    dual = g.flatten(1).norm(dim=1) if kind is L2 else g.flatten(1).abs().sum(1)  # the dual norm: what no direction can exceed
    torch.testing.assert_close((g * v).flatten(1).sum(1), dual)


@pytest.mark.parametrize("kind", BALLS)
def test_no_gradient_no_direction(kind):
    assert torch.equal(kind(1.0).steepest(torch.zeros(SHAPE)), torch.zeros(SHAPE))


@pytest.mark.parametrize("kind", BALLS)
def test_samples_are_uniform_in_the_ball(kind):
    torch.manual_seed(0)
    ball, like = kind(0.5), torch.empty(20000, 1, 1, 3)
    draws = ball.sample(like)
    assert norms(ball, draws).max() <= 0.5 * (1 + 1e-6)
    share = (norms(ball, draws) <= 0.25).float().mean()  # a ball of half the radius holds 1 / 2^d of the volume
    assert abs(share - 1 / 8) < 0.01
    assert draws.mean(0).abs().max() < 0.01


@pytest.mark.parametrize("eps", [-0.1, -math.inf, math.nan])
@pytest.mark.parametrize("kind", BALLS)
def test_a_negative_radius_is_refused(kind, eps):
    with pytest.raises(ValueError, match="eps must be at least 0"):
        kind(eps)


# the loop


def distance_to(a, z):
    return (z - a).flatten(1).norm(dim=1)


def test_descend_finds_the_nearest_point_of_the_ball():
    x, a = torch.full((3, 1, 4, 4), 0.5), torch.full((3, 1, 4, 4), 0.6)
    a[1, 0, 0, 0] = 0.9
    for ball in (L2(0.1), Linf(0.05)):
        z = descend(partial(distance_to, a), x, ball=ball, steps=200, step=0.02, decay=True)
        torch.testing.assert_close(z, x + ball.project(a - x), atol=2e-3, rtol=0)


def test_descend_without_radius_stops_at_the_box_only():
    x, a = torch.full((1, 1, 1, 3), 0.5), torch.tensor([[[[-0.4, 0.3, 1.7]]]])
    z = descend(partial(distance_to, a), x, ball=L2(math.inf), steps=300, step=0.1, decay=True)
    torch.testing.assert_close(z, a.clamp(0, 1), atol=1e-3, rtol=0)


@pytest.mark.parametrize("decay, path", [(False, 10), (True, 5.5)])
def test_steps_have_the_length_asked_for_and_decay_linearly(decay, path):
    x, direction = torch.full((2, 1, 3, 3), 0.5), torch.full((2, 1, 3, 3), -1.0)
    z = descend(lambda z: (z * direction).sum((1, 2, 3)), x, ball=L2(math.inf), steps=10, step=0.01, decay=decay)
    torch.testing.assert_close((z - x).flatten(1).norm(dim=1), torch.full((2,), 0.01 * path))


def test_each_image_follows_its_own_gradient():
    """A goal of one image a thousand times steeper than the others' changes nothing for them."""
    x, scale = torch.full((3, 1, 3, 3), 0.5), torch.tensor([1.0, 1000.0, 1e-6])
    a = torch.rand(3, 1, 3, 3)
    together = descend(lambda z: scale * distance_to(a, z), x, ball=L2(0.2), steps=5, step=0.05)
    alone = descend(partial(distance_to, a), x, ball=L2(0.2), steps=5, step=0.05)
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_best_keeps_the_least_loss_of_all_iterates():
    """A step that jumps over the minimum: the best iterate of z -> |z - a| is met on the way, for each image at another step."""
    x = torch.zeros(3, 1, 1, 1)
    a = torch.tensor([0.11, 0.29, 0.41]).view(3, 1, 1, 1)
    seen = []

    def goal(z):
        seen.append(z.detach().clone())
        return (z - a).abs().flatten(1).sum(1)

    z = descend(goal, x, ball=L2(math.inf), steps=6, step=0.1, best=True)
    losses = torch.stack([(s - a).abs().flatten(1).sum(1) for s in seen])
    assert len(seen) == 7  # the last iterate is judged too
    torch.testing.assert_close((z - a).abs().flatten(), losses.min(0).values)
    assert losses.argmin(0).unique().numel() > 1


GRADIENTLESS = {
    "detached": (lambda z: z.detach().flatten(1).sum(1), "no gradient.*detach"),
    "rounded to integers": (lambda z: z.round().long().flatten(1).sum(1), "no gradient"),
    "of something else": (lambda z: torch.ones(len(z), requires_grad=True) * 2, "does not depend on the pixels"),
    "one number for all": (lambda z: z.sum(), "one number an image"),
    "many numbers": (lambda z: z.flatten(1), "one number an image"),
}


@pytest.mark.parametrize("case", GRADIENTLESS)
def test_a_goal_without_gradient_is_refused(case):
    goal, says = GRADIENTLESS[case]
    with pytest.raises(ValueError, match=says):
        descend(goal, torch.rand(2, 1, 3, 3), ball=L2(1.0), steps=1, step=0.1)


def test_a_model_without_gradient_is_refused():
    x, y = torch.rand(4, 1, 8, 8), torch.zeros(4, dtype=torch.long)
    with pytest.raises(ValueError, match="gradient"):
        PGD(L2(1.0))(lambda x: torch.zeros(len(x), 4), x, y)


@pytest.mark.parametrize("steps, step, says", [(-1, 0.1, "steps"), (5, 0.0, "step"), (5, -0.1, "step"), (5, math.nan, "step")])
def test_bad_steps_are_refused_everywhere(steps, step, says):
    data = patches(4)
    with pytest.raises(ValueError, match=says):
        PGD(L2(1.0), steps=steps, step=step)
    with pytest.raises(ValueError, match=says):
        descend(lambda z: z.flatten(1).sum(1), data.pixels, ball=L2(1.0), steps=steps, step=step)
    with pytest.raises(ValueError, match=says):
        fl.robustify(tiny(), data, steps=steps, step=step)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="whole number"):
        PGD(L2(1.0), steps=2.5)
    with pytest.raises(TypeError, match=r"L2\(eps\) or Linf\(eps\)"):
        PGD(0.5)
    with pytest.raises(ValueError, match="without limit"):
        PGD(L2(math.inf))
    with pytest.raises(ValueError, match="without limit"):
        PGD(L2(math.inf), step=0.1, random_start=True)


# PGD

attacks = st.builds(
    PGD,
    st.sampled_from(BALLS).flatmap(lambda kind: st.floats(0, 2).map(kind)),
    steps=st.integers(0, 4),
    step=st.none() | st.floats(0.01, 3),
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
    assert (norms(attack.ball, (z - x).double()) <= attack.ball.eps * (1 + 1e-5) + 1e-6).all()


@pytest.mark.parametrize(
    "attack", [PGD(L2(0.0)), PGD(Linf(0.0), random_start=True), PGD(L2(1.0), steps=0), PGD(Linf(0.1), steps=0, best=True)]
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


@pytest.mark.parametrize("attack", [PGD(L2(0.5), steps=4), PGD(Linf(0.05), steps=4), PGD(L2(0.5), steps=4, targeted=True, best=True)])
def test_a_batch_equals_one_by_one(attack):
    model, data = tiny(), patches(7)
    together = attack(model, data.images, data.labels)
    alone = torch.cat([attack(model, one.images, one.labels) for one in data])
    assert ((together - alone).abs() < 1e-3).float().mean() > 0.999  # a sign may flip where a gradient is a rounding error


def test_more_images_than_a_chunk_keep_their_order():
    n = engine.chunk("cpu") + 7
    model, data = tiny(), patches(n)
    z = PGD(L2(0.3), steps=2)(model, data.images, data.labels)
    assert len(z) == n
    tail = PGD(L2(0.3), steps=2)(model, data.images[-7:], data.labels[-7:])
    torch.testing.assert_close(z[-7:], tail, atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind, eps", [(L2, 0.3), (Linf, 0.04)])
@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("steps", [1, 7])
def test_on_a_linear_model_pgd_is_the_closed_form(kind, eps, targeted, steps):
    """Two classes, logits linear in x: the best perturbation is eps * steepest(+-(w_1 - w_0)), whatever x is."""
    torch.manual_seed(0)
    model, x, y = linear(classes=2), 0.5 + 0.1 * torch.rand(6, 1, 8, 8), torch.tensor([0, 1, 0, 1, 0, 1])
    w = (model.head.weight[1] - model.head.weight[0]).detach().view(1, 1, 8, 8)
    towards_one = (y == 1) == targeted
    gradient = torch.where(towards_one.view(-1, 1, 1, 1), w, -w)
    expected = x + eps * kind(eps).steepest(gradient)
    torch.testing.assert_close(PGD(kind(eps), steps=steps, targeted=targeted)(model, x, y), expected, atol=1e-5, rtol=0)


def loss(model, z, y):
    return F.cross_entropy(engine.frozen(model)(z), y, reduction="none").detach()


@pytest.mark.parametrize("kind, eps", [(L2, 1.0), (Linf, 0.1)])
def test_more_radius_is_more_loss_and_best_is_never_worse_than_last(kind, eps, trained, clothes):
    x, y = clothes[1][:60].pixels, clothes[1][:60].labels
    last, best = (PGD(kind(eps), steps=5, step=eps, best=best)(trained, x, y) for best in (False, True))
    assert (loss(trained, best, y) >= loss(trained, last, y) - 1e-6).all()
    means = [loss(trained, PGD(kind(e), steps=5)(trained, x, y), y).mean() for e in (0, eps / 4, eps / 2, eps)]
    assert means == sorted(means) and means[-1] > means[0] + 1


def test_a_targeted_attack_raises_the_probability_of_the_target_and_an_untargeted_lowers_that_of_the_label(trained, clothes):
    x, y = clothes[1][:60].pixels, clothes[1][:60].labels
    p = lambda z, labels: engine.frozen(trained)(z).softmax(1).gather(1, labels[:, None])[:, 0].detach()  # noqa: E731
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


@pytest.mark.parametrize("attack", [PGD(L2(0.75), steps=10), PGD(Linf(0.05), steps=10), PGD(L2(1.0), steps=10, targeted=True)])
def test_the_precision_of_the_processor_changes_neither_success_nor_length(attack, trained, clothes):
    x, y = clothes[1].pixels, clothes[1].labels
    found = {}
    for name in engine.PRECISIONS:
        with engine.precision(name):
            z = attack(trained, x, (y + 1) % 10 if attack.targeted else y)
        found[name] = (fl.predict(trained, z) == y).float().mean(), attack.ball.norm(z - x).mean()  # judged by the reference
    (right, length), (right_32, length_32) = found["auto"], found["float32"]
    assert abs(right - right_32) < 0.03
    assert abs(length / length_32 - 1) < 0.01


def test_an_attack_takes_any_function_for_a_model():
    x, y = torch.full((2, 1, 2, 2), 0.5), torch.tensor([0, 1])
    logits = lambda z: torch.stack([z[:, 0, 0, 0], z[:, 0, 1, 1]], 1)  # noqa: E731
    z = PGD(Linf(0.1), steps=1, step=0.1)(logits, x, y)
    expected = x.clone()
    expected[0, 0, 0, 0], expected[0, 0, 1, 1], expected[1, 0, 0, 0], expected[1, 0, 1, 1] = 0.4, 0.6, 0.6, 0.4
    torch.testing.assert_close(z, expected)


@pytest.mark.parametrize("images, labels, error, says", [
    (torch.rand(2, 1, 8, 8) * 2, [0, 1], ValueError, r"\[0, 1\]"),
    (torch.full((2, 1, 8, 8), math.nan), [0, 1], ValueError, "finite"),
    (torch.rand(1, 8, 8), [0], ValueError, "shape"),
    (torch.rand(0, 1, 8, 8), [], ValueError, "no images"),
    (torch.ones(2, 1, 8, 8, dtype=torch.int32), [0, 1], TypeError, "uint8"),
    (torch.rand(2, 1, 8, 8), [0], ValueError, "one label an image"),
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
    many = [PGD(ball, steps, step) for ball in (L2(1), Linf(1), L2(0.999)) for steps in (5, 6) for step in (None, 0.1, 0.11)]
    many += [PGD(L2(1), **{flag: True}) for flag in flags]
    assert repr(PGD(Linf(0.1), 7, 0.02, **flags)) == "PGD(Linf(0.1), steps=7, step=0.02, targeted, random_start, best)"
    assert len({repr(attack) for attack in many}) == len(many)


@pytest.mark.parametrize("one, other", [(0.1234567, 0.1234568), (1e-9, 1.0000001e-9)])
def test_close_numbers_print_differently(one, other):
    assert repr(PGD(L2(one), step=0.1)) != repr(PGD(L2(other), step=0.1))
    assert repr(PGD(L2(1), step=one)) != repr(PGD(L2(1), step=other))
