"""Numbers or images -> plotly figures. Every figure names its axes and carries its message without colour too."""

import base64
import io
import sys
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
from torch import Tensor

from featlab.types import pixels

# Okabe and Ito's palette, distinct for every kind of colour vision, with three colours darkened so that each has contrast 3 with white
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = "#0072B2", "#C98500", "#009E73", "#C04A00", "#CC79A7", "#3D9BD1", "#6B6B6B"
PALETTE = [BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY]
PATTERNS = ["", "/", "x", ".", "-"]
INK = "#222222"
WIDTH = 830  # what JupyterLab leaves for a figure on a page of 1024 pixels

pio.templates["featlab"] = go.layout.Template(
    layout={
        "colorway": PALETTE,
        "font": {"size": 15, "color": INK, "family": "Inter, Helvetica, Arial, sans-serif"},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "width": WIDTH,
        "height": 420,
        "margin": {"l": 70, "r": 20, "t": 60, "b": 60},
        "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 17}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "xaxis": {"gridcolor": "#E8E8E8", "zeroline": False, "linecolor": INK, "ticks": "outside"},
        "yaxis": {"gridcolor": "#E8E8E8", "zeroline": False, "linecolor": INK, "ticks": "outside"},
    }
)

# plotly's renderers load nbformat, that jsonschema, and that compiles a grammar for each kind of address it can check: up to 5 seconds of
# every notebook's first cell (measured), for checks that nothing here asks for. Where no grammar can be imported, jsonschema does without.
hidden = sys.modules.setdefault("rfc3987_syntax", None) is None
if "plotly_mimetype" in pio.renderers.default:  # a notebook: keep plotly.js itself (4 MB a figure) out of the file
    pio.renderers.default = "plotly_mimetype"
if hidden:
    del sys.modules["rfc3987_syntax"]


def png(image: Tensor | np.ndarray, zoom: int = 1, *, small: bool = False) -> bytes:
    """One image (c, h, w), uint8 or float in [0, 1], as PNG; `zoom` repeats each pixel. At once for a slider, or `small`, to be stored."""
    from PIL import Image

    array = (pixels(image).detach().cpu().clamp(0, 1) * 255).round().byte().numpy() if isinstance(image, Tensor) else image
    array = array.transpose(1, 2, 0).repeat(zoom, 0).repeat(zoom, 1)
    file = io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(file, "PNG", optimize=small, compress_level=1)
    return file.getvalue()


def data_uri(image: Tensor | np.ndarray, zoom: int = 1) -> str:
    """`png` as a data: address."""
    return "data:image/png;base64," + base64.b64encode(png(image, zoom, small=True)).decode()


def perturbation(delta: Tensor, gain: float = 5.0) -> Tensor:
    """A perturbation (c, h, w) as an image: 0 is mid-grey, and differences are multiplied by `gain`."""
    return (0.5 + gain * delta / 2).clamp(0, 1)


def image_trace(image: Tensor, x: float, y: float, size: float = 1.0, **more) -> go.Image:
    """An image as a trace with its upper left corner at (x, y), in axis units, unsmoothed."""
    pixel = size / image.shape[-1]
    place = {"x0": x + pixel / 2, "y0": y + pixel / 2, "dx": pixel, "dy": pixel}
    return go.Image(source=data_uri(image), zsmooth=False, hoverinfo="skip", **place, **more)


BESIDE = {"xref": "x domain", "x": 0, "xshift": -8, "xanchor": "right", "align": "right", "showarrow": False}  # the name of a row


def samples(rows: Mapping[str, Tensor], captions: Mapping[str, Sequence[str]] | None = None, *, title: str = "") -> go.Figure:
    """Rows of images, one name a row, like the paper's Figure 2a.

    rows      name -> images (m, c, h, w)
    captions  name -> m words, one under each image (labels, say)
    """
    captions = captions or {}
    figure, pitch = go.Figure(), 1.34 if captions else 1.08
    for r, (name, images) in enumerate(rows.items()):
        for i, image in enumerate(images):
            figure.add_trace(image_trace(image, 1.06 * i, pitch * r))
        figure.add_annotation(text=name, y=pitch * r + 0.5, **BESIDE)
        for i, word in enumerate(captions.get(name, ())):
            figure.add_annotation(x=1.06 * i + 0.5, y=pitch * r + 1.14, text=word, showarrow=False, font={"size": 12})
    columns = max(len(images) for images in rows.values())
    hidden = {"visible": False, "fixedrange": True}
    cell = (WIDTH - 190) / (1.06 * columns)
    figure.update_xaxes(range=[-0.05, 1.06 * columns], constrain="domain", **hidden)
    figure.update_yaxes(range=[pitch * len(rows), -0.08], scaleanchor="x", **hidden)
    top = 50 if title else 10
    figure.update_layout(
        template="featlab", title=title, height=int(cell * pitch * len(rows)) + top + 10, margin={"l": 170, "r": 20, "t": top, "b": 5}
    )
    return figure


