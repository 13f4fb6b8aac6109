"""Inversion by its path; robustify by what it must keep and must change."""

import math

import pytest
import torch
from small import grey, linear, patches, tiny

import featlab as fl
from featlab.constructed import Inversion
from featlab.constructed.inversion import beginnings, check_representation

PRINTED = [
    "Inversion(steps=30, step=1.2)",
    "Inversion(steps=30, step=1.2, decay=False)",
    "Inversion(steps=1000, step=0.1, start='noise')",
    "Inversion(steps=30, step=1.2, decay=False, start='noise')",
    "Inversion(steps=0, step=0.123456789)",
]


@pytest.mark.parametrize("written", PRINTED)
def test_an_inversion_prints_as_it_is_written(written):
    assert repr(eval(written)) == written


@pytest.mark.parametrize("decay", [False, True])
def test_called_on_images_it_gives_the_last_of_its_path(decay):
    model, x, start, how = tiny(), patches(6).pixels, patches(6, seed=1).pixels, Inversion(7, 0.4, decay)
    way, distances = how.path(model, x, start)
    assert torch.equal(way[0], start) and torch.equal(way[-1], how(model, x, start))
    with torch.no_grad():
        target = model.represent(x)
        expected = [(model.represent(z) - target).norm(dim=1) / target.norm(dim=1) for z in way]
    torch.testing.assert_close(distances, torch.stack(expected), atol=1e-4, rtol=1e-4)
    assert way.min() >= 0 and way.max() <= 1 and distances.shape == (8, 6)


@pytest.mark.parametrize("decay, lengths", [
    (False, [0.04, 0.04, 0.04, 0.04]),
    (True, [0.04, 0.03, 0.02, 0.01]),
])  # fmt: skip
def test_its_steps_are_as_long_as_it_says_and_fall_to_nothing_if_they_decay(decay, lengths):
    x, start = grey(5).images, grey(5, seed=1).images
    way, _ = Inversion(4, 0.04, decay).path(linear(size=4), x, start)
    expected = torch.tensor(lengths)[:, None].expand(-1, 5)
    torch.testing.assert_close(way.diff(dim=0).flatten(2).norm(dim=2), expected, atol=1e-5, rtol=0)


def test_an_image_that_begins_where_it_should_end_stays_there():
    x = patches(6).pixels
    way, distances = Inversion(3).path(linear(), x, x)
    assert torch.equal(way, x.expand_as(way)) and not distances.any()


@pytest.mark.parametrize("start", ["images", "noise"])
def test_robustify_finds_what_the_inversion_finds_from_the_same_beginnings(start):
    data, model, how = patches(20), tiny(), Inversion(steps=4, start=start)
    found = how(model, data.images, beginnings(data, start, 5))
    assert torch.equal(fl.robustify(model, data, how, seed=5).images, found)


def test_images_that_do_not_fit_each_other_are_refused():
    x = patches(4).pixels
    for use in (Inversion(), Inversion().path):
        with pytest.raises(ValueError, match=r"one shape, got \(4, 1, 8, 8\) and \(3, 1, 8, 8\)"):
            use(tiny(), x, x[:3])


@pytest.mark.parametrize("g", [torch.ones(4), torch.ones(3, 5), torch.ones(4, 0), torch.ones(4, 2, 2), None])
def test_a_representation_is_one_row_of_numbers_per_image(g):
    assert check_representation(torch.ones(4, 5), 4).shape == (4, 5)
    with pytest.raises(ValueError, match=r"here \(4, d\)"):
        check_representation(g, 4)


# robustify


def test_the_path_of_an_inversion_refuses_a_representation_of_nan_as_its_end_does():
    broken = tiny()
    broken.represent = lambda x: x.flatten(1) * float("nan")
    for use in (Inversion(2), Inversion(2).path):
        with pytest.raises(ValueError, match="the representation is NaN"):
            use(broken, patches(4).pixels, patches(4, seed=1).pixels)


