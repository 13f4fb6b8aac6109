"""A knob offers what there is, and refuses the rest in words."""

import ipywidgets as w
import pytest
from small import patches

from featlab.widgets.knobs import angle, growing, image_slider, length, look, on_release


@pytest.mark.parametrize(
    ("index", "n", "most", "value", "last"),
    [(0, 40, 100, 0, 39), (-1, 40, 100, 39, 39), (120, 150, 100, 120, 120), (3, 150, 100, 3, 99)],
)
def test_an_image_slider_offers_only_images_that_there_are_and_the_one_named(index, n, most, value, last):
    slider = image_slider(index, patches(n), most)
    assert (slider.value, slider.min, slider.max) == (value, 0, last)
    assert slider.value == range(n)[index]


@pytest.mark.parametrize(
    ("index", "says"),
    [(40, "no image 40"), (-41, "no image -41"), (1.5, "number of an image"), ("3", "number of")],
)
def test_an_image_that_is_not_there_is_refused(index, says):
    with pytest.raises((IndexError, TypeError), match=says):
        image_slider(index, patches(40), 100)


def test_a_knob_that_computes_waits_until_it_is_let_go():
    knob = on_release(w.IntSlider())
    assert not knob.continuous_update and "featlab-released" in knob._dom_classes


def test_a_look_says_widths_in_pixels():
    slider = w.IntSlider(**look(60, 276))
    assert (slider.style.description_width, slider.layout.width) == ("60px", "276px")
    slider = w.IntSlider(**growing(260, 400))
    assert (slider.style.description_width, slider.layout.flex) == ("initial", "1 1 260px")
    assert (slider.layout.min_width, slider.layout.max_width) == ("260px", "400px")


def test_an_angle_is_a_whole_number_and_a_length_is_not_below_its_least():
    assert angle(60.0, "tilt").value == 60 and angle(60, "tilt").max == 90
    assert length(0.5, 4, "radius").step == 0.05
    for wrong in (lambda: angle(0.5, "tilt"), lambda: angle(91, "tilt"), lambda: length(5, 4, "radius")):
        with pytest.raises(ValueError):
            wrong()
    with pytest.raises(ValueError):
        length(0.5, 8, "ratio", least=1)