def bars(groups: Mapping[str, Mapping[str, tuple[float, float, float]]], *, title: str = "", chance: float | None = None) -> go.Figure:
    """Bars in groups with 95 % intervals, like the paper's Figure 2b: group -> bar -> (value, low, high), all fractions.

    Each bar carries its number and its own pattern, so that colour is not needed; `chance` draws a line.
    """
    figure = go.Figure()
    names = list(dict.fromkeys(name for bar in groups.values() for name in bar))
    for i, name in enumerate(names):
        got = {group: 100 * np.array(bar[name]) for group, bar in groups.items() if name in bar}
        value, low, high = np.array(list(got.values())).T
        errors = {"type": "data", "array": high - value, "arrayminus": value - low, "color": INK, "thickness": 1.3, "width": 4}
        marker = {
            "color": PALETTE[i],
            "pattern": {"shape": PATTERNS[i], "bgcolor": PALETTE[i], "fgcolor": "white", "size": 8, "solidity": 0.2},
        }
        clear = np.ceil((high - value - 1) / 6.5).astype(int)  # empty lines, of 6.5 % each, that keep the number clear of the whisker
        text = [f"<b>{v:.0f}</b>" + "<br> " * lines for v, lines in zip(value, clear, strict=True)]
        words = {"textposition": "outside", "textangle": 0, "outsidetextfont": {"color": INK, "size": 13}}
        figure.add_bar(name=name, x=list(got), y=value, error_y=errors, marker=marker, text=text, cliponaxis=False, **words)
    if chance is not None:
        figure.add_hline(100 * chance, line={"dash": "dot", "color": INK, "width": 1.5})
        figure.add_annotation(
            x=1, xref="paper", xanchor="right", y=100 * chance, yshift=9, text="chance", showarrow=False, font={"size": 12}
        )
    figure.update_layout(template="featlab", title=title, barmode="group", bargap=0.25, margin={"t": 95})
    figure.update_yaxes(title="accuracy on the real test set, %", range=[0, 102])
    return figure


def curves(lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x: str, y: str, title: str = "") -> go.Figure:
    """Lines by name -> (xs, ys), each with its own dash, named axes."""
    figure = go.Figure()
    for i, (name, (xs, ys)) in enumerate(lines.items()):
        line = {"color": PALETTE[i % len(PALETTE)], "dash": ["solid", "dash", "dot", "dashdot", "longdash"][i % 5], "width": 2.5}
        mode = "lines+markers" if len(xs) < 30 else "lines"
        figure.add_scatter(name=name, x=list(xs), y=list(ys), mode=mode, line=line, marker={"symbol": i})
    figure.update_layout(template="featlab", title=title, xaxis_title=x, yaxis_title=y, showlegend=True)
    return figure


def attack_panel(x: Tensor, attacked: Tensor, probabilities: Tensor, classes: Sequence[str], *, label: int, gain: float = 5.0) -> list:
    """The four traces of an attack on one image: image, amplified perturbation, attacked image, class probabilities."""
    shown = (x, perturbation(attacked - x, gain), attacked)
    values = (100 * probabilities.detach().cpu()).tolist()
    colours = [BLUE if i == label else ORANGE for i in range(len(classes))]
    shapes = ["" if i == label else "/" for i in range(len(classes))]
    marker = {"color": colours, "pattern": {"shape": shapes, "bgcolor": colours, "fgcolor": "white", "size": 8, "solidity": 0.2}}
    text = [f"{v:.0f}" for v in values]
    bar = go.Bar(x=values, y=list(classes), orientation="h", marker=marker, text=text, textposition="outside", cliponaxis=False)
    return [*(image_trace(image, 1.12 * i, 0) for i, image in enumerate(shown)), bar]


