"""The debate's experiments: certificates that no attack breaks, controls that change what they say, closed forms against sampling."""

import json
import math
from pathlib import Path

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab import engine
from featlab.debate import beyond, bugs, ensembles, leakage, stronger, table, wrong_labels

ROOT = Path(__file__).parents[1]

# leakage


@pytest.fixture(scope="module")
def robust():
    """A linear classifier of small images in colour, whose channels have different scales, and the images."""
    data = patches(200, channels=3)
    data.images[:, 1] //= 3
    with engine.precision("float32"):
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
            assert (worst <= stronger.margin(model(x + ball.project(10 * torch.randn_like(x))), y) + 1e-4).all()


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
        beyond_it = leakage.WorstOfLinear(fl.L2(1.001 * radius[i].item()))(model, x[i : i + 1], said[i : i + 1])
        assert model(beyond_it).argmax() != said[i]


def test_training_against_the_worst_widens_the_certified_radius(robust):
    model, data = robust
    plain = leakage.robust_linear(data, 0)
    assert leakage.certified_radius(model, data.images).mean() > 1.1 * leakage.certified_radius(plain, data.images).mean()


def test_a_model_on_robust_features_sees_nothing_else(robust):
    model, data = robust
    w = leakage.weights(model, data.images.shape[1:])
    assert torch.allclose(
        data.pixels.flatten(1) @ w.T - (model(data.pixels)), (data.pixels.flatten(1) @ w.T - model(data.pixels))[:1], atol=1e-3
    )
    reader = leakage.on_features(model, data)
    assert fl.accuracy(reader, data) > 0.9
    unseen = torch.linalg.svd(w, full_matrices=True).Vh[len(w) :]  # directions that no output of the robust model sees
    moved = data.pixels + 0.5 * unseen[0].view_as(data.pixels[0])
    assert torch.allclose(reader(moved), reader(data.pixels), atol=1e-4)


# wrong labels


def test_the_errors_are_all_wrong_and_all_the_model_says():
    model, data = tiny(), patches(100)
    wrong = wrong_labels.errors_of(model, data)
    rest = fl.predict(model, data.images) != data.labels
    assert torch.equal(wrong.images, data.images[rest]) and torch.equal(wrong.labels, fl.predict(model, wrong.images))
    assert not (wrong.labels == data.labels[rest]).any()
    with pytest.raises(ValueError, match="no errors"):
        wrong_labels.errors_of(model, fl.Dataset(data.images, fl.predict(model, data.images)))


def test_only_some_classes_are_numbered_anew_in_the_order_given():
    data = patches(40)
    part = wrong_labels.only(data, (3, 1))
    assert part.classes == ("corner 3", "corner 1") and len(part) == 20
    assert torch.equal(part.images[part.labels == 0], data.images[data.labels == 3])
    assert torch.equal(part.images[part.labels == 1], data.images[data.labels == 1])
    teacher = tiny(classes=2)
    assert torch.equal(wrong_labels.labelled_by(teacher, data, part.classes).labels, fl.predict(teacher, data.images))


def test_the_controls_images_are_left_alone_or_changed_by_exactly_eps_in_their_classs_pattern():
    data = patches(60)
    targets, clean = (data.labels + 1) % 4, torch.arange(60) % 5 == 0
    made = wrong_labels.accidental_only(data, targets, clean, eps=0.6)
    change = made.images - data.pixels
    assert torch.equal(made.images[clean], data.pixels[clean]) and torch.equal(made.labels, targets)
    assert torch.allclose(fl.L2(0).norm(change)[~clean], torch.tensor(0.6), atol=1e-5)
    assert made.images.min() >= 0 and made.images.max() <= 1
    signs = wrong_labels.patterns(4, (1, 8, 8))[targets]
    assert (change * signs)[~clean].min() >= 0  # along the pattern or clipped, never against it
    with pytest.raises(ValueError, match="smaller eps"):
        wrong_labels.accidental_only(data, targets, clean, eps=100)


# bugs


