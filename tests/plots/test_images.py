"""Pictures hold the pixels of their images; the attack on one image shows what it was given."""

import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from PIL import Image

from featlab.plots import images

BLACK = torch.zeros(1, 4, 4)


def decoded(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_the_pixels_of_the_image(channels):
    picture = torch.randint(0, 256, (channels, 5, 4), dtype=torch.uint8)
    got = decoded(images.data_uri(picture)).reshape(5, 4, channels)
    assert (got == picture.permute(1, 2, 0).numpy()).all()
    assert decoded(images.data_uri(picture, zoom=3)).shape[:2] == (15, 12)


def test_a_float_image_is_rounded_to_the_nearest_byte_and_cut_to_what_a_byte_holds():
    values = torch.tensor([-0.1, 0.0, 0.499 / 255, 0.501 / 255, 1.0, 1.2]).view(1, 2, 3)
    assert decoded(images.data_uri(values)).ravel().tolist() == [0, 0, 0, 1, 255, 255]


def test_no_perturbation_is_mid_grey_and_the_gain_multiplies():
    delta = torch.tensor([0.0, 0.1, -0.1, 1.0])
    assert images.perturbation(delta, gain=5).tolist() == pytest.approx([0.5, 0.75, 0.25, 1.0])


def test_an_image_fills_its_cell():
    trace = images.image_trace(BLACK, 2.0, 3.0)
    assert trace.x0 - trace.dx / 2 == pytest.approx(2.0) and trace.x0 + 3.5 * trace.dx == pytest.approx(3.0)
    assert trace.y0 - trace.dy / 2 == pytest.approx(3.0)


def test_a_strip_puts_images_side_by_side():
    both = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    strip = images.strip(both, zoom=2, gap=1)
    assert strip.shape == (1, 4, 10)
    assert (strip[0, :, :4] == 0).all() and (strip[0, :, 5:9] == 255).all()


def panel(eps, names=("a", "b")):
    return images.attack_panel(
        BLACK, torch.full((1, 4, 4), eps), torch.tensor([1 - eps, eps]), names, label=1, gain=2
    )


def test_a_panel_shows_the_image_its_amplified_change_and_what_the_network_believes():
    *pictures, bar = panel(0.25)
    assert [decoded(p.source)[0, 0] for p in pictures] == [0, 191, 64]  # 0, 0.5 + 2 * 0.25 / 2, 0.25
    assert [p.name for p in pictures] == ["image", "perturbation x 2", "attacked image"]
    assert list(bar.x) == [75, 25] and list(bar.text) == ["75", "25"]
    assert bar.marker.pattern.shape == ("/", "")  # the label's bar differs not by its colour alone


def test_the_names_of_classes_are_text():
    assert list(panel(0.5, ("<b>", "a & b"))[3].y) == ["&lt;b&gt;", "a &amp; b"]


def test_attack_steps_show_one_panel_at_a_time():
    figure = images.attack_steps([(f"{eps}", panel(eps)) for eps in (0.0, 0.5)], active=1)
    assert [trace.visible for trace in figure.data] == [False] * 4 + [True] * 4
    assert list(figure.data[7].x) == [50, 50] and isinstance(figure.data[7], go.Bar)
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == ["0.0", "0.5"]
    assert steps[0].args[0]["visible"] == [True] * 4 + [False] * 4
