"""Static holds nothing of its labels; a blend lies on the line to the other image, as far as was asked."""

import pytest
import torch
from small import linear, patches

import featlab as fl
from featlab.constructed import blended, static


def test_static_is_uniform_and_looks_like_the_data_it_is_made_like():
    like = patches(40)
    noise = static(5000, like=like)
    assert noise.images.shape == (5000, *like.images.shape[1:]) and noise.classes == like.classes
    assert noise.images.dtype == torch.uint8 and noise.pixels.mean() == pytest.approx(0.5, abs=0.002)
    assert noise.pixels.var() == pytest.approx(1 / 12, abs=0.001)
    assert torch.bincount(noise.labels, minlength=4).min() > 1100
    images = noise.pixels.flatten(1)
    means = torch.stack([images[noise.labels == c].mean(0) for c in range(4)])
    assert means.std(0).max() < 0.03  # no class differs from another


def test_the_seed_draws_static():
    like = patches(8)
    first, again, other = (static(10, like=like, seed=seed) for seed in (1, 1, 2))
    assert first.images.equal(again.images) and first.labels.equal(again.labels)
    assert not first.images.equal(other.images)


def test_static_can_be_pushed_and_keeps_within_the_radius():
    model, like = linear(), patches(40)
    attack = fl.PGD(fl.L2(2.0), steps=3, targeted=True)
    made = fl.mislabel(model, static(20, like=like), fl.random_labels, attack)
    assert made.report["length"].max() <= 2 + 1e-4 and made.report["reached"].float().mean() > 0.9


def test_a_blend_is_as_far_as_asked_on_the_way_to_the_other_image():
    data, other = patches(6), patches(6, seed=1).pixels
    whole = (other - data.pixels).flatten(1).norm(dim=1)
    asked = torch.tensor([0.0, 0.3, 0.5, 1.0, 1e9, 0.1])
    moved = (blended(data, other, asked).pixels - data.pixels).flatten(1)
    torch.testing.assert_close(moved.norm(dim=1), torch.minimum(asked, whole), rtol=1e-4, atol=1e-5)
    along = (other - data.pixels).flatten(1) / whole[:, None]
    torch.testing.assert_close((moved * along).sum(1), torch.minimum(asked, whole), rtol=1e-4, atol=1e-5)
    assert blended(data, other, asked).labels.equal(data.labels)


def test_what_is_no_control_is_refused():
    data = patches(6)
    with pytest.raises(ValueError, match="one image and one distance for each of 6"):
        blended(data, data.images[:5], torch.ones(6))
    with pytest.raises(ValueError, match="one image and one distance for each of 6"):
        blended(data, data.images, torch.ones(5))
    with pytest.raises(ValueError, match="n"):
        static(0, like=data)