def test_robustify_carries_all_over_where_the_features_are_all_of_the_image():
    """The limit: g linear and invertible, so z with g(z) = g(x) is x itself.

    Labels are those of x, not of the image begun at.
    """
    data = patches(20)
    made = fl.robustify(linear(), data, fl.Inversion(steps=300, step=0.3))
    torch.testing.assert_close(made.images, data.pixels, atol=1e-3, rtol=0)
    assert torch.equal(made.labels, data.labels) and made.report["distance"].max() < 1e-3


def test_robustify_reports_what_it_achieved(trained, clothes):
    data = clothes[1][:30]
    before, after = (fl.robustify(trained, data, fl.Inversion(steps=steps), seed=3) for steps in (0, 120))
    with torch.no_grad():
        target = trained.represent(data.images)
        distance = (trained.represent(after.images) - target).norm(dim=1) / target.norm(dim=1)
    torch.testing.assert_close(after.report["distance"], distance, atol=1e-3, rtol=1e-2)
    torch.testing.assert_close(
        after.report["length"], (after.images - before.images).flatten(1).norm(dim=1), atol=1e-4, rtol=1e-4
    )
    # a local minimum for some: few features
    assert after.report["distance"].mean() < 0.5 * before.report["distance"].mean()
    agree = lambda made: (fl.predict(trained, made.images) == fl.predict(trained, data.images)).float().mean()  # noqa: E731
    assert agree(after) > agree(before) + 0.2  # features carried over carry the prediction with them


def test_robustify_stays_in_the_box_and_keeps_labels_classes_and_order():
    data = patches(30)
    made = fl.robustify(tiny(), data, fl.Inversion(steps=5, step=3.0))
    assert made.images.min() >= 0 and made.images.max() <= 1
    assert torch.equal(made.labels, data.labels) and made.classes == data.classes and len(made) == 30


def test_robustify_begins_at_images_of_the_data_drawn_independently_of_the_label():
    data = patches(400)
    start = fl.robustify(tiny(), data, fl.Inversion(steps=0))
    where = (start.images[:, None] == data.pixels[None]).flatten(2).all(2)  # (start, image)
    assert where.any(1).all()
    drawn = where.int().argmax(1)
    assert abs((data.labels[drawn] == data.labels).float().mean() - 1 / 4) < 0.08
    assert drawn.unique().numel() == pytest.approx(400 * (1 - 1 / math.e), rel=0.1)  # with replacement
    assert (start.report["length"] == 0).all()


def test_robustify_begins_at_uniform_noise_if_asked():
    start = fl.robustify(tiny(), patches(100), fl.Inversion(steps=0, start="noise")).images
    assert start.min() >= 0 and start.max() < 1
    assert abs(start.mean() - 0.5) < 0.02 and abs(start.var() - 1 / 12) < 0.005
    assert (start[0] != start[1]).all()


@pytest.mark.parametrize("start", ["images", "noise"])
def test_robustify_follows_its_seed_and_nothing_else(start):
    data, made = patches(20), []
    for other, seed in ((1, 0), (2, 0), (3, 1)):
        torch.manual_seed(other)
        made.append(fl.robustify(tiny(), data, fl.Inversion(steps=3, start=start), seed=seed).images)
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_keywords_change_the_fields_of_the_inversion():
    data = patches(10)
    short = fl.robustify(tiny(), data, steps=3, step=0.5, decay=False).images
    assert torch.equal(short, fl.robustify(tiny(), data, Inversion(3, 0.5, decay=False)).images)
    assert torch.equal(short, fl.robustify(tiny(), data, Inversion(3, 0.1, decay=False), step=0.5).images)
    with pytest.raises(
        ValueError, match=r"field of Inversion 'epochs': choose one of steps, step, decay, start"
    ):
        fl.robustify(tiny(), data, epochs=3)


def test_robustify_refuses_what_it_cannot_do():
    data = patches(4)
    with pytest.raises(ValueError, match=r"unknown start 'zeros'.*images, noise"):
        fl.robustify(tiny(), data, fl.Inversion(start="zeros"))
    with pytest.raises(TypeError, match="represent"):
        fl.robustify(lambda x: x, data)

    class Deaf(torch.nn.Module):
        def represent(self, x):
            return x.flatten(1).detach().round()

    with pytest.raises(ValueError, match="no gradient"):
        fl.robustify(Deaf(), data)