def test_the_squares_class_is_visible_and_robust_and_the_noise_is_as_told():
    clean, noisy = bugs.squares(4000, seed=1), bugs.squares(4000, label_noise=0.2, seed=1)
    inside = clean.pixels[:, 0, 3:9, 3:9].mean((1, 2)) - 0.5
    assert torch.equal(inside > 0, clean.labels == 1)  # one feature knows the class...
    assert inside.abs().min() > 0.1  # ... and moving every pixel by 0.1 leaves it right
    assert abs((noisy.labels != clean.labels).float().mean() - 0.2) < 0.02 and torch.equal(noisy.images, clean.images)
    assert clean.images.min() >= 0 and clean.images.max() <= 1


# ensembles


def test_gamma_in_closed_form_is_the_worst_case_by_gradient_and_the_mean_by_sampling():
    train, _ = fl.load()
    pair = ensembles.Pair.of(train[:1000], (2, 4))
    for a in (pair.m, ensembles.singular(pair)[3], torch.randn(784, dtype=torch.float64)):
        f = pair.x @ a / (pair.x @ a).square().mean().sqrt()
        assert ensembles.usefulness(a, pair).item() == pytest.approx((pair.y * f).mean().item(), abs=1e-9)
        delta = -0.3 * pair.y[:, None] * a / a.norm()
        worst = (pair.y * ((pair.x + delta) @ a)).mean() / ensembles.deviation(a, pair)
        assert ensembles.usefulness(a, pair, 0.3).item() == pytest.approx(worst.item(), abs=1e-9)
        for _ in range(20):
            other = torch.nn.functional.normalize(torch.randn_like(pair.x), dim=1) * 0.3
            assert (pair.y * ((pair.x + other) @ a)).mean() / ensembles.deviation(a, pair) >= worst
        radius = ensembles.breaking_radius(a, pair).item()
        assert ensembles.usefulness(a, pair, radius).item() == pytest.approx(0, abs=1e-9)


def test_the_containment_goes_from_useless_to_robust_and_the_ensemble_has_no_robust_member():
    train, _ = fl.load()
    pair = ensembles.Pair.of(train[:2000], (2, 4))
    vectors = ensembles.singular(pair)
    empty = ensembles.useless(vectors, pair)
    assert abs(ensembles.usefulness(empty, pair)) < 1e-9
    rho = [ensembles.usefulness(ensembles.containment(pair.m, empty, pair, alpha), pair, 0.0).item() for alpha in (0, 0.5, 1)]
    gamma = [ensembles.usefulness(ensembles.containment(pair.m, empty, pair, alpha), pair, 0.5).item() for alpha in (0, 0.5, 1)]
    assert rho == sorted(rho) and rho[1] > 0.2 and gamma[1] < 0 < gamma[2]
    mixed = ensembles.ensemble(vectors, pair, 0.5)
    robust = vectors[ensembles.usefulness(vectors, pair, 0.5) > 0]
    assert len(robust) and (robust @ mixed).abs().max() < 1e-6
    assert ensembles.usefulness(mixed, pair) > ensembles.usefulness(vectors, pair)[ensembles.usefulness(vectors, pair, 0.5) <= 0].max()


def test_the_student_of_det_is_what_training_on_it_gives():
    train, _ = fl.load()
    pair = ensembles.Pair.of(train[:1500], (3, 1))
    a = ensembles.ensemble(ensembles.singular(pair), pair, 1.0)
    t = -pair.y
    made = pair.x + 1.5 * t[:, None] * a / a.norm()
    centred = made - t[:, None] * (t[:, None] * made).mean(0)
    within = centred.T @ centred / len(made) + ensembles.RIDGE * torch.eye(784, dtype=torch.float64)
    direct = torch.linalg.solve(within, (t[:, None] * made).mean(0))
    learned = ensembles.student_of_det(a, pair, 1.5)
    assert torch.nn.functional.cosine_similarity(direct, learned, dim=0) > 0.999


# beyond


