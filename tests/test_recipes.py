"""Recipes: their schedules by formula, their augmentations against slow versions, their names."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import patches, tiny

from featlab import recipes
from featlab.recipes import Recipe, augmented
from featlab.training import train


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_schedules_at_their_corners():
    rate = Recipe(lr=0.4).rate
    assert [rate(d) for d in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.2, 0.4, 0.2, 0])
    rate = Recipe(lr=0.4, schedule="step").rate
    assert [rate(d) for d in (0, 0.33, 0.34, 0.66, 0.67, 0.999)] == pytest.approx(
        [0.4, 0.4, 0.04, 0.04, 0.004, 0.004]
    )
    assert {Recipe(lr=0.4, schedule="constant").rate(d) for d in (0, 0.5, 1)} == {0.4}


@given(st.floats(0, 1), st.sampled_from(["one-cycle", "step", "constant"]))
def test_no_schedule_leaves_zero_to_lr(done, schedule):
    assert 0 <= Recipe(lr=0.4, schedule=schedule).rate(done) <= 0.4


def crops(image: torch.Tensor, padding: int) -> list[torch.Tensor]:
    """Every crop and flip of one image, by hand."""
    c, h, w = image.shape
    padded = torch.zeros(c, h + 2 * padding, w + 2 * padding)
    padded[:, padding : padding + h, padding : padding + w] = image
    windows = [
        padded[:, i : i + h, j : j + w] for i, j in itertools.product(range(2 * padding + 1), repeat=2)
    ]
    return [version for window in windows for version in (window, window.flip(2))]


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_augmented_images_are_crops_and_flips_of_the_padded_image_all_equally_often(padding):
    image = torch.rand(2, 5, 4, generator=torch.Generator().manual_seed(0))
    n = 300 * len(crops(image, padding))
    out = augmented(image.expand(n, -1, -1, -1), padding, torch.Generator().manual_seed(1))
    counts = torch.tensor([(out == version).flatten(1).all(1).sum() for version in crops(image, padding)])
    assert counts.sum() == n  # each is one of them
    assert (counts > 200).all() and (counts < 400).all()


def test_augmentation_moves_each_image_by_itself_and_keeps_their_order():
    x = torch.rand(40, 1, 6, 6) + torch.arange(40).view(40, 1, 1, 1)
    out = augmented(x, 1, torch.Generator().manual_seed(0))
    assert torch.equal(out.amax((1, 2, 3)).floor(), torch.arange(40.0))
    assert len({tuple((image > 0).flatten().tolist()) for image in out}) > 4


def test_colours_change_as_torchvision_changes_them():
    from torchvision.transforms import functional as tv

    x = torch.rand(6, 3, 5, 4, generator=generator(0))
    factors = [1 + recipes.draws(6, 0.5, g, x.device).flatten() for g in [generator(1)] for _ in range(3)]
    got = recipes.coloured(x, 0.5, generator(1))
    for image, changed, b, c, s in zip(x, got, *factors, strict=True):
        expected = tv.adjust_saturation(tv.adjust_contrast(tv.adjust_brightness(image, b), c), s)
        torch.testing.assert_close(changed, expected, atol=2e-4, rtol=0)
    assert (recipes.coloured(x, 0.0, generator(1)) - x).abs().max() < 1e-6


def test_images_turn_about_their_centre(monkeypatch):
    x = torch.rand(3, 1, 6, 6, generator=generator(0))
    for degrees, turns in ((90.0, 1), (180.0, 2), (-90.0, 3), (0.0, 0)):
        monkeypatch.setattr(
            recipes, "draws", lambda n, amount, g, device, degrees=degrees: torch.full((n, 1, 1, 1), degrees)
        )
        assert torch.equal(recipes.turned(x, 2.0, generator(1)), torch.rot90(x, turns, (2, 3)))


def test_draws_are_uniform_and_symmetric():
    draws = recipes.draws(4000, 2.0, generator(0), torch.device("cpu"))
    assert draws.abs().max() <= 2 and abs(draws.mean()) < 0.08 and abs(draws.var() - 4 / 3) < 0.08


def test_a_recipe_is_named_by_all_that_it_changes():
    busy = Recipe(epochs=4, batch=15, lr=0.05, augment=1, average=0.9, colour=0.2, turn=20.0)
    assert "colour" not in repr(Recipe()) and "turn=2.0" in repr(Recipe(turn=2.0))
    assert eval(repr(busy)) == busy


BAD_RECIPES = [
    ({"schedule": "cosine"}, "unknown schedule 'cosine'.*one-cycle, step, constant"),
    ({"epochs": -1}, "epochs"), ({"batch": 0}, "batch"), ({"lr": 0}, "lr"), ({"lr": float("nan")}, "lr"),
    ({"momentum": -0.1}, "momentum"), ({"weight_decay": -1}, "weight_decay"), ({"augment": -1}, "augment"),
    ({"average": 1}, "average"),
]  # fmt: skip


@pytest.mark.parametrize("changes, says", BAD_RECIPES, ids=str)
def test_bad_recipes_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        train(tiny(), patches(4), **changes)
