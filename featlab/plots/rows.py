"""Images in rows -> plotly figures."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from torch import Tensor

from featlab.inputs.markup import escaped, written
from featlab.plots.images import image_trace, strip
from featlab.plots.sliders import frame, slide, step
from featlab.plots.style import BESIDE, HIDDEN, NOTE, WIDTH

ROOM = WIDTH - 190  # pixels for the images, beside the names of the rows
Rows = Mapping[str, Tensor]  # name -> images (m, c, h, w)
Captions = Mapping[str, Sequence[str]]  # name -> m words, one under each image


def name_row(figure: go.Figure, name: str, top: float) -> None:
    """The name of a row beside it."""
    figure.add_annotation(text=written(name), y=top + 0.5, **BESIDE)


def caption(figure: go.Figure, x: float, y: float, word: str) -> None:
    """A word under an image, centred at x."""
    figure.add_annotation(x=x, y=y, text=escaped(word), **NOTE)


def samples(rows: Rows, captions: Captions | None = None, *, title: str = "") -> go.Figure:
    """Rows of images, one name a row, like the paper's Figure 2a.

    rows      name -> images (m, c, h, w)
    captions  name -> m words, one under each image (labels, say)
    """
    captions = captions or {}
    figure, pitch = go.Figure(), 1.34 if captions else 1.08
    for r, (name, images) in enumerate(rows.items()):
        name_row(figure, name, pitch * r)
        for i, image in enumerate(images):
            figure.add_trace(image_trace(image, 1.06 * i, pitch * r, name=written(name)))
        for i, word in enumerate(captions.get(name, ())):
            caption(figure, 1.06 * i + 0.5, pitch * r + 1.14, word)
    across, down = 1.06 * max(len(images) for images in rows.values()), pitch * len(rows)
    figure.update_xaxes(range=[-0.05, across], constrain="domain", **HIDDEN)
    figure.update_yaxes(range=[down, -0.08], scaleanchor="x", **HIDDEN)
    top = 50 if title else 10
    return figure.update_layout(
        template="featlab",
        title=written(title),
        height=int(ROOM / across * down) + top + 10,
        margin={"l": 170, "r": 20, "t": top, "b": 5},
    )


# each row as one picture: a file a third as large as one picture an image


def extent(images: Tensor) -> float:
    """How wide the picture of a row of images (m, c, h, w) is, in heights of an image."""
    h, w = images.shape[-2:]
    return len(images) * (w + 2) / h


def row_traces(rows: Rows, pitch: float, **more: Any) -> list[go.Image]:
    """Each row as one picture, `pitch` below the row before, in heights of an image."""
    traces = []
    for r, (name, images) in enumerate(rows.items()):
        picture, size = strip(images, zoom=1, gap=2), max(1, extent(images))
        traces.append(image_trace(picture, 0, pitch * r, size, name=written(name), **more))
    return traces


def name_rows(
    figure: go.Figure,
    rows: Rows,
    captions: Captions,
    *,
    pitch: float,
    below: float,
) -> None:
    """The names of `row_traces`, and their captions so far `below` the top of each row."""
    for r, (name, images) in enumerate(rows.items()):
        name_row(figure, name, pitch * r)
        h, w = images.shape[-2:]
        for i, word in enumerate(captions.get(name, ())):
            caption(figure, (w + 2) / h * i + w / h / 2, pitch * r + below, word)


def fit(figure: go.Figure, across: float, down: float, largest: float) -> int:
    """Axes that hold so many heights of an image across and down; an image is at most `largest` pixels high.

    Returns the height of all rows in pixels.
    """
    side = min(ROOM / across, largest)
    figure.update_xaxes(range=[-0.05, across], domain=[0, min(1, side * across / ROOM)], **HIDDEN)
    figure.update_yaxes(range=[down, -0.05], **HIDDEN)
    return int(side * down)


def sliding(
    frames: Sequence[tuple[str, str, Rows]],
    *,
    prefix: str,
    captions: Captions | None = None,
    active: int = 0,
) -> go.Figure:
    """Rows of images under plotly's own slider; needs no kernel.

    frames    one per position: its label on the slider, its title, {row name: images (m, c, h, w)}
    captions  row name -> m words, one under each image, the same at every position
    """
    figure, steps = go.Figure(), []
    pitch, across = 1.5 if captions else 1.08, 0.0
    for i, (label, title, rows) in enumerate(frames):
        figure.add_traces(row_traces(rows, pitch, visible=i == active))
        shown = frame(i, len(rows), len(frames))
        steps.append(step(label, shown, {"title.text": written(title)}))
        across = max(across, *(max(1.08 * len(images), extent(images)) for images in rows.values()))
    name_rows(figure, rows, captions or {}, pitch=pitch, below=1.23)
    height = fit(figure, across, pitch * len(rows), largest=130)
    figure.update_layout(
        template="featlab",
        title=written(frames[active][1]),
        height=height + 140,
        margin={"l": 170, "r": 20, "t": 50, "b": 90},
    )
    return slide(figure, steps, prefix, gap=10, active=active)