@pytest.mark.parametrize("name", beyond.SHIFTS)
def test_severity_0_changes_nothing_and_more_is_more(name):
    data = fl.load()[1][:50]
    assert torch.allclose(beyond.corrupted(data, name, 0.0).images, data.pixels, atol=1e-5)
    top = beyond.SHIFTS[name][1]
    moved = [fl.L2(0).norm(beyond.corrupted(data, name, s * top).images - data.pixels).mean() for s in (0.1, 0.3, 0.6)]
    assert moved == sorted(moved) and moved[0] > 0


def test_a_shift_moves_by_the_pixels_told_and_a_blur_keeps_the_mean():
    dot = torch.zeros(200, 1, 28, 28)
    dot[:, :, 14, 14] = 1
    generator = torch.Generator().manual_seed(0)
    moved = beyond.shift(dot, 5.0, generator)[:, 0]
    rows = (moved.sum(2) * torch.arange(28.0)).sum(1) - 14
    columns = (moved.sum(1) * torch.arange(28.0)).sum(1) - 14
    assert torch.allclose((rows**2 + columns**2).sqrt(), torch.tensor(5.0), atol=0.05)
    assert rows.min() < -3 and rows.max() > 3 and columns.min() < -3 and columns.max() > 3
    spread = beyond.blur(dot, 1.5, generator)[0, 0]
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    assert (spread.sum(1) * (torch.arange(28.0) - 14) ** 2).sum() == pytest.approx(1.5**2, rel=0.02)


def test_matching_finds_the_severity_of_the_accuracy_asked_for(trained, clothes):
    severity = beyond.matched(trained, clothes[1], "noise", 0.5)
    assert fl.accuracy(trained, beyond.corrupted(clothes[1], "noise", severity)) == pytest.approx(0.5, abs=0.03)


def test_a_high_pass_leaves_no_mean_keeps_what_it_passes_and_adds_to_the_rest():
    x = fl.load()[1][:20].pixels
    high = beyond.high_pass(x, 8)
    assert torch.allclose(beyond.high_pass(high, 8), high, atol=1e-5)  # idempotent
    assert high.mean((1, 2, 3)).abs().max() < 1e-6
    assert (high * (x - high)).sum((1, 2, 3)).abs().max() < 1e-2  # orthogonal to what it took away
    wave = torch.cos(2 * math.pi * 5 * torch.arange(28) / 28).expand(1, 1, 28, 28)
    assert torch.allclose(beyond.high_pass(wave, 5), wave, atol=1e-5) and beyond.high_pass(wave, 5.1).abs().max() < 1e-5
    with pytest.raises(ValueError, match="above 0"):
        beyond.high_pass(x, 0)


# stronger


def test_the_checkpoints_are_those_of_the_published_code():
    assert stronger.checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_the_step_is_halved_where_it_did_not_help_and_only_there():
    z, ones = torch.zeros(3, 1, 1, 1), torch.ones(3)
    state, previous = stronger.Halving(z, ones, z, 2.0), ones
    for i in range(4):  # the first image improves, the second gets worse, the third swings
        loss = torch.tensor([0.9 - 0.1 * i, 1.1 + 0.1 * i, 0.8 + 0.4 * (i % 2)])
        state.note(z + i + 1, loss, z, previous)
        previous = loss
    assert state.decide(4).tolist() == [False, True, True] and state.step.tolist() == [2, 1, 1]
    assert state.best[0].flatten().tolist() == [4, 0, 1]
    state.fell += 4  # many steps improved on the last, yet nothing better was found: that, too, halves, but not twice in a row
    assert state.decide(8).tolist() == [True, False, False]


