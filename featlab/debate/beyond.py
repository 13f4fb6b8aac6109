"""Robust to what? (Gilmer and Hendrycks 2019): noise, blur, contrast and shift at matched severities;
images of high frequencies only.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from featlab.doors import dataset
from featlab.inputs.checks import between, known, positive, whole
from featlab.training import accuracy
from featlab.types import Dataset, Model


def noise(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    """Independent Gaussian noise of this standard deviation, in pixels of [0, 1], on each pixel:
    (n, c, h, w) -> (n, c, h, w)
    """
    return x + severity * torch.randn(x.shape, generator=generator).to(x.device)


def blur(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    """A Gaussian blur with this standard deviation, in places of the grid: (n, c, h, w) -> (n, c, h, w)"""
    k = torch.arange(-8.0, 9.0, device=x.device)
    kernel = torch.exp(-(k**2) / (2 * max(severity, 1e-6) ** 2))
    kernel = (kernel / kernel.sum()).expand(x.shape[1], 1, 1, -1)

    def blurred(x: Tensor) -> Tensor:
        along = F.conv2d(F.pad(x, (8, 8, 0, 0), "replicate"), kernel, groups=x.shape[1])
        return F.conv2d(F.pad(along, (0, 0, 8, 8), "replicate"), kernel.transpose(2, 3), groups=x.shape[1])

    # one channel is padded to many inside a convolution
    return torch.cat([blurred(part) for part in x.split(250)])


def contrast(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    """This share of the contrast taken away, towards each mean: (n, c, h, w) -> (n, c, h, w)"""
    return x + severity * (x.mean((1, 2, 3), keepdim=True) - x)


def shift(x: Tensor, severity: float, generator: torch.Generator) -> Tensor:
    """Moved by this many places in a direction drawn for each image; black comes in: (n, c, h, w) ->
    (n, c, h, w)
    """
    angle = 2 * torch.pi * torch.rand(len(x), generator=generator).to(x.device)
    # grid_sample's unit: half a side
    moved = severity * torch.stack([angle.cos() * 2 / x.shape[3], angle.sin() * 2 / x.shape[2]], 1)
    upright = torch.eye(2, device=x.device).expand(len(x), 2, 2)
    grid = F.affine_grid(torch.cat([upright, moved[:, :, None]], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


SHIFTS: dict[str, tuple[Callable, float]] = {
    "noise": (noise, 1.0),
    "blur": (blur, 4.0),
    "contrast": (contrast, 1.0),
    "shift": (shift, 10.0),
}


def corrupted(data: Dataset, name: str, severity: float, *, seed: int = 0) -> Dataset:
    """The same data under a shift of this severity
    (noise: standard deviation; blur, shift: pixels; contrast: share); 0 changes nothing.
    """
    change, _ = SHIFTS[known(name, SHIFTS, "shift")]
    generator = torch.Generator().manual_seed(whole(seed, "seed", least=None))
    images = change(dataset(data).pixels, between(severity, "severity", 0), generator)
    return replace(data, images=images.clamp(0, 1))


def matched(model: Model, data: Dataset, name: str, wanted: float, *, rounds: int = 10) -> float:
    """The severity of a shift at which a model's accuracy falls to `wanted`, by bisection:
    equally hard for this model.
    """
    low, (_, high) = 0.0, SHIFTS[known(name, SHIFTS, "shift")]
    wanted = between(wanted, "wanted, an accuracy,", 0, 1)
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if accuracy(model, corrupted(data, name, middle)) > wanted else (low, middle)
        )
    return (low + high) / 2


def high_pass(x: Tensor, cut: float) -> Tensor:
    """What is left of images without the frequencies below `cut` cycles an image,
    in any direction: (n, c, h, w) -> the same, mean 0.
    """
    cut = positive(cut, "cut, in cycles an image,")
    h, w = x.shape[-2:]
    rows, columns = torch.fft.fftfreq(h, device=x.device) * h, torch.fft.fftfreq(w, device=x.device) * w
    kept = (rows[:, None] ** 2 + columns[None] ** 2).sqrt() >= cut
    return torch.fft.ifft2(torch.fft.fft2(x) * kept).real


def high_passed(data: Dataset, cut: float) -> Dataset:
    """The data without its low frequencies, on mid-grey."""
    return replace(data, images=(0.5 + high_pass(dataset(data).pixels, cut)).clamp(0, 1))
