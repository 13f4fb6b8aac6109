"""Other shifts: what each does to an image, and that severities can be matched."""

import math

import pytest
import torch

import featlab as fl
from featlab.debate import beyond


@pytest.mark.parametrize("name", beyond.SHIFTS)
def test_severity_0_changes_nothing_and_more_is_more(name):
    data = fl.load()[1][:50]
    assert torch.allclose(beyond.corrupted(data, name, 0.0).images, data.pixels, atol=1e-5)
    top = beyond.SHIFTS[name][1]
    moved = [
        fl.L2.norm(beyond.corrupted(data, name, s * top).images - data.pixels).mean() for s in (0.1, 0.3, 0.6)
    ]
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
    assert fl.accuracy(trained, beyond.corrupted(clothes[1], "noise", severity)) == pytest.approx(
        0.5, abs=0.03
    )


def test_a_high_pass_leaves_no_mean_keeps_what_it_passes_and_adds_to_the_rest():
    x = fl.load()[1][:20].pixels
    high = beyond.high_pass(x, 8)
    assert torch.allclose(beyond.high_pass(high, 8), high, atol=1e-5)  # idempotent
    assert high.mean((1, 2, 3)).abs().max() < 1e-6
    assert (high * (x - high)).sum((1, 2, 3)).abs().max() < 1e-2  # orthogonal to what it took away
    wave = torch.cos(2 * math.pi * 5 * torch.arange(28) / 28).expand(1, 1, 28, 28)
    assert (
        torch.allclose(beyond.high_pass(wave, 5), wave, atol=1e-5)
        and beyond.high_pass(wave, 5.1).abs().max() < 1e-5
    )
    with pytest.raises(ValueError, match="above 0"):
        beyond.high_pass(x, 0)


def test_contrast_shrinks_what_departs_from_an_images_own_mean():
    x, generator = fl.load()[1][:20].pixels, torch.Generator()
    mean = x.mean((1, 2, 3), keepdim=True)
    for severity in (0.0, 0.3, 1.0):
        changed = beyond.contrast(x, severity, generator)
        torch.testing.assert_close(changed - mean, (1 - severity) * (x - mean), atol=1e-6, rtol=0)
