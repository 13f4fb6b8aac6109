"""Images in their places, each encoded once, and the traces of figures by their names."""

from collections.abc import Sequence

import ipywidgets as w
import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType
from torch import Tensor

from featlab.inputs.markup import escaped
from featlab.plots import perturbation, png, strip


def pictures(names: Sequence[str], width: int) -> tuple[list[w.Image], list[w.VBox]]:
    """An image for each name, unsmoothed in a square of `width` pixels, and the boxes that hold an image and
    its name.
    """
    size = f"{width}px"
    images, boxes = [], []
    for name in names:
        image = w.Image(format="png", layout={"width": size, "height": size, "object_fit": "contain"})
        image.add_class("featlab-pixels")
        layout = {"margin": "0 10px 0 0", "flex": "0 0 auto", "overflow": "hidden"}
        images.append(image)
        boxes.append(w.VBox([w.HTML(f"<b>{escaped(name)}</b>"), image], layout=layout))
    return images, boxes


def strip_image(height: int, width: str | None = None) -> w.Image:
    """An image for a row of images, unsmoothed, `height` pixels high."""
    image = w.Image(format="png", layout={"height": f"{height}px", "width": width})
    image.add_class("featlab-pixels")
    return image


def show(places: Sequence[w.Image], images: Sequence[Tensor], zoom: int = 1) -> None:
    """Put each image (c, h, w), in [0, 1], into its place; `zoom` repeats each pixel."""
    for place, image in zip(places, images, strict=True):
        place.value = png(image, zoom)


def show_attack(
    places: Sequence[w.Image],
    x: Tensor,
    z: Tensor,
    *,
    gain: float = 5.0,
    zoom: int = 1,
) -> None:
    """Put an image x (c, h, w), what changed, `gain` times as large, and the changed image z into their
    places.
    """
    show(places, [x, perturbation(z - x, gain), z], zoom)


def show_strip(place: w.Image, images: Tensor, zoom: int = 3) -> int:
    """Put images (n, c, h, w) side by side into a place, which becomes as wide as they are: the pixels."""
    row = strip(images, zoom, gap=5)
    width = row.shape[2]
    place.value = png(row)
    place.layout.width = f"{width}px"
    return width


def trace(figure: go.Figure, name: str) -> BaseTraceType:
    """The trace of a figure that has this name."""
    [found] = [one for one in figure.data if one.name == name]
    return found
