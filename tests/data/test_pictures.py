"""Picture files come out as they look: upright, on white, 8 bits deep; and broken ones are named."""

import io
import random
import re
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from featlab.data import pictures

DRAW = np.random.default_rng(0)
GREY = DRAW.integers(0, 256, (6, 8), dtype=np.uint8)
COLOUR = DRAW.integers(0, 256, (6, 8, 3), dtype=np.uint8)


def kept(folder, image, name="x.png", **options):
    """A file of an image or an array."""
    path = folder / name
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


def seen(*paths, size=None) -> list[np.ndarray]:
    return pictures.read_all(paths, size)[0]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """A PNG as its standard says, for kinds that Pillow does not write."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# what passes unchanged


@pytest.mark.parametrize("ending", ["png", "PNG", "bmp", "tif", "TIFF", "ppm", "tga", "webp", "jp2"])
def test_formats_without_loss_are_read_exactly(ending, tmp_path):
    options = {"lossless": True} if ending == "webp" else {}
    path = kept(tmp_path, COLOUR, f"x.{ending}", **options)
    assert np.array_equal(seen(path)[0], COLOUR) and path.suffix.lower() in pictures.ENDINGS


def test_grey_stays_grey_and_a_palette_becomes_its_colours(tmp_path):
    grey, black = kept(tmp_path, GREY, "grey.png"), kept(tmp_path, GREY > 127, "black.png")
    palette = Image.fromarray(COLOUR).quantize(48)
    assert [image.ndim for image in seen(grey, black)] == [2, 2]
    assert np.array_equal(seen(black)[0], np.where(GREY > 127, 255, 0))
    assert np.array_equal(seen(kept(tmp_path, palette, "p.png"))[0], np.asarray(palette.convert("RGB")))


def test_ink_is_read_as_the_colour_it_makes(tmp_path):
    ink = Image.new("CMYK", (6, 6), (255, 0, 0, 0))  # cyan
    assert np.abs(seen(kept(tmp_path, ink, "x.tif"))[0].astype(int) - (0, 255, 255)).max() < 30


# transparency


def over_white(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = (alpha / 255)[..., None] if colour.ndim == 3 else alpha / 255
    return colour * share + 255 * (1 - share)


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
@pytest.mark.parametrize("ground", [GREY, COLOUR], ids=["grey", "colour"])
def test_what_is_transparent_lies_on_white(ground, ending, tmp_path):
    alpha = DRAW.integers(0, 256, ground.shape[:2], dtype=np.uint8)
    alpha[0], alpha[1] = 0, 255
    options = {"lossless": True, "exact": True} if ending == "webp" else {}
    image = seen(kept(tmp_path, np.dstack([ground, alpha]), f"x.{ending}", **options))[0]
    image = image[..., 0] if image.ndim > ground.ndim else image  # WebP has no grey
    assert image.shape == ground.shape
    assert np.abs(image - over_white(ground.astype(float), alpha)).max() <= 1
    assert (image[0] == 255).all() and np.array_equal(image[1], ground[1])


@pytest.mark.parametrize("mode, clear", [("P", 3), ("P", bytes([255, 0, 128])), ("L", 7), ("RGB", (1, 2, 3))])
def test_a_colour_that_is_declared_transparent_is_white(mode, clear, tmp_path):
    image = Image.new(mode, (4, 4), {"P": 1, "L": 9, "RGB": (9, 9, 9)}[mode])
    if mode == "P":
        image.putpalette(bytes([0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90]))
    image.putpixel((0, 0), {"P": 3 if clear == 3 else 1}.get(mode, clear))
    read = seen(kept(tmp_path, image, transparency=clear))[0]
    assert (read[0, 0] == 255).all()
    assert (read[1, 1] < 100).all() or isinstance(clear, bytes)


# depth


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_deep_grey_is_scaled_by_the_bits_that_it_uses(bits, ending, tmp_path):
    ramp = np.linspace(0, 2**bits - 1, 48).round().astype(np.uint16).reshape(6, 8)
    (image,), remarks = pictures.read_all([kept(tmp_path, ramp, f"x.{ending}")])
    assert np.abs(image - ramp / (2**bits - 1) * 255).max() <= 0.5
    assert bool(remarks) == (bits < 16) and all(f"{bits} bits" in remark for remark in remarks)


def test_deep_pictures_read_together_share_one_scale(tmp_path):
    dark, bright = (kept(tmp_path, np.full((4, 4), v, np.uint16), f"{v}.png") for v in (1000, 60000))
    assert [int(image[0, 0]) for image in seen(dark, bright)] == [round(1000 / 257), round(60000 / 257)]


@pytest.mark.parametrize("top", [1, 255])
def test_floats_count_to_1_or_to_255(top, tmp_path):
    values = np.linspace(0, top, 48, dtype=np.float32).reshape(6, 8)
    image = seen(kept(tmp_path, values, "x.tif"))[0]
    assert np.abs(image - values / top * 255).max() <= 0.51


@pytest.mark.parametrize("values", [[[0, np.nan]], [[-1.0, 0]], [[0, 256.0]], [[0, np.inf]]])
def test_floats_without_a_scale_are_refused_by_name(values, tmp_path):
    with pytest.raises(ValueError, match=r"x\.tif cannot be read.*floats range over"):
        seen(kept(tmp_path, np.array(values, dtype=np.float32), "x.tif"))


@pytest.mark.parametrize("value", [-5, 70000])
def test_integers_beyond_16_bits_are_refused_by_name(value, tmp_path):
    with pytest.raises(ValueError, match=r"x\.tif cannot be read.*integers range over"):
        seen(kept(tmp_path, np.full((4, 4), value, np.int32), "x.tif"))


def test_deep_colour_keeps_its_upper_bits_and_is_refused_where_only_the_lower_are_used(tmp_path):
    ramp = np.linspace(0, 65535, 48).astype(">u2").reshape(4, 12)  # 4 pixels of 3 colours a row
    paths = []
    for name, values in (("full.png", ramp), ("camera.png", ramp // 16)):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(
            png(4, 4, 16, 2, b"".join(b"\0" + row.astype(">u2").tobytes() for row in values))
        )
    assert np.abs(seen(paths[0])[0].reshape(4, 12) - ramp / 257).max() <= 1
    with pytest.raises(ValueError, match=r"camera\.png cannot be read.*16 bits of colour"):
        seen(paths[1])


# the way it was held


@pytest.mark.parametrize("ending", ["jpg", "tif", "png", "webp"])
@pytest.mark.parametrize("note", range(1, 9))
def test_pictures_are_upright(note, ending, tmp_path):
    """The eight notes of EXIF, each undone by hand: row 0 and column 0 lie where the standard says."""
    stored = np.zeros((8, 16, 3), np.uint8)
    stored[:4, :8] = 255
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[274] = note
    read = seen(kept(tmp_path, image, f"x.{ending}", exif=exif))[0][..., 0] > 127
    mirrored = np.fliplr(stored) if note in (2, 4, 5, 7) else stored
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}[note]
    assert np.array_equal(read, np.rot90(mirrored, turns)[..., 0] > 127)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_broken_note_costs_no_picture(tmp_path):
    path = kept(tmp_path, GREY, "x.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff", quality=100)
    assert seen(path)[0].shape == GREY.shape


def test_a_rectangle_is_cut_to_its_middle_square(tmp_path):
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 5:25] = 200
    image, deep = seen(
        kept(tmp_path, wide, "a.png"), kept(tmp_path, wide.astype(np.uint16) * 257, "b.png"), size=5
    )
    assert (image == 200).all() and (deep == 200).all() and image.shape == deep.shape == (5, 5)


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    for ending in ("gif", "tif"):
        path = kept(tmp_path, frames[0], f"x.{ending}", save_all=True, append_images=frames[1:])
        assert (seen(path)[0] == 10).all()


# what is broken

BROKEN = {
    "bomb.png": png(20000, 20000, 1, 0, bytes(10)),
    "number.ppm": b"P6\nabc def\n255\n",
    "cut.png": png(4, 4, 8, 0, b"\0\0"),
    "empty.jpg": b"",
    "page.jpg": b"<!DOCTYPE html>",
    "pointer.png": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "text.gif": b"no image",
    "lines.png": png(4, 4, 8, 0, bytes(20)).replace(b"\n", b"\r\n"),
}
SAYS = {"empty.jpg": "empty", "page.jpg": "web page", "pointer.png": "git lfs pull", "bomb.png": "bomb"}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_named_with_the_reason_in_one_line(name, tmp_path):
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(
        ValueError, match=rf"{name} cannot be read as an image \(.*{SAYS.get(name, '')}.*\): mend"
    ) as caught:
        seen(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_all_broken_files_are_named_at_once(tmp_path):
    paths = [tmp_path / name for name in BROKEN]
    for path in paths:
        path.write_bytes(BROKEN[path.name])
    links = tmp_path / "link.png", tmp_path / "folder.png"
    links[0].symlink_to("nowhere")
    links[1].mkdir()
    with pytest.raises(ValueError, match=f"{len(paths) + 2} files cannot be read as images") as caught:
        seen(kept(tmp_path, GREY, "good.png"), *paths, *links)
    named = re.findall(r"^  (\S+) \(", str(caught.value), re.MULTILINE)
    assert named == [str(path) for path in (*paths, *links)]


def test_of_very_many_broken_files_the_rest_is_counted(tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(pictures.MANY_FILES + 7)]
    for path in paths:
        path.touch()
    with pytest.raises(ValueError, match=rf"(?s){pictures.MANY_FILES + 7} files .*and 7 more$") as caught:
        pictures.read_all(paths)
    assert len(str(caught.value).splitlines()) == pictures.MANY_FILES + 2


def test_whatever_bytes_are_damaged_the_file_is_read_or_named(tmp_path):
    """Bits flipped, ends cut off, line ends changed, in every format:
    Pillow raises a dozen kinds of error.
    """
    chance, whole = random.Random(0), {}
    for ending in ("png", "jpg", "tif", "gif", "bmp", "webp", "ppm", "tga", "jp2"):
        buffer = io.BytesIO()
        Image.fromarray(COLOUR).save(buffer, Image.registered_extensions()[f".{ending}"])
        whole[ending] = buffer.getvalue()
    for trial in range(900):
        ending = chance.choice(list(whole))
        raw = bytearray(whole[ending])
        if trial % 3 == 0:
            raw = raw[: chance.randrange(len(raw))]
        elif trial % 3 == 1:
            raw[chance.randrange(min(60, len(raw)))] = chance.randrange(256)
        else:
            raw = raw.replace(b"\n", b"\r\n")
        path = tmp_path / f"{trial}.{ending}"
        path.write_bytes(bytes(raw))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Pillow thinks of it
                (image,) = seen(path, size=4)
        except ValueError as error:
            assert path.name in str(error) and "\n" not in str(error)
        else:
            assert image.dtype == np.uint8 and image.shape[:2] == (4, 4)
        path.unlink()
