"""Watching a training changes nothing about it, and progress passes every item on."""

from types import SimpleNamespace

import plotly.graph_objects as go
import plotly.io as pio
import pytest
import torch

import featlab as fl
from featlab import plots, widgets
from featlab.course.alt import numbers_in
from featlab.widgets import training
from featlab.widgets.pictures import trace

BRIEF = fl.Recipe(epochs=2, lr=0.1)


@pytest.fixture
def shown(monkeypatch):
    """What a cell shows, one after the other."""
    found = []
    update = lambda bundle, raw=False: found.append(bundle)  # noqa: E731
    handle = SimpleNamespace(display=found.append, update=update)
    monkeypatch.setattr(training, "DisplayHandle", lambda: handle)
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    return found


def test_progress_passes_every_item_and_leaves_a_record(shown):
    assert list(widgets.progress(iter(range(5)), "D_R", 5)) == list(range(5))
    assert repr(shown[0]) == "D_R …" and "made in" in repr(shown[-1])


def test_a_watched_model_is_the_one_that_train_gives(clothes, shown):
    data = clothes[0][:500]
    model = fl.cnn(width=4)
    widgets.watch(fl.Training(model, data, recipe=BRIEF, seed=0), every=2)
    other = fl.train(fl.cnn(width=4), data, epochs=2, lr=0.1, seed=0)
    assert torch.equal(model.head.weight, other.head.weight) and not model.training


def test_the_curves_are_means_of_the_steps_between_two_points(clothes, shown):
    data = clothes[0][:500]
    records = list(fl.Training(fl.cnn(width=4), data, recipe=BRIEF, seed=0))
    widgets.watch(fl.Training(fl.cnn(width=4), data, recipe=BRIEF, seed=0), every=2)
    live, still = shown
    assert isinstance(live, go.FigureWidget)
    loss = trace(live, "loss of the batch")
    assert list(loss.x) == [record.step for record in records[1::2]]
    pairs = zip(records[::2], records[1::2], strict=True)
    assert list(loss.y) == pytest.approx([(one.loss + two.loss) / 2 for one, two in pairs])
    stored = still["application/vnd.plotly.v1+json"]["data"]
    assert [len(numbers_in(curve["x"])) for curve in stored] == [len(loss.x)] * 2


def test_a_point_is_added_to_each_curve_by_its_name():
    empty = {name: ([], []) for name in training.CURVES}
    figure = go.FigureWidget(plots.curves(empty, x="step", y=""))
    figure.data = figure.data[::-1]  # wherever they stand
    training.lengthen(figure, [SimpleNamespace(step=s, loss=s, accuracy=0.5) for s in (1, 2)])
    assert trace(figure, "loss of the batch").y == (1.5,)
    assert trace(figure, "accuracy of the batch").y == (0.5,)
    assert trace(figure, "accuracy of the batch").x == (2,)


def test_without_motion_the_curve_appears_when_it_is_whole(clothes, monkeypatch, shown):
    monkeypatch.setenv("FEATLAB_MOTION", "off")
    brief = fl.Recipe(epochs=1, lr=0.1)
    watched = fl.Training(fl.cnn(width=4), clothes[0][:100], recipe=brief, seed=0)
    widgets.watch(watched, every=1, title="learning")
    assert repr(shown[0]) == "learning …" and "application/vnd.plotly.v1+json" in shown[1] and len(shown) == 2
