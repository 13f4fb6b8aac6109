"""What all figures share: whiskers as long as their intervals, bars that need no colour, names of classes."""

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import featlab as fl
from featlab.plots import style


def test_whiskers_reach_from_low_to_high():
    value, low, high = [0.5, 0.2], [0.4, 0.2], [0.7, 0.25]
    error = go.Scatter(y=value, error_y=style.whiskers(value, low, high, width=4)).error_y
    np.testing.assert_allclose(value + error.array, high)
    np.testing.assert_allclose(value - error.arrayminus, low)
    assert error.width == 4


@pytest.mark.parametrize("look", [(style.BLUE, "/"), ([style.BLUE, style.RED], ["", "x"])])
def test_hatching_is_drawn_on_the_colour_of_its_bar(look):
    marker = go.Bar(marker=style.hatched(*look)).marker
    assert marker.color == marker.pattern.bgcolor == (look[0] if isinstance(look[0], str) else tuple(look[0]))
    assert marker.pattern.shape == (look[1] if isinstance(look[1], str) else tuple(look[1]))


def test_the_names_of_classes_are_their_numbers_where_they_have_none():
    images, labels = torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.tensor([0, 2, 1])
    assert style.names_of(fl.Dataset(images, labels, ("a", "b", "c"))) == ["a", "b", "c"]
    assert style.names_of(fl.Dataset(images, labels)) == ["0", "1", "2"]