@pytest.mark.parametrize("ball", [fl.L2(0.75), fl.Linf(0.05)], ids=repr)
def test_apgd_is_at_least_as_strong_as_pgd_with_as_many_steps(trained, clothes, ball):
    part = clothes[1][:150]
    weaker = fl.accuracy(trained, part, fl.PGD(ball, steps=20))
    for loss, slack in {"cross-entropy": 0, "margin": 1, "ratio": 3}.items():  # images: the ratio needs more steps
        attack = stronger.APGD(ball, steps=20, loss=loss)
        assert fl.accuracy(trained, part, attack) <= weaker + (slack + 0.5) / len(part), loss
        moved = attack(trained, part.pixels, part.labels)
        assert ball.norm(moved - part.pixels).max() <= ball.eps + 1e-5 and moved.min() >= 0 and moved.max() <= 1
    x, y = part.pixels, part.labels
    left = lambda z: stronger.cross_entropy(trained(z), y).mean()  # noqa: E731
    with torch.no_grad():
        assert left(stronger.APGD(ball, steps=20)(trained, x, y)) < left(fl.PGD(ball, steps=20)(trained, x, y))


@pytest.mark.parametrize("ball", [fl.L2(0.75), fl.Linf(0.05)], ids=repr)
def test_apgd_keeps_a_point_that_succeeds_even_where_another_has_less_probability_of_the_truth(trained, clothes, ball, monkeypatch):
    monkeypatch.setattr(engine, "chunk", lambda kind: len(clothes[1]))
    x, y, ever = clothes[1].pixels, clothes[1].labels, []

    def watched(z):
        logits = trained(z)
        ever.append(logits.argmax(1) != y)
        return logits

    ends = trained(stronger.APGD(ball, steps=20)(watched, x, y)).argmax(1) != y
    assert len(ever) > 20 and (ends == torch.stack(ever).any(0)).all()


def test_the_losses_fall_below_0_where_the_model_is_wrong_and_the_ratio_has_no_scale():
    logits, y = torch.tensor([[3.0, 1, 0, -1], [1, 2, 0, -1]]), torch.tensor([0, 0])
    assert stronger.margin(logits, y).tolist() == [2, -1]
    assert torch.allclose(stronger.ratio(logits, y), torch.tensor([2 / 3, -1 / 2]))
    assert torch.allclose(stronger.ratio(100 * logits, y), stronger.ratio(logits, y))
    with pytest.raises(ValueError, match="unknown loss"):
        stronger.APGD(fl.L2(1), loss="dlr")


def test_the_published_implementation_agrees(trained, clothes):
    torchattacks = pytest.importorskip("torchattacks")
    part = clothes[1][:150]
    for name, loss in (("ce", "cross-entropy"), ("dlr", "ratio")):
        theirs = torchattacks.APGD(trained, norm="L2", eps=0.75, steps=30, n_restarts=1, loss=name)(part.pixels, part.labels)
        published = fl.accuracy(trained, fl.Dataset(theirs.clamp(0, 1), part.labels))
        assert abs(published - fl.accuracy(trained, part, stronger.APGD(fl.L2(0.75), steps=30, loss=loss))) <= 0.02


def test_the_worst_of_several_is_no_weaker_than_each_and_what_stands_is_counted(trained, clothes):
    part = clothes[1][:150]
    each = {f"{steps}": fl.PGD(fl.L2(0.6), steps=steps) for steps in (1, 5)} | {"apgd": stronger.APGD(fl.L2(0.6), steps=10)}
    stands = stronger.standing(trained, part, each)
    for name, attack in each.items():
        assert stands[name].float().mean().item() == pytest.approx(float(fl.accuracy(trained, part, attack)))
    together = fl.accuracy(trained, part, stronger.Worst(tuple(each.values())))
    assert together == pytest.approx(stands["the worst of all"].float().mean().item())
    assert together <= min(s.float().mean().item() for s in stands.values()) + 1e-6


# the stored results


def test_every_cell_of_the_table_is_computed_from_the_stored_studies():
    studies = fl.results.measured("fashion-mnist-laptop-debate")
    before = table.Table(studies)
    assert len(before.rows) == len(table.ROWS) and "<table" in before._repr_html_()
    changed = json.loads(json.dumps(studies))
    for study in changed:
        study["pieces"]["leakage"]["eps"]["1.5"]["D_det"]["right"]["value"] = 0.77
    assert "77 %" in table.Table(changed).rows[0][2] and "77 %" not in before.rows[0][2]
