"""Images -> pictures, and the attack on one image."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from featlab.inputs.markup import escaped, written
from featlab.plots.sliders import frame, slide, step
from featlab.plots.style import BLUE, HIDDEN, ORANGE, OUTSIDE, hatched
from featlab.types import pixels


def png(image: Tensor | np.ndarray, zoom: int = 1, *, small: bool = False) -> bytes:
    """One image (c, h, w), uint8 or float in [0, 1], as PNG; `zoom` repeats each pixel.

    At once for a slider, or `small`, to be stored.
    """
    from PIL import Image

    array = _bytes(image) if isinstance(image, Tensor) else image
    array = array.transpose(1, 2, 0).repeat(zoom, 0).repeat(zoom, 1)
    file = io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(
        file, "PNG", optimize=small, compress_level=1
    )
    return file.getvalue()


def _bytes(images: Tensor) -> np.ndarray:
    """Images of any number of dimensions as bytes, 0 to 255."""
    values = 255 * pixels(images).detach().cpu().clamp(0, 1)
    return values.round().byte().numpy()


def data_uri(image: Tensor | np.ndarray, zoom: int = 1) -> str:
    """`png` of an image (c, h, w) as a data: address."""
    return "data:image/png;base64," + base64.b64encode(png(image, zoom, small=True)).decode()


def perturbation(delta: Tensor, gain: float = 5.0) -> Tensor:
    """A perturbation (c, h, w) as an image: 0 is mid-grey, and differences are multiplied by `gain`."""
    return (0.5 + gain * delta / 2).clamp(0, 1)


def image_trace(image: Tensor | np.ndarray, x: float, y: float, size: float = 1.0, **more: Any) -> go.Image:
    """An image (c, h, w) as a trace with its upper left corner at x and y and its longer side `size`, in axis
    units, unsmoothed.
    """
    pixel = size / max(image.shape[-2:])
    place = {"x0": x + pixel / 2, "y0": y + pixel / 2, "dx": pixel, "dy": pixel}
    return go.Image(source=data_uri(image), zsmooth=False, hoverinfo="skip", **place, **more)


def strip(images: Tensor, zoom: int = 3, gap: int = 4) -> np.ndarray:
    """Images (n, c, h, w) side by side as one array (c, h, n * (w + gap)) of bytes, on white."""
    rows = _bytes(images).repeat(zoom, 2).repeat(zoom, 3)
    rows = np.pad(rows, ((0, 0), (0, 0), (0, 0), (0, gap)), constant_values=255)
    return np.concatenate(list(rows), axis=2)


def _words(gain: float) -> tuple[str, str, str]:
    """What the three images of an attack are."""
    return "image", f"perturbation x {gain:g}", "attacked image"


def attack_panel(
    x: Tensor,
    attacked: Tensor,
    probabilities: Tensor,
    classes: Sequence[str],
    *,
    label: int,
    gain: float = 5.0,
) -> list:
    """The four traces of an attack on one image x (c, h, w): image, amplified perturbation, attacked image
    (c, h, w), class probabilities (k,); the bar of the true label is plain, the others are hatched.
    """
    shown = zip((x, perturbation(attacked - x, gain), attacked), _words(gain), strict=True)
    images = [image_trace(image, 1.12 * i, 0, name=word) for i, (image, word) in enumerate(shown)]
    values = (100 * probabilities.detach().cpu()).tolist()
    right = [i == label for i in range(len(classes))]
    bar = go.Bar(
        name="probability, %",
        x=values,
        y=[escaped(name) for name in classes],
        orientation="h",
        marker=hatched([BLUE if r else ORANGE for r in right], ["" if r else "/" for r in right]),
        text=[f"{value:.0f}" for value in values],
        **OUTSIDE,
    )
    return [*images, bar]


def attack_steps(
    panels: Sequence[tuple[str, list]],
    *,
    title: str = "",
    gain: float = 5.0,
    active: int = 0,
) -> go.Figure:
    """The static twin of the attack explorer: plotly's own slider over (eps, traces of `attack_panel`);
    works without a kernel.
    """
    figure, steps = go.Figure(), []
    for i, (label, (*images, bar)) in enumerate(panels):
        traces = [*images, bar.update(xaxis="x2", yaxis="y2")]
        figure.add_traces([trace.update(visible=i == active) for trace in traces])
        steps.append(step(label, frame(i, len(traces), len(panels))))
    for i, word in enumerate(_words(gain)):
        figure.add_annotation(
            x=1.12 * i + 0.5,
            y=-0.1,
            text=word,
            showarrow=False,
            font={"size": 14},
        )
    figure.update_layout(
        template="featlab",
        title=written(title),
        showlegend=False,
        height=max(460, 180 + 15 * len(bar.y)),
        margin={"b": 120},
        xaxis={"domain": [0, 0.62], "range": [-0.03, 3.3], **HIDDEN},
        yaxis={"range": [1.12, -0.22], "scaleanchor": "x", "constrain": "domain", **HIDDEN},
        xaxis2={"domain": [0.76, 1], "range": [0, 115], "anchor": "y2", "title": "probability, %"},
        yaxis2={"autorange": "reversed", "anchor": "x2", "tickfont": {"size": 13}},
    )
    return slide(figure, steps, "eps = ", gap=52, active=active)