def attack_steps(panels: Sequence[tuple[str, list]], *, title: str = "", gain: float = 5.0, active: int = 0) -> go.Figure:
    """The static twin of the attack explorer: plotly's own slider over (eps, traces of `attack_panel`); works without a kernel."""
    figure = go.Figure()
    for i, (_, traces) in enumerate(panels):
        for trace in traces[:3]:
            figure.add_trace(trace.update(visible=i == active))
        figure.add_trace(traces[3].update(visible=i == active, xaxis="x2", yaxis="y2"))
    per = len(panels[0][1])
    steps = [
        {"label": name, "method": "update", "args": [{"visible": [j // per == i for j in range(per * len(panels))]}]}
        for i, (name, _) in enumerate(panels)
    ]
    slider = {"active": active, "currentvalue": {"prefix": "eps = "}, "pad": {"t": 52}, "steps": steps}
    figure.update_layout(template="featlab", title=title, showlegend=False, sliders=[slider], height=460, margin={"b": 120})
    hidden = {"visible": False, "fixedrange": True}
    figure.update_layout(
        xaxis={"domain": [0, 0.62], "range": [-0.03, 3.3], **hidden},
        yaxis={"range": [1.12, -0.22], "scaleanchor": "x", "constrain": "domain", **hidden},
        xaxis2={"domain": [0.76, 1], "range": [0, 115], "anchor": "y2", "title": "probability, %"},
        yaxis2={"autorange": "reversed", "anchor": "x2", "tickfont": {"size": 13}},
    )
    for i, word in enumerate(("image", f"perturbation x {gain:g}", "attacked image")):
        figure.add_annotation(x=1.12 * i + 0.5, y=-0.1, text=word, showarrow=False, font={"size": 14})
    return figure


def strip(images: Tensor, zoom: int = 3, gap: int = 4) -> np.ndarray:
    """Images (n, c, h, w) side by side as one array (c, h, n * (w + gap)) of bytes, on white."""
    rows = (pixels(images).detach().cpu().clamp(0, 1) * 255).round().byte().numpy()
    rows = rows.repeat(zoom, 2).repeat(zoom, 3)
    rows = np.pad(rows, ((0, 0), (0, 0), (0, 0), (0, gap)), constant_values=255)
    return np.concatenate(list(rows), axis=2)


def sliding(
    frames: Sequence[tuple[str, str, Mapping[str, Tensor]]],
    *,
    prefix: str,
    captions: Mapping[str, Sequence[str]] | None = None,
    active: int = 0,
) -> go.Figure:
    """Rows of images under plotly's own slider; needs no kernel.

    frames    one a position: its label on the slider, its title, {row name: images (m, c, h, w)}
    captions  row name -> m words, one under each image, the same at every position
    """
    captions = captions or {}
    figure, per, pitch = go.Figure(), len(frames[0][2]), 1.5 if captions else 1.08
    for i, (_, _, rows) in enumerate(frames):
        for r, images in enumerate(rows.values()):  # a row is one picture: a file a third as large as one picture an image
            row = strip(images, zoom=1, gap=2)
            figure.add_trace(image_trace(row, 0, pitch * r, size=row.shape[-1] / row.shape[-2], visible=i == active))
    steps = [
        {
            "label": label,
            "method": "update",
            "args": [{"visible": [j // per == i for j in range(per * len(frames))]}, {"title.text": title}],
        }
        for i, (label, title, _) in enumerate(frames)
    ]
    rows = frames[0][2]
    for r, name in enumerate(rows):
        figure.add_annotation(text=name, y=pitch * r + 0.5, **BESIDE)
        for i, word in enumerate(captions.get(name, ())):
            figure.add_annotation(x=1.07 * i + 0.5, y=pitch * r + 1.23, text=word, showarrow=False, font={"size": 12})
    columns = max(len(images) for images in rows.values())
    cell = min((WIDTH - 190) / (1.08 * columns), 130)
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[-0.05, 1.08 * columns], domain=[0, min(1, cell * 1.08 * columns / (WIDTH - 190))], **hidden)
    figure.update_yaxes(range=[pitch * len(rows), -0.05], **hidden)
    slider = {"active": active, "currentvalue": {"prefix": prefix}, "pad": {"t": 10}, "steps": steps}
    margin, height = {"l": 170, "r": 20, "t": 50, "b": 90}, int(cell * pitch * len(rows)) + 140
    figure.update_layout(template="featlab", title=frames[active][1], sliders=[slider], height=height, margin=margin)
    return figure
