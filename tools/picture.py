"""The README's picture: a boot, attacked with a growing radius, and what the network believes; python -m
tools.picture

Writes docs/flip.gif, which plays twice and rests on its last frame, and docs/flip.png, that frame, for
readers who asked for less motion.
"""

from PIL import Image, ImageDraw, ImageFont

from featlab import plots
from featlab.types import pixels
from tools import flip
from tools.notebook import ROOT

SIZE, SIDE, TOP = (900, 320), 196, 64
HOLD = {0: 900, len(flip.RADII) - 1: 2200}  # milliseconds that the first and last frame stay


def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def pasted(canvas: Image.Image, image, left: int, name: str) -> None:
    """An image, enlarged without smoothing, its name above."""
    array = pixels(image)[0].clamp(0, 1).mul(255).round().byte().numpy()
    canvas.paste(Image.fromarray(array).resize((SIDE, SIDE), Image.Resampling.NEAREST), (left, TOP))
    ImageDraw.Draw(canvas).text((left, TOP - 24), name, plots.INK, font(17))


def bars(draw: ImageDraw.ImageDraw, names: list[str], label: int, believes: list[float]) -> None:
    """What the network believes: the true class solid and blue, the others orange and hatched."""
    for i, (name, p) in enumerate(zip(names, believes, strict=True)):
        y, end = TOP + i * SIDE // 10, 750 + int(100 * p)
        draw.text((742, y), name, plots.INK, font(14), anchor="ra")
        draw.rectangle((750, y + 3, end, y + 14), plots.BLUE if i == label else plots.ORANGE)
        if i != label:
            for x in range(754, end, 8):
                draw.line((x, y + 14, min(x + 5, end), y + 3), "white", 2)
        draw.text((end + 6, y), f"{100 * p:.0f} %", plots.INK, font(14))


def drawn(frame: flip.Frame, first: flip.Frame, names: list[str], label: int) -> Image.Image:
    """One frame of the picture."""
    canvas = Image.new("RGB", SIZE, "white")
    for k, (image, name) in enumerate(
        (
            (first.image, "the image"),
            (frame.change, f"the change x {flip.GAIN:g}"),
            (frame.image, "the changed image"),
        )
    ):
        pasted(canvas, image, 10 + k * (SIDE + 12), name)
    draw = ImageDraw.Draw(canvas)
    draw.text(
        (10, 4), f"length of the change: {frame.eps:.1f}   (two boots lie about 9 apart)", plots.INK, font(19)
    )
    draw.text((650, TOP - 24), "the network believes", plots.INK, font(17))
    bars(draw, names, label, frame.believes)
    top = max(range(len(names)), key=frame.believes.__getitem__)
    verdict = "and is right" if top == label else f"and you still see an {names[label]}"
    draw.text((10, TOP + SIDE + 18), f"It says {names[top]}, {verdict}.", plots.INK, font(22))
    return canvas


def main() -> None:
    names, label, frames = flip.frames()
    pictures = [
        drawn(frame, frames[0], names, label).quantize(
            64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
        for frame in frames
    ]
    times = [HOLD.get(i, 220) for i in range(len(pictures))]
    pictures[0].save(
        ROOT / "docs" / "flip.gif",
        save_all=True,
        append_images=pictures[1:],
        duration=times,
        loop=1,
        optimize=True,
    )
    pictures[-1].save(ROOT / "docs" / "flip.png", optimize=True)


if __name__ == "__main__":
    main()
