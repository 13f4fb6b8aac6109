"""Adversarial squares: the only useful feature is robust, and labels are as noisy as told."""

import pytest
import torch

from featlab.debate import bugs


def test_the_squares_class_is_visible_and_robust_and_the_noise_is_as_told():
    clean, noisy = bugs.squares(4000, seed=1), bugs.squares(4000, label_noise=0.2, seed=1)
    inside = clean.pixels[:, 0, 3:9, 3:9].mean((1, 2)) - 0.5
    assert torch.equal(inside > 0, clean.labels == 1)  # one feature knows the class...
    assert inside.abs().min() > 0.1  # ... and moving every pixel by 0.1 leaves it right
    assert abs((noisy.labels != clean.labels).float().mean() - 0.2) < 0.02 and torch.equal(
        noisy.images, clean.images
    )
    assert clean.images.min() >= 0 and clean.images.max() <= 1


def test_outside_the_square_a_pixel_tells_nothing_of_the_class():
    data = bugs.squares(4000, seed=1)
    light, dark = (data.pixels[data.labels == c].mean(0)[0] for c in (1, 0))
    gap = light - dark
    inside = torch.zeros(bugs.SIZE, bugs.SIZE, dtype=torch.bool)
    inside[3:9, 3:9] = True
    assert (gap[inside] - 2 * bugs.CONTRAST).abs().max() < 0.03 and gap[~inside].abs().max() < 0.03


@pytest.mark.parametrize("n, epochs", [(10, 40), (100, 4), (1000, 1)])
def test_a_network_is_trained_for_so_many_images_in_all_on_squares_of_another_seed(n, epochs, monkeypatch):
    """The same images are never trained on and tested on, although both are made of one seed."""
    trained = []
    monkeypatch.setattr(bugs, "train", lambda model, data, **told: trained.append((data, told)) or model)
    bugs.fitted(n, label_noise=0.3, passes=400, seed=5)
    data, told = trained[0]
    assert told["recipe"].epochs == epochs and told["seed"] == 5
    expected = bugs.squares(n, label_noise=0.3, seed=6)
    assert torch.equal(data.images, expected.images) and torch.equal(data.labels, expected.labels)
