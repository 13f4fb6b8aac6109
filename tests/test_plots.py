"""Figures say what the numbers say."""

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from featlab import plots


def decoded(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_pixels_of_the_image(channels):
    image = torch.randint(0, 256, (channels, 5, 4), dtype=torch.uint8)
    got = decoded(plots.data_uri(image)).reshape(5, 4, channels)
    assert (got == image.permute(1, 2, 0).numpy()).all()
    assert decoded(plots.data_uri(image, zoom=3)).shape[:2] == (15, 12)


def test_no_perturbation_is_mid_grey_and_the_gain_multiplies():
    delta = torch.tensor([0.0, 0.1, -0.1, 1.0])
    assert plots.perturbation(delta, gain=5).tolist() == pytest.approx([0.5, 0.75, 0.25, 1.0])


def test_an_image_fills_its_cell():
    trace = plots.image_trace(torch.zeros(1, 4, 4), 2.0, 3.0)
    assert trace.x0 - trace.dx / 2 == pytest.approx(2.0) and trace.x0 + 3.5 * trace.dx == pytest.approx(3.0)
    assert trace.y0 - trace.dy / 2 == pytest.approx(3.0)


def test_bars_carry_numbers_intervals_and_patterns():
    figure = plots.bars({"D": {"clean": (0.9, 0.88, 0.91), "l2": (0.2, 0.1, 0.4)}, "D_R": {"clean": (0.8, 0.7, 0.85)}}, chance=0.1)
    clean, attacked = figure.data
    assert list(clean.y) == [90, 80] and list(attacked.x) == ["D"]
    assert np.allclose(clean.error_y.array, [1, 5]) and np.allclose(clean.error_y.arrayminus, [2, 10])
    assert clean.text[1].startswith("<b>80</b>") and clean.marker.pattern.shape != attacked.marker.pattern.shape
    assert figure.layout.shapes[0].y0 == 10


def test_samples_show_every_image_with_its_words_inside_the_axes():
    figure = plots.samples({"a": torch.zeros(3, 1, 4, 4), "b": torch.ones(2, 1, 4, 4)}, {"a": ["x", "y", "z"]})
    assert len(figure.data) == 5
    words = [a.text for a in figure.layout.annotations]
    assert sorted(words) == ["a", "b", "x", "y", "z"]
    bottom, top = figure.layout.yaxis.range
    assert all(top <= a.y <= bottom for a in figure.layout.annotations)


def test_sliding_shows_one_frame_at_a_time():
    frames = [(str(i), f"title {i}", {"row": torch.full((2, 1, 4, 4), i / 5), "other": torch.zeros(1, 1, 4, 4)}) for i in range(5)]
    figure = plots.sliding(frames, prefix="step ", active=2)
    shown = [i for i, trace in enumerate(figure.data) if trace.visible]
    assert shown == [4, 5]
    assert decoded(figure.data[4].source).shape == (4, 2 * (4 + 2)) and decoded(figure.data[4].source)[0, 0] == 102
    for i, step in enumerate(figure.layout.sliders[0].steps):
        visible = step.args[0]["visible"]
        assert step.args[1] == {"title.text": f"title {i}"}
        assert len(visible) == 10 and [j for j, v in enumerate(visible) if v] == [2 * i, 2 * i + 1]


def test_attack_steps_show_one_panel_at_a_time():
    names = ["a", "b"]
    panels = [
        (f"{e}", plots.attack_panel(torch.zeros(1, 4, 4), torch.full((1, 4, 4), e), torch.tensor([1 - e, e]), names, label=0))
        for e in (0.0, 0.5)
    ]
    figure = plots.attack_steps(panels, active=1)
    assert [t.visible for t in figure.data] == [False] * 4 + [True] * 4
    assert list(figure.data[7].x) == [50, 50] and isinstance(figure.data[7], go.Bar)
    assert [s.label for s in figure.layout.sliders[0].steps] == ["0.0", "0.5"]


def test_a_strip_puts_images_side_by_side():
    images = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    strip = plots.strip(images, zoom=2, gap=1)
    assert strip.shape == (1, 4, 10)
    assert (strip[0, :, :4] == 0).all() and (strip[0, :, 5:9] == 255).all()
