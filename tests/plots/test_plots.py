"""The room of figures: its names are there when they are used, and plotly is left as it was."""

import plotly.io as pio
import pytest
import torch

from featlab import gaussian, plots


def test_every_public_name_exists_and_chapters_are_loaded_when_they_are_used():
    assert all(getattr(plots, name) is not None for name in plots.__all__)
    for chapter in ("angles", "debate", "features", "gaussian", "scale", "signal", "theorems", "transfer"):
        assert getattr(plots, chapter).__name__ == f"featlab.plots.{chapter}"
    with pytest.raises(AttributeError, match="no 'figure5'"):
        plots.figure5  # noqa: B018


def test_drawing_leaves_plotly_as_it_was():
    before = (
        pio.templates.default,
        pio.renderers.default,
        list(pio.templates),
        pio.templates["featlab"].to_plotly_json(),
    )
    images = torch.zeros(2, 1, 4, 4)
    plots.bars({"D": {"clean": (0.5, 0.4, 0.6)}}, chance=0.1)
    plots.curves({"a": ([0, 1], [0, 1])}, x="x", y="y")
    plots.samples({"a": images})
    plots.sliding([("0", "t", {"a": images})], prefix="")
    plots.theorems.misalignment(3)
    plots.gaussian.figure4_twin([2, 0], gaussian.planar(4, 35))
    plots.transfer.transfer_matrix({"a": {"a": 1.0}})
    after = (
        pio.templates.default,
        pio.renderers.default,
        list(pio.templates),
        pio.templates["featlab"].to_plotly_json(),
    )
    assert after == before
