"""Transfer rates: conditioned, with their limits and symmetries; the selective attack."""

from dataclasses import replace

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab import transfer
from featlab.transfer import Selective, craft, matrix, stretched
from featlab.types import Dataset

PUSH = fl.PGD(fl.L2(1.0), steps=5)


def learned(seed: int, data: Dataset):
    return fl.train(tiny(seed=seed), data, seed=seed, epochs=4, batch=20, lr=0.05)


@pytest.fixture(scope="module")
def data():
    return patches(60)


@pytest.fixture(scope="module")
def pair(data):
    with fl.engine.precision("float32"):
        return learned(0, data), learned(1, data)


def test_to_the_source_itself_all_transfers_that_succeeds(pair, data):
    source, _ = pair
    right = fl.predict(source, data.images) == data.labels
    fooled = 1 - fl.accuracy(source, data[right], PUSH)
    rate = craft(source, data, PUSH).rate(source)
    assert 0 < rate == pytest.approx(fooled) and rate.n == int(right.sum())


def test_at_eps_0_nothing_transfers(pair, data):
    still = fl.PGD(fl.L2(0), steps=3)
    aims = fl.next_labels(data.labels, 4)
    for made in (craft(pair[0], data, still), craft(pair[0], data, replace(still, targeted=True), aims)):
        assert made.rate(pair[1]) == made.rate(pair[0]) == made.noise().rate(pair[1]) == 0


def test_only_images_that_both_get_right_are_counted(data):
    always = lambda c: lambda x: torch.eye(4)[c].expand(len(x), 4)  # noqa: E731
    blind = lambda model, x, y: x  # noqa: E731
    made = craft(always(1), data, blind)
    assert made.rate(always(1)).n == int((data.labels == 1).sum())
    with pytest.raises(ValueError, match="no image is right for both"):
        made.rate(always(2))


def test_the_rate_counts_by_hand(data):
    """A source that sees the brightest corner; the attack paints the next corner in every second image."""

    def corners(x):
        return torch.stack([x[:, 0, r : r + 4, c : c + 4].mean((1, 2)) for r in (0, 4) for c in (0, 4)], 1)

    def paint(model, x, y):
        z = x.clone()
        z[::2] = x[::2].roll(4, 3)
        return z

    assert craft(corners, data, paint).rate(corners) == 0.5
    across = data.labels ^ 1  # the corner that the picture was rolled to
    assert craft(corners, data, paint, across).rate(corners) == 0.5
    assert craft(corners, data, paint, (across + 2) % 4).rate(corners) == 0


def test_a_rate_is_printed_in_whole_percent_so_that_one_image_seldom_shows():
    assert {str(transfer.Rate(right, 1742)) for right in (1461, 1462, 1463)} == {"84 % (82 to 86, n = 1,742)"}
    assert f"{transfer.Rate(0, 268)}" == "0 % (0 to 1, n = 268)"


def relabelled(model, order: torch.Tensor):
    """The same opinion in new names: class c is now called order[c]."""
    return lambda x: model(x)[:, order.argsort()]


def test_names_of_the_classes_do_not_matter(pair, data):
    order = torch.tensor([2, 0, 3, 1])
    named = Dataset(data.images, order[data.labels])
    source, target = (relabelled(fl.engine.freezing.frozen(model), order) for model in pair)
    assert craft(source, named, PUSH).rate(target) == craft(pair[0], data, PUSH).rate(pair[1])
    aims, push = fl.next_labels(data.labels, 4), replace(PUSH, targeted=True)
    assert craft(source, named, push, order[aims]).rate(target) == craft(pair[0], data, push, aims).rate(
        pair[1]
    )


def test_a_matrix_holds_the_rates_of_its_pairs(pair, data):
    models = dict(zip("ab", pair, strict=True))
    found = matrix(models, models, data, PUSH)
    assert found["a"]["b"] == craft(pair[0], data, PUSH).rate(pair[1])
    assert found["b"]["b"] == craft(pair[1], data, PUSH).rate(pair[1])


def test_noise_is_as_long_as_the_attack_and_stays_in_the_box(pair, data):
    made = craft(pair[0], data, PUSH)
    noise, x = made.noise(), data.pixels
    torch.testing.assert_close(fl.L2.norm(noise.images - x), fl.L2.norm(made.images - x), atol=1e-4, rtol=0)
    assert noise.images.min() >= 0 and noise.images.max() <= 1
    assert torch.equal(noise.images, made.noise(0).images) and not torch.equal(
        noise.images, made.noise(1).images
    )


