"""Sliders move pictures, errors are shown, and every widget has a twin that needs no kernel."""

from types import SimpleNamespace

import plotly.graph_objects as go
import plotly.io as pio
import pytest
import torch

import featlab as fl
from featlab import widgets
from featlab.alt import values
from featlab.reproduce import RULES


@pytest.fixture(scope="module")
def trained():
    train, test = fl.load()
    return fl.train(fl.cnn(width=4), train[:500], epochs=2, lr=0.1, seed=0), test


@pytest.fixture(scope="module")
def attack(trained):
    return widgets.AttackExplorer(*trained, largest=2.0, steps=5)


@pytest.fixture(scope="module")
def explorers(trained, attack):
    model, test = trained
    inversion = widgets.InversionExplorer({"one": model, "two": model}, test, steps=4)
    return [attack, inversion, widgets.PushExplorer(model, test[:20], RULES, steps=2)]


def test_each_widget_has_a_plain_twin_with_at_most_20_steps_and_stable_words(explorers):
    for explorer in explorers:
        assert type(explorer.twin) is go.Figure
        assert 1 < len(explorer.twin.layout.sliders[0].steps) <= 20
        assert len(explorer.twin.to_json()) < 120_000
        assert explorer._repr_mimebundle_()["text/plain"] == explorer.says


def test_the_eps_slider_moves_image_bars_and_verdict(attack):
    attack.eps.value, attack.image.value, attack.towards.value = 0.0, 3, -1
    picture, bars = attack.pictures[2].value, list(attack.bars.data[0].x)
    assert attack.pictures[2].value == attack.pictures[0].value
    attack.eps.value = 2.0
    assert attack.pictures[2].value != picture and list(attack.bars.data[0].x) != bars
    assert sum(attack.bars.data[0].x) == pytest.approx(100, abs=0.1)


def test_a_target_raises_its_bar(attack):
    attack.eps.value, attack.towards.value = 0.0, 4
    before = attack.bars.data[0].x[4]
    attack.eps.value = 2.0
    assert attack.bars.data[0].x[4] > before
    attack.towards.value = -1


def test_a_callbacks_error_is_shown_and_goes_when_mended(attack, monkeypatch):
    def fails(*_):
        raise RuntimeError("no <such> thing")

    with monkeypatch.context() as patch:
        patch.setattr(attack, "attack", fails)
        attack.image.value = 5
        assert "RuntimeError" in attack.message.value and "&lt;such&gt;" in attack.message.value
    attack.image.value = 6
    assert attack.message.value == ""


def test_the_inversion_begins_at_the_beginning_and_moves(explorers):
    explorer = explorers[1]
    explorer.step.value = 0
    assert explorer.pictures[2].value == explorer.pictures[1].value
    explorer.step.value = 4
    assert explorer.pictures[2].value != explorer.pictures[1].value
    target = explorer.pictures[0].value
    explorer.target.value += 1
    assert explorer.pictures[0].value != target and explorer.message.value == ""


def test_the_push_explorer_follows_rule_and_radius(explorers):
    explorer = explorers[2]
    explorer.eps.value, explorer.rule.value = 0.0, "D_det"
    plain, words = explorer.image.value, explorer.captions.value
    explorer.eps.value = 3.0
    assert explorer.image.value != plain and explorer.captions.value == words
    explorer.rule.value = "D_other"
    assert explorer.captions.value != words and explorer.message.value == ""


def test_progress_passes_every_item():
    assert list(widgets.progress(iter(range(5)), "D_R", 5)) == list(range(5))


@pytest.fixture
def notebook(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")


def test_watch_trains_the_model(trained, monkeypatch, notebook):
    shown = []

    class Handle:
        def display(self, figure):
            shown.append(figure)

        def update(self, bundle, raw):
            assert raw
            shown.append(bundle["application/vnd.plotly.v1+json"])

    monkeypatch.setattr(widgets, "DisplayHandle", Handle)
    train, _ = fl.load()
    model = fl.cnn(width=4)
    widgets.watch(fl.Training(model, train[:500], recipe=fl.Recipe(epochs=2, lr=0.1), seed=0), every=2)
    other = fl.train(fl.cnn(width=4), train[:500], epochs=2, lr=0.1, seed=0)
    assert torch.equal(model.head.weight, other.head.weight)
    live, still = shown
    assert isinstance(live, go.FigureWidget) and len(live.data[0].x) == len(values(still["data"][0]["x"])) == 4


def test_without_motion_the_curve_appears_when_it_is_whole(clothes, monkeypatch, notebook):
    shown = []
    handle = SimpleNamespace(display=shown.append, update=lambda bundle, raw: shown.append(bundle))
    monkeypatch.setattr(widgets, "DisplayHandle", lambda: handle)
    monkeypatch.setenv("FEATLAB_MOTION", "off")
    widgets.watch(fl.Training(fl.cnn(width=4), clothes[0][:100], recipe=fl.Recipe(epochs=1, lr=0.1), seed=0), every=1, title="learning")
    assert repr(shown[0]) == "learning …" and "application/vnd.plotly.v1+json" in shown[1] and len(shown) == 2


def test_the_inversion_offers_only_images_that_there_are(trained):
    model, test = trained
    explorer = widgets.InversionExplorer({"one": model}, test[:5], steps=2)
    explorer.target.value = explorer.start.value = 99
    assert explorer.target.value == explorer.start.value == 4 and explorer.message.value == ""
