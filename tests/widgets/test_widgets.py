"""Every widget is at the door, has a twin that stands for it, and stays within the room of its chapter."""

import re
from pathlib import Path

import plotly.graph_objects as go
import pytest
from small import patches, tiny

from featlab import widgets
from featlab.experiments.presets import RULES

DATA = patches(20)
MADE = {
    "AttackExplorer": lambda: widgets.AttackExplorer(tiny(), DATA, steps=2),
    "InversionExplorer": lambda: widgets.InversionExplorer({"one": tiny()}, DATA, steps=4),
    "PushExplorer": lambda: widgets.PushExplorer(tiny(), DATA, RULES, steps=2),
    "TwoGaussians": lambda: widgets.TwoGaussians(),
    "GradientAngles": lambda: widgets.GradientAngles(),
    "CostExplorer": lambda: widgets.CostExplorer(),
}


def test_every_name_at_the_door_is_there_and_an_unknown_one_is_refused():
    for name in widgets.__all__:
        assert getattr(widgets, name).__name__ == name and name in dir(widgets)
    with pytest.raises(AttributeError, match=r"no 'Explorer'; it has .*AttackExplorer"):
        widgets.Explorer  # noqa: B018


def test_no_widget_addresses_a_trace_by_its_number():
    """Whoever adds a trace to a figure moves the numbers of those after it."""
    numbered = re.compile(r"(figure|bars|twin)\.data\[")
    found = [
        path.name for path in Path(widgets.__path__[0]).glob("*.py") if numbered.search(path.read_text())
    ]
    assert not found


def test_every_chapter_is_there_by_its_own_name():
    assert widgets.features.SpectrumExplorer is widgets.SpectrumExplorer
    assert widgets.transfer.TransferExplorer is widgets.TransferExplorer


@pytest.mark.parametrize("name", MADE)
def test_a_widget_is_live_and_has_a_plain_twin_with_at_most_20_steps(name, monkeypatch):
    monkeypatch.setattr("plotly.io.renderers.default", "plotly_mimetype")
    widget = MADE[name]()
    assert isinstance(widget, widgets.Live) and type(widget.twin) is go.Figure
    assert 1 < len(widget.twin.layout.sliders[0].steps) <= 20
    assert len(widget.twin.to_json()) < 120_000
    assert widget._repr_mimebundle_()["text/plain"] == widget.says
    assert widget.message.value == ""
