"""Rows of images hold every image with its words, in one picture an image or one a row."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from featlab.plots import rows

ROWS = {"a": torch.rand(3, 1, 4, 4), "b": torch.rand(2, 1, 4, 4)}
CAPTIONS = {"a": ["x", "y", "z"]}


def bytes_of(trace):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.split(",")[1]))))


def texts(figure):
    return [note.text for note in figure.layout.annotations]


def test_samples_show_every_image_with_its_words_inside_the_axes():
    figure = rows.samples(ROWS, CAPTIONS)
    assert [trace.name for trace in figure.data] == ["a", "a", "a", "b", "b"]
    for trace, image in zip(figure.data, torch.cat(list(ROWS.values())), strict=True):
        np.testing.assert_array_equal(bytes_of(trace), (255 * image[0]).round().byte().numpy())
    assert sorted(texts(figure)) == ["a", "b", "x", "y", "z"]
    bottom, top = figure.layout.yaxis.range
    assert all(top <= note.y <= bottom for note in figure.layout.annotations)


def test_a_row_of_one_picture_holds_its_images_at_their_places():
    trace = rows.row_traces(ROWS, 1.5)[1]
    assert trace.name == "b" and trace.y0 - trace.dy / 2 == pytest.approx(1.5)
    picture = bytes_of(trace)
    for i, image in enumerate(ROWS["b"]):
        # 4 pixels wide, and 2 of white between them
        np.testing.assert_array_equal(picture[:, 6 * i : 6 * i + 4], (255 * image[0]).round().byte().numpy())
    assert picture.shape[1] * trace.dx == pytest.approx(rows.extent(ROWS["b"]))
    assert picture.shape[0] * trace.dy == pytest.approx(1)


def slid(images, captions):
    return rows.sliding([("", "", images)], prefix="", captions=captions)


# images 4 pixels wide lie 6 pixels apart in one picture
@pytest.mark.parametrize("draw, pitch", [(rows.samples, 1.06), (slid, 6 / 4)])
def test_a_word_stands_under_the_middle_of_its_image(draw, pitch):
    words = [note for note in draw(ROWS, CAPTIONS).layout.annotations if note.text in CAPTIONS["a"]]
    assert [note.x for note in words] == pytest.approx([0.5, 0.5 + pitch, 0.5 + 2 * pitch])
    assert all(note.y > 1 for note in words)


def test_axes_hold_what_they_are_asked_to_and_no_image_is_larger_than_said():
    figure = rows.go.Figure()
    assert rows.fit(figure, 2, 3, largest=100) == 300
    assert figure.layout.xaxis.domain == pytest.approx((0, 200 / rows.ROOM))
    assert rows.fit(figure, 64, 1, largest=100) == rows.ROOM // 64
    assert figure.layout.xaxis.domain == (0, 1)
    assert figure.layout.yaxis.range[0] == 1 and figure.layout.xaxis.range[1] == 64


def test_sliding_shows_one_frame_at_a_time():
    frames = [
        (str(i), f"title {i}", {name: images * i / 4 for name, images in ROWS.items()}) for i in range(5)
    ]
    figure = rows.sliding(frames, prefix="step ", active=2)
    assert [i for i, trace in enumerate(figure.data) if trace.visible] == [4, 5]
    for trace, images in zip(figure.data[4:6], frames[2][2].values(), strict=True):
        np.testing.assert_array_equal(bytes_of(trace)[:, :4], (255 * images[0, 0]).round().byte().numpy())
    assert figure.layout.title.text == "title 2"
    for i, step in enumerate(figure.layout.sliders[0].steps):
        visible = step.args[0]["visible"]
        assert step.args[1] == {"title.text": f"title {i}"}
        assert len(visible) == 10 and [j for j, v in enumerate(visible) if v] == [2 * i, 2 * i + 1]


def test_captions_and_names_are_text():
    figure = rows.samples({"<img>": ROWS["b"]}, {"<img>": ["<b>", "a & b"]})
    assert texts(figure) == ["&lt;img&gt;", "&lt;b&gt;", "a &amp; b"] and figure.data[0].name == "&lt;img&gt;"
