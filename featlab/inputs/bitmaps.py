"""Tensors as images: which axes, type and values they must have, and what to do when they have not."""

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from featlab.inputs import arrays

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
BYTE, WORD = 255, 65535  # white in 8 and in 16 bits


def channels_last(shape: Sequence[int]) -> bool:
    """Whether a shape (n, a, b, c) can only be meant as height, width, channels."""
    _, a, b, c = shape
    return c <= 4 and c < a and a != 3 and (a == b or min(a, b) > 4)


def check_shape(images: Tensor) -> None:
    """Refuse what is not (n, c, h, w), with the line that makes it so."""
    shape, wanted = tuple(images.shape), "images must have shape (n, channels, height, width)"
    if not images.numel():
        raise ValueError(f"there are no images: shape {shape}")
    if images.ndim != 4:
        raise ValueError(f"{wanted}, got {shape}: {_axes_for(shape)}")
    if channels_last(shape):
        way = "use images.permute(0, 3, 1, 2), or Dataset.from_arrays(images, labels)"
        raise ValueError(f"{wanted}, these seem to have the channels last, {shape}: {way}")


def _axes_for(shape: Sequence[int]) -> str:
    """What to say about images that have not four axes."""
    if len(shape) == 3:
        return "use images[None] for one image, images[:, None] for grey images without a channel axis"
    if len(shape) > 4:
        return f"use images.flatten(0, {len(shape) - 4}) if the first axes count images"
    for channels in (1, 3):
        side = round((shape[-1] / channels) ** 0.5) if shape else 0
        if side > 1 and channels * side**2 == shape[-1]:
            return f"use images.reshape(-1, {channels}, {side}, {side}) if a row is an image of {side}x{side}"
    return "use images.reshape(n, channels, height, width)"


def check_type(images: Tensor) -> None:
    """TypeError, with the way to convert them, for images (n, c, h, w) that are neither bytes nor floats."""
    if images.dtype == torch.uint8 or images.dtype in FLOATS:
        return
    way = "convert with .float()"
    if images.dtype == torch.bool:
        way = "convert with .float() for black and white"
    elif not images.is_floating_point():
        low, high = (bound.item() for bound in images.aminmax())
        way = f"they range over {low}..{high}; {_way_back(low, high)}"
        if 0 <= low <= high <= BYTE:
            way = "convert with .to(torch.uint8)" if high > 1 else "convert with .float() if 1 is white"
    raise TypeError(f"images must be uint8 (0 to 255) or float (0 to 1), got {images.dtype}: {way}")


def bounds(*tensors: Tensor) -> list[float]:
    """The least and the greatest value of each tensor, one after the other; read at once,
    for a GPU is waited for.
    """
    found = [bound for tensor in tensors for bound in tensor.detach().aminmax()]
    kind = torch.float32 if found[0].device.type == "mps" else torch.float64
    return torch.stack([bound.to(kind) for bound in found]).tolist()


def check_range(images: Tensor, low: float, high: float) -> Tensor:
    """Return images (n, c, h, w) of these bounds if they are bytes or lie in [0, 1], clamped where a rounding
    led beyond; else a ValueError says what to do.
    """
    if images.dtype == torch.uint8 or (low >= 0 and high <= 1):
        return images
    slack = max(1e-5, torch.finfo(images.dtype).eps)
    if low >= -slack and high <= 1 + slack:
        return images.clamp(0, 1)
    broken = int((~images.detach().isfinite()).sum())
    if broken:
        held = f"{broken} of {images.numel()} pixels are not finite (NaN or infinite)"
        raise ValueError(f"{held}: pixels lie in [0, 1], so look where these were made, for a division by 0")
    held = f"these range over [{low:.5g}, {high:.5g}]"
    raise ValueError(f"pixels must lie in [0, 1], {held}: {_way_back(low, high)}")


def _way_back(low: float, high: float) -> str:
    """How values of another range become pixels."""
    if low > -0.5 and high < 1.5:
        return "use images.clamp(0, 1) if a resize led beyond, images * std + mean if they are standardised"
    if low < 0:
        halves = ", or (images + 1) / 2 if they were scaled to -1..1" if low >= -1 and high <= 1 else ""
        return f"undo the standardisation with images * std + mean{halves} (the model standardises itself)"
    largest = "" if high in (BYTE, WORD) else f", images / {high:g} if that is the largest here"
    return f"divide by the value that is white, images / {BYTE} for 8 bits, images / {WORD} for 16{largest}"


def warn_of_night(images: Tensor) -> None:
    """Warn if no byte of the images (n, c, h, w) is greater than 1, which is nearly black: they were meant as
    black and white.
    """
    if images.dtype == torch.uint8 and images.max() == 1:
        words = "the images are uint8, whose white is 255, but reach only 1: use images * 255 if 1 is white"
        warnings.warn(words, stacklevel=4)


def images_of(images: object, n: int) -> Tensor:
    """n images as (n, c, h, w), uint8 or float, where it is unmistakable what they are:
    Dataset.from_arrays.
    """
    images = arrays.tensor_of(images, "images")
    if images.ndim == 3 and len(images) == n:
        images = images[:, None]
    elif images.ndim == 4 and len(images) != n == images.shape[3]:
        images = images.permute(3, 2, 0, 1)  # MATLAB's order
    elif images.ndim == 4 and channels_last(images.shape):
        images = images.permute(0, 3, 1, 2)
    if not images.numel() or (images.is_floating_point() and images.dtype not in FLOATS):
        return images
    return _bytes(images)


def _bytes(images: Tensor) -> Tensor:
    """uint8 instead of other integers, of booleans, and of floats that are whole numbers up to 255."""
    if images.dtype == torch.bool:
        return images.to(torch.uint8) * BYTE
    low, high = (bound.item() for bound in images.detach().aminmax())
    if not (low >= 0 and 1 < high <= BYTE):
        return images
    if not images.is_floating_point():
        return images.to(torch.uint8)
    whole = high > BYTE / 2 and bool((images == images.round()).all())
    return images.detach().to(torch.uint8) if whole else images
