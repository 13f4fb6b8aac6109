"""Whatever a reader names is shown as text: in widgets, figures, alt texts,
the report and the static pages.
"""

import html
import json
import re
from pathlib import Path

import ipywidgets as w
import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hostile import HOSTILE, SCRIPT, Tags
from small import patches, tiny

import featlab as fl
from featlab import plots, widgets
from featlab.command import page
from featlab.course.alt import NAMED, describe
from featlab.experiments.entries import Entry
from featlab.experiments.presets import RULES
from featlab.features.spectrum import Spectrum, parts_of_spectrum, spectrum_of
from featlab.inputs.markup import escaped
from featlab.plots import debate as plots_debate
from featlab.plots import features as plots_features
from featlab.plots import scale as plots_scale
from featlab.plots import transfer as plots_transfer
from featlab.widgets import features as widgets_features
from featlab.widgets import transfer as widgets_transfer

NOTEBOOKS = [
    path
    for path in (Path(__file__).parents[1] / "notebooks").rglob("*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
]

DATA = fl.Dataset(patches().images, patches().labels, HOSTILE)

# extra: plotly's own, of hover texts
OWN_TAGS = {"b", "i", "s", "br", "div", "sup", "sub", "span", "style", "extra"}


def strings(part: object) -> list[str]:
    """All text of a figure, at any depth, without what draws pictures."""
    if isinstance(part, dict):
        return [
            text
            for key, value in part.items()
            if key not in ("source", "template")
            for text in strings(value)
        ]
    if isinstance(part, list | tuple | np.ndarray):
        return [text for value in part for text in strings(value)]
    return [part] if isinstance(part, str) else []


def check_figure(figure: go.Figure, *names: str) -> None:
    """No foreign tag in it, and each name is to be read in it."""
    texts = strings(figure.to_dict())
    assert set().union(*(Tags(text).found for text in texts)) <= OWN_TAGS
    assert not any("$" in text for text in texts)
    read = " ".join(html.unescape(re.sub("<[^>]+>", "", text)) for text in texts)
    assert all(name in read for name in names)
    said = describe(json.loads(figure.to_json()))
    assert not Tags(str(escaped(said))).found


def check_widget(widget: w.Widget) -> None:
    """No foreign tag in any of its HTML, nor in its twin; <sup>, which a title may hold,
    is not the widgets' own either.
    """
    pages = [one.value for one in leaves(widget) if isinstance(one, w.HTML) and one.value != NAMED]
    figures = [widget.twin, *(go.Figure(one) for one in leaves(widget) if isinstance(one, go.FigureWidget))]
    for figure in figures:
        check_figure(figure)
    for text in pages + [text for figure in figures for text in strings(figure.to_dict())]:
        assert Tags(text).found <= OWN_TAGS - {"sup"}, text


def leaves(widget: w.Widget) -> list[w.Widget]:
    return [widget, *(leaf for child in getattr(widget, "children", ()) for leaf in leaves(child))]


SPANS = {name: {other: (0.5, 0.4, 0.6) for other in HOSTILE} for name in HOSTILE}
IMAGES = {name: DATA.images[:4] for name in HOSTILE}
LINES = {name: ([0, 1], [0, 1]) for name in HOSTILE}
RATES = {name: dict.fromkeys(HOSTILE, 0.5) for name in HOSTILE}
GAIN = Entry(0.1, 0.0, 0.2)
FIGURES = {
    "samples": lambda: plots.samples(IMAGES, {name: HOSTILE for name in HOSTILE}, title=SCRIPT),
    "bars": lambda: plots.bars(SPANS, title=SCRIPT),
    "curves": lambda: plots.curves(LINES, x=SCRIPT, y=SCRIPT, title=SCRIPT),
    "sliding": lambda: plots.sliding(
        [("1", SCRIPT, IMAGES)], prefix=SCRIPT, captions={name: HOSTILE for name in HOSTILE}
    ),
    "strips": lambda: plots_debate.strips(IMAGES, {name: HOSTILE for name in HOSTILE}),
    "spans": lambda: plots_debate.spans(SPANS, y=SCRIPT, title=SCRIPT),
    "gains": lambda: plots_debate.gains({name: [GAIN] * 9 for name in HOSTILE}, title=SCRIPT),
    "falling": lambda: plots_features.falling(LINES, x=SCRIPT, title=SCRIPT),
    "falling twin": lambda: plots_features.falling_twin(LINES, [(SCRIPT, [0, 1], SCRIPT)], prefix=SCRIPT),
    "stages": lambda: plots_scale.stages(
        {name: dict.fromkeys(HOSTILE, 1.0) for name in HOSTILE}, unit=SCRIPT, title=SCRIPT
    ),
    "figure 3": lambda: plots_transfer.figure3(
        {name: [(0.1, 0.2), (0.2, 0.3)] for name in HOSTILE}, title=SCRIPT
    ),
    "matrix": lambda: plots_transfer.transfer_matrix(RATES, title=SCRIPT, chosen=HOSTILE[:2]),
    "matrix twin": lambda: plots_transfer.matrix_twin([(SCRIPT, RATES)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_takes_a_name_for_markup(name):
    check_figure(FIGURES[name](), *([] if name == "figure 3" else [SCRIPT]))


CAPTIONED = {
    "samples": lambda words: plots.samples({"a": DATA.images[:4]}, {"a": words}),
    "strips": lambda words: plots_debate.strips({"a": DATA.images[:4]}, {"a": words}),
    "sliding": lambda words: plots.sliding(
        [("1", "", {"a": DATA.images[:4]})], prefix="", captions={"a": words}
    ),
    "attack": lambda words: go.Figure(
        plots.attack_panel(*DATA.pixels[:2], torch.ones(4) / 4, words, label=0)
    ),
    "matrix": lambda words: plots_transfer.transfer_matrix(
        {name: dict.fromkeys(words, 0.5) for name in words}
    ),
    "figure 3": lambda words: plots_transfer.figure3({name: [(0.1, 0.2)] for name in words}),
}


@pytest.mark.parametrize("name", CAPTIONED)
def test_the_name_of_a_class_is_read_as_it_was_given_whatever_tags_it_holds(name):
    names = ("<b>bold</b>", "<i>x</i> & y", "10<sup>2</sup><br>", "plain")
    texts = [html.unescape(text) for text in strings(CAPTIONED[name](names).to_dict())]
    assert all(any(word in text for text in texts) for word in names)
    found = [Tags(text).found for text in strings(CAPTIONED[name](names).to_dict())]
    assert set().union(*found) <= ({"b"} if name == "figure 3" else set())  # its names are bold


def test_no_notebook_sets_the_name_of_a_class_as_markup():
    tags = re.compile(r"<[a-z]+>\{[^}]*(?:classes|names)")
    assert not [path.name for path in NOTEBOOKS if tags.search(path.read_text(encoding="utf-8"))], (
        "captions escape what they show"
    )


def spectrum(model: torch.nn.Module) -> Spectrum:
    radii = (0.0, 0.5, 1.0)
    measured = parts_of_spectrum(model, DATA, radii)
    return spectrum_of(measured.join(list(measured.parts())), model, radii)


WIDGETS = {
    "attack": lambda: widgets.AttackExplorer(tiny(), DATA, steps=2, largest=1.0, index=3),
    "inversion": lambda: widgets.InversionExplorer({name: tiny() for name in HOSTILE}, DATA, steps=2),
    "push": lambda: widgets.PushExplorer(
        tiny(), DATA, {SCRIPT: RULES["D_rand"], HOSTILE[3]: RULES["D_det"]}, steps=2
    ),
    "spectrum": lambda: widgets_features.SpectrumExplorer(
        {name: tiny() for name in HOSTILE[2:]}, {name: spectrum(tiny()) for name in HOSTILE[2:]}, DATA
    ),
}


@pytest.mark.parametrize("name", WIDGETS)
def test_no_widget_takes_a_name_for_markup(name):
    check_widget(WIDGETS[name]())


def test_the_transfer_explorer_takes_no_name_for_markup():
    data = fl.Dataset(DATA.images, fl.predict(tiny(), DATA.images), HOSTILE)  # so that some are right
    explorer = widgets_transfer.TransferExplorer(
        {name: tiny() for name in HOSTILE}, data, radii=(0, 1), steps=2
    )
    check_widget(explorer)
    assert "window.owned" in html.unescape(explorer.opinions.value + explorer.verdict.value)


def test_an_error_and_a_warning_of_a_callback_are_text(recwarn):
    import warnings

    from featlab.widgets.live import guard

    def told():
        warnings.warn(SCRIPT, stacklevel=1)
        raise ValueError(SCRIPT)

    message = w.HTML()
    guard(told, message)()
    assert (
        Tags(message.value).found <= {"b", "br"}
        and message.value.count("window.owned") == 2
        and not recwarn.list
    )


def test_the_report_takes_no_name_for_markup():
    report = {"rows": {}, "stages": {SCRIPT: {"seconds": 1.0, "pflop": 1.0, "share": 0.1}}}
    assert not Tags(page.stage_html(report)).found - {"table", "tr", "th", "td", "sup"}


def test_a_static_page_takes_no_figure_for_markup():
    pages = pytest.importorskip("tools.pages")
    made = pages.figure(json.loads(FIGURES["bars"]().to_json()), "figure-0")
    assert Tags(made).found <= {"figure", "div", "script"} and made.count("</script>") == 1
    assert not Tags(pages.page(SCRIPT, SCRIPT, "")).found & {"img", "svg", "onerror", "onload"}
