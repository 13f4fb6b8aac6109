"""Sliders and lists, and how wide they are."""

import operator
from typing import Any

import ipywidgets as w

from featlab.doors import dataset
from featlab.inputs.checks import between, whole
from featlab.types import Dataset


def look(name: int, width: int) -> dict:
    """How wide a knob is, and its name in front of it, in pixels."""
    return {"style": {"description_width": f"{name}px"}, "layout": {"width": f"{width}px"}}


def growing(least: int, most: int, name: str = "initial") -> dict:
    """The look of a knob that takes the room there is, from `least` to `most` pixels; `name` is the width of
    its name.
    """
    layout = {"flex": f"1 1 {least}px", "min_width": f"{least}px", "max_width": f"{most}px"}
    return {"style": {"description_width": name}, "layout": layout}


def on_release(knob: w.Widget) -> w.Widget:
    """The knob, which computes when it is let go; the browser's test allows such a one more time."""
    knob.continuous_update = False
    knob.add_class("featlab-released")
    return knob


def image_slider(index: int, data: Dataset, most: int, **kind: Any) -> w.IntSlider:
    """A slider over the first `most` images, or up to number `index` if that is further."""
    try:
        index = range(len(dataset(data)))[operator.index(index)]
    except IndexError:
        raise IndexError(f"there is no image {index}: the dataset has {len(data)}, numbered from 0") from None
    except TypeError:
        dataset(data)
        raise TypeError(f"index is the number of an image, got {index!r}") from None
    last = min(len(data), most) - 1
    return w.IntSlider(index, min=0, max=max(last, index), **kind)


SIZE = growing(260, 400)  # of lengths and angles: readable from the last row, three in a line


def length(value: float, most: float, name: str, least: float = 0.0, step: float = 0.05) -> w.FloatSlider:
    """A slider for a length or a ratio."""
    value = between(value, name, least, most)
    digits = ".2f" if step < 0.1 else ".1f"
    return w.FloatSlider(
        value, min=least, max=most, step=step, description=name, readout_format=digits, **SIZE
    )


def angle(value: int, name: str) -> w.IntSlider:
    """A slider in whole degrees: a float one sends 60.00000000000003 back for 60 and so undoes what a cell
    sets next.
    """
    value = int(between(whole(value, name, least=None), name, -90, 90))
    return w.IntSlider(value, min=-90, max=90, description=name, **SIZE)
