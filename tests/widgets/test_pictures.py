"""Each picture is encoded once and is the image, and a trace is found by its name."""

import plotly.graph_objects as go
import pytest
import torch
from small import patches

from featlab import plots
from featlab.widgets.pictures import pictures, show, show_attack, show_strip, strip_image, trace


def test_each_picture_is_encoded_once_and_is_the_image(encodings):
    images = [torch.rand(1, 8, 6), torch.rand(3, 8, 8)]
    places, boxes = pictures(["<b>one</b>", "two"], 100)
    show(places, images, zoom=2)
    assert encodings == ["PNG", "PNG"]
    assert [bytes(place.value) for place in places] == [plots.png(image, 2) for image in images]
    assert boxes[0].children[0].value == "<b>&lt;b&gt;one&lt;/b&gt;</b>" and boxes[1].children[1] is places[1]


def test_there_is_a_place_for_each_picture():
    places, _ = pictures(["one"], 100)
    with pytest.raises(ValueError):
        show(places, [torch.rand(1, 8, 8)] * 2)


def test_a_trace_is_found_by_its_name_wherever_it_stands():
    figure = go.Figure([go.Scatter(name="a", y=[1]), go.Bar(name="b", y=[2])])
    assert trace(figure, "b").y == (2,) and trace(figure, "a").y == (1,)
    with pytest.raises(ValueError):
        trace(figure, "c")
    figure.add_scatter(name="a")
    with pytest.raises(ValueError):  # two of one name are none
        trace(figure, "a")


def test_an_attack_is_shown_as_image_change_and_attacked_image(encodings):
    places, _ = pictures(["image", "change", "attacked"], 100)
    x, z = torch.rand(2, 1, 8, 8)
    show_attack(places, x, z, gain=2.0, zoom=3)
    change = 0.5 + (z - x)  # mid-grey where nothing changed, twice the difference over two
    expected = [plots.png(image, 3) for image in (x, change.clamp(0, 1), z)]
    assert [bytes(place.value) for place in places] == expected and len(encodings) == 6


def test_a_strip_is_as_wide_as_its_images(encodings):
    place, images = strip_image(64, "10px"), patches(3).images
    width = show_strip(place, images, zoom=2)
    assert width == 3 * (2 * 8 + 5) and place.layout.width == f"{width}px" and len(encodings) == 1
    assert place.value == plots.png(plots.strip(images, zoom=2, gap=5))
