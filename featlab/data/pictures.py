"""Files of pictures as bytes that look as the picture does: upright, on white, 8 bits deep.

    orientation           a camera's note (EXIF) is followed
    transparent parts     lie on white, so that a black drawing on no ground stays a drawing
    palette, CMYK         become colour (RGB); grey, and black and white, stay grey
    16 bits of grey       are scaled to 8 by the least of 8, 10, 12, 14 or 16 bits that holds every 16-bit
                          picture read together: a camera's 12 bits in 16 do not come out black
    floats                from 0 to 1; or from 0 to 255, if any picture read together has a larger one
    several frames        the first
    a size                the largest middle part of its shape is cut out and resized

Files that cannot be read are named, all of them in one error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featlab.inputs.checks import Size, sides

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

COMMON = {".png", ".gif", ".webp", ".bmp", ".dib", ".jp2", ".tga", ".tif", ".tiff"}
ENDINGS = COMMON | {".jpg", ".jpeg", ".jpe", ".jfif"} | {".ppm", ".pgm", ".pbm", ".pnm"}
PHOTOS = {".heic", ".heif", ".avif", ".raw", ".dng", ".cr2", ".nef", ".arw"}
# pictures that Pillow does not read
UNREAD = PHOTOS | {".svg", ".psd", ".npy", ".npz", ".mat", ".dcm", ".nii"}
_DEEP = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
DEPTHS = (8, 10, 12, 14, 16)
MANY_FILES = 100  # broken files that an error names


@dataclass(frozen=True)
class Picture:
    """What one file holds.

    array            (h, w) grey or (h, w, 3) colour: uint8, or float32 where the file is deeper than 8 bits
    least, greatest  of its values, before any resizing
    kind             "bytes", "integers" (up to 16 bits) or "floats"
    """

    array: np.ndarray
    least: float
    greatest: float
    kind: str


def read_all(paths: Sequence[Path], size: Size | None = None) -> tuple[list[np.ndarray], list[str]]:
    """Every file as uint8, (h, w) grey or (h, w, 3) colour; and what the reader should know about them."""
    pictures, faults = [], []
    for path in paths:
        try:
            picture = _read(path, size)
            _check_range(picture)
            pictures.append(picture)
        except MemoryError:
            raise
        except Exception as error:  # a damaged file can make Pillow's decoders raise anything
            faults.append((path, _reason(path, error)))
    if faults:
        raise ValueError(_complaint(faults))
    ceilings, remarks = _ceilings(pictures)
    return [_as_bytes(picture, ceilings[picture.kind]) for picture in pictures], remarks


def _read(path: Path, size: Size | None = None) -> Picture:
    """One file, upright and on white; cut and resized, if there is a size."""
    from PIL import Image, ImageOps

    if not path.is_file():  # a folder, a link to nothing, or a pipe, which would be waited for
        raise OSError("it is not a file, or a link to none")
    with Image.open(path) as opened:
        halved = ";16" in str(opened.tile) and opened.mode not in _DEEP
        opened.load()
        image = _upright(opened)
    kind = "bytes"
    if image.mode in _DEEP:
        kind = "floats" if image.mode == "F" else "integers"
        image = Image.fromarray(np.asarray(image).astype(np.float32))
    else:
        image = _on_white(image)
    values = np.asarray(image)
    if halved and 0 < values.max() < 16:
        raise ValueError("of its 16 bits of colour it uses the lowest, which Pillow drops: save it as 8 bits")
    fitted = np.asarray(ImageOps.fit(image, sides(size)[::-1])) if size else values
    return Picture(fitted, float(values.min()), float(values.max()), kind)


def _upright(image: "PILImage") -> "PILImage":
    """The image as it was held; as it is stored if the note about that is damaged, as of many cameras."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the pixels were read; what a broken note raises depends on where it is broken
        return image.copy()


def _on_white(image: "PILImage") -> "PILImage":
    """Grey (mode L) or colour (mode RGB) without transparency."""
    from PIL import Image

    mode = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.mode == "La":  # grey whose values were multiplied by their alpha
        image = image.convert("LA")
    if image.mode in ("LA", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(mode)


def _check_range(picture: Picture) -> None:
    """Refuse values that cannot be brought to 8 bits."""
    low, high = picture.least, picture.greatest
    top, allowed = (255, "0..1 or 0..255") if picture.kind == "floats" else (65535, "0..65535")
    if not 0 <= low <= high <= top:  # a NaN fails
        held = f"its {picture.kind} range over [{low:g}, {high:g}]"
        raise ValueError(f"{held} instead of {allowed}: save it as 8 bits")


def _ceilings(pictures: Iterable[Picture]) -> tuple[dict[str, int], list[str]]:
    """The value that becomes white, for each kind, and a remark where it was chosen by what is there."""
    integers = [p.greatest for p in pictures if p.kind == "integers"]
    floats = [p.greatest for p in pictures if p.kind == "floats"]
    depth = next(bits for bits in DEPTHS if max(integers, default=0) < 2**bits)
    remarks = []
    if integers and depth < 16:
        remarks.append(
            f"the {len(integers)} 16-bit images reach {max(integers):.0f} of 65535, "
            f"so they are read as {depth} bits: {2**depth - 1} is white"
        )
    brightest = 255 if max(floats, default=0) > 1 else 1
    return {"bytes": 255, "integers": 2**depth - 1, "floats": brightest}, remarks


def _as_bytes(picture: Picture, ceiling: int) -> np.ndarray:
    if picture.kind == "bytes":
        return picture.array
    return np.rint(picture.array * (255 / ceiling)).clip(0, 255).astype(np.uint8)


def _reason(path: Path, error: Exception) -> str:
    """What is wrong with a file, in one line."""
    from PIL import UnidentifiedImageError

    if not isinstance(error, UnidentifiedImageError):
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return " ".join(words.split())
    with path.open("rb") as file:
        head = file.read(64).lstrip()
    if not head:
        return "it is empty"
    if head.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS: run git lfs pull"
    return "it is text or a web page" if head.startswith(b"<") else "it holds no image, or a damaged one"


def _complaint(faults: Sequence[tuple[Path, str]]) -> str:
    """One error for all the files that cannot be read."""
    if len(faults) == 1:
        path, reason = faults[0]
        return f"{path} cannot be read as an image ({reason}): mend or remove it"
    listed = "".join(f"\n  {path} ({reason})" for path, reason in faults[:MANY_FILES])
    more = f"\n  and {len(faults) - MANY_FILES} more" if len(faults) > MANY_FILES else ""
    return f"{len(faults)} files cannot be read as images: mend or remove them{listed}{more}"
