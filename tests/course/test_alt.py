"""Every figure can be said in words, and told apart without colour by any kind of colour vision."""

import itertools
import json
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from featlab import plots
from featlab.course.alt import describe
from featlab.plots import transfer as plots_transfer

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
VISION = {
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "usual": np.eye(3),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    """Linear RGB of #rrggbb."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(a, b):
    """WCAG 2: ratio of relative luminances, 1 to 21."""
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(colour, vision):
    """CIE L*a*b* of a colour as this vision sees it."""
    xyz = TO_XYZ @ np.clip(np.array(VISION[vision]) @ linear(colour), 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_the_tools_know_what_is_known():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert np.linalg.norm(lab("#FF0000", "deutan") - lab("#808000", "deutan")) < np.linalg.norm(
        lab("#FF0000", "usual") - lab("#808000", "usual")
    )


@pytest.mark.parametrize("vision", VISION)
def test_the_palette_is_distinct_for_every_kind_of_colour_vision(vision):
    for a, b in itertools.combinations(plots.PALETTE, 2):
        assert np.linalg.norm(lab(a, vision) - lab(b, vision)) > 9, (a, b)  # 2.3 is just noticeable


def test_text_has_contrast_and_marks_are_seen_on_white():
    assert contrast(plots.INK, "#FFFFFF") > 7
    assert all(contrast(colour, "#FFFFFF") >= 3 for colour in plots.PALETTE)


def test_numbers_on_a_matrix_have_contrast_in_every_cell():
    (low, lightest), (high, darkest) = plots_transfer.SHADES["colorscale"]
    assert (
        (low, high) == (0, 1) and contrast(plots.INK, lightest) > 4.5 and contrast(plots.INK, darkest) > 4.5
    )
    assert plots_transfer.transfer_matrix({"a": {"b": 0.5}}).data[0].textfont.color == plots.INK


def stored(path):
    for cell in json.loads(path.read_text())["cells"]:
        for out in cell.get("outputs", []):
            if (plot := out.get("data", {}).get("application/vnd.plotly.v1+json")) is not None:
                yield plot


def look(trace):
    """What tells a trace apart besides its colour."""
    line, marker = trace.get("line", {}), trace.get("marker", {})
    pattern = marker.get("pattern", {}).get("shape")
    symbol = marker.get("symbol") if "markers" in trace.get("mode", "") else None
    return (
        trace.get("mode"),
        line.get("dash"),
        line.get("width"),
        str(symbol),
        str(pattern),
        bool(trace.get("fill")),
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_figures_have_words_and_need_no_colour(path):
    for plot in stored(path):
        words = describe(plot)
        assert len(words.split()) >= 8, words
        legend = [
            t
            for t in plot["data"]
            if t.get("name") and t.get("showlegend", True) and t.get("type", "scatter") in ("scatter", "bar")
        ]
        # a bar with its number is named by its place
        seen = [t for t in legend if t.get("visible", True) is True and not t.get("text")]
        for a, b in itertools.combinations(seen, 2):
            assert look(a) != look(b) or a["name"] == b["name"], (
                f"{a['name']} and {b['name']} differ in colour only: {words[:80]}"
            )


def test_words_tell_bars_lines_axes_and_the_slider():
    bars = plots.bars(
        {"D": {"clean": (0.9, 0.89, 0.91)}, "D_R": {"clean": (0.5, 0.4, 0.6)}}, title="Two <b>sets</b>"
    )
    words = describe(json.loads(bars.to_json()))
    assert (
        words.startswith("Two sets. Figure with bars.")
        and "clean: D 90, D_R 50" in words
        and "Vertical axis: accuracy" in words
    )
    lines = plots.curves({"falling": (np.linspace(0, 2, 9), np.linspace(1, 0, 9))}, x="radius", y="share")
    assert "falling: from 1 at 0 to 0 at 2" in describe(
        json.loads(lines.to_json())
    ) and "Horizontal axis: radius" in describe(lines.to_dict())
    images = torch.zeros(3, 1, 4, 4)
    moved = plots.sliding(
        [("0", "at first", {"row": images}), ("1", "then", {"row": images})], prefix="step "
    )
    words = describe(json.loads(moved.to_json()))
    assert words.startswith("at first. Figure with images.") and "Slider: step 0 to 1." in words


def test_an_empty_figure_is_no_error():
    assert describe(go.Figure().to_dict()) != ""