def test_stretching_makes_up_for_what_clamping_takes():
    x = torch.zeros(4, 1, 8, 8)  # half of every direction is clamped away
    lengths = torch.tensor([0.0, 0.1, 1.0, 3.0])
    moved = stretched(x, torch.randn(x.shape, generator=torch.Generator().manual_seed(0)), lengths)
    torch.testing.assert_close(fl.L2.norm(moved - x), lengths, atol=1e-4, rtol=0)


def test_the_pull_of_a_linear_logit_is_the_change_of_that_logit(data):
    """Raising the logit of t by 3 and leaving the others alone pulls by 3;
    noise that is not there pulls by 0.
    """
    aims = fl.next_labels(data.labels, 4)
    raised = torch.nn.functional.one_hot(aims, 4) * 3.0
    x = data.pixels

    def model(z):
        sure = torch.nn.functional.one_hot(data.labels, 4) * 9.0
        return sure + raised * (z - x).abs().amax((1, 2, 3))[:, None]

    made = transfer.Examples(data, x.clone(), torch.ones(len(data), dtype=bool), aims)
    assert made.pull(model) == pytest.approx(0)
    moved = x.clone()
    moved[:, 0, 0, 0] = x[:, 0, 0, 0] + torch.where(x[:, 0, 0, 0] < 0.5, 0.5, -0.5)
    assert replace(made, images=moved).pull(model) == pytest.approx(1.5, rel=1e-4)
    with pytest.raises(ValueError, match="craft them with targets"):
        replace(made, targets=None).pull(model)


def test_other_classes_shapes_and_aims_are_refused(pair, data):
    made = craft(pair[0], data, PUSH)
    with pytest.raises(ValueError, match="the source knows 4 classes, the target 7"):
        made.rate(tiny(classes=7))
    with pytest.raises(ValueError, match="the model takes images"):
        made.rate(tiny(channels=3))
    with pytest.raises(ValueError, match=r"targeted\) needs the classes to aim at"):
        craft(pair[0], data, replace(PUSH, targeted=True))
    with pytest.raises(ValueError, match="aims at no class"):
        craft(pair[0], data, PUSH, data.labels)
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.3"):
        craft(pair[0], data, replace(PUSH, targeted=True), data.labels + 1)


# the selective attack


@pytest.mark.parametrize("targeted", [False, True])
def test_sparing_nobody_is_pgd(pair, data, targeted):
    x, y = data.pixels, fl.next_labels(data.labels, 4)
    plain, selective = (kind(fl.L2(1.0), steps=4, targeted=targeted) for kind in (fl.PGD, Selective))
    assert torch.equal(plain(pair[0], x, y), selective(pair[0], x, y))
    weightless = replace(selective, spared=pair[1:], weight=0.0)
    torch.testing.assert_close(weightless(pair[0], x, y), plain(pair[0], x, y), atol=1e-5, rtol=0)


def test_the_spared_model_is_fooled_less_and_the_source_still_is(pair, data):
    source, target = pair
    aims = fl.next_labels(data.labels, 4)
    plain = craft(source, data, fl.PGD(fl.L2(3.0), steps=15, targeted=True), aims)
    selective = craft(source, data, Selective(fl.L2(3.0), steps=15, targeted=True, spared=(target,)), aims)
    assert plain.rate(target) > 0.3
    assert selective.rate(target) < plain.rate(target) / 2 and selective.rate(source) > 0.5


def test_a_model_that_is_spared_itself_keeps_its_opinion(pair, data):
    """Fooled and spared are one model, and sparing weighs most: its logits hardly move,
    where PGD turns them over.
    """
    x, aims = data.pixels, fl.next_labels(data.labels, 4)
    plain = Selective(fl.L2(0.5), steps=20, targeted=True)
    moved = [
        pair[0](attack(pair[0], x, aims)) - pair[0](x)
        for attack in (plain, replace(plain, spared=pair[:1], weight=100.0))
    ]
    assert moved[1].norm() < 0.2 * moved[0].norm()


def test_it_is_a_configuration_that_prints_and_knows_its_use(pair, data):
    attack = Selective(fl.L2(1.0), steps=2, targeted=True, spared=pair)
    assert repr(attack) == "Selective(PGD(L2(1), steps=2, targeted), sparing 2 models, weight=1)"
    with pytest.raises(ValueError, match="targeted"):
        fl.accuracy(pair[0], data, attack)
    with pytest.raises(ValueError, match="add targeted=True"):
        fl.mislabel(pair[0], data, fl.next_labels, Selective(fl.L2(1.0), spared=pair))
    with pytest.raises(ValueError, match="weight must be at least 0"):
        Selective(fl.L2(1.0), weight=-1.0)
    assert len(fl.mislabel(pair[0], data[:8], fl.next_labels, attack)) == 8
