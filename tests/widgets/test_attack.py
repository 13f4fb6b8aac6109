"""The attack explorer shows what PGD makes, and what the model believes of it."""

import contextlib
import re

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab import plots, widgets
from featlab.experiments.presets import RULES
from featlab.models import Classifier
from featlab.widgets.attack import BELIEF, AttackExplorer, belief_bars, marking
from featlab.widgets.pictures import trace


@pytest.fixture
def explorer(trained, clothes):
    return AttackExplorer(trained, clothes[1], largest=2.0, steps=5)


def bars(explorer):
    return trace(explorer.bars, BELIEF)


def test_a_moved_knob_shows_what_pgd_gives(explorer):
    explorer.eps.value, explorer.image.value = 1.5, 3
    one, model = explorer.data[3], explorer.model
    z = fl.PGD(fl.L2(1.5), steps=5)(model, one.pixels, one.labels)
    with torch.no_grad():
        p = 100 * model(z).softmax(1)[0]
    assert bytes(explorer.pictures[2].value) == plots.png(z[0])
    assert list(bars(explorer).x) == pytest.approx(p.tolist(), abs=0.05)
    assert explorer.message.value == ""


def test_the_bars_are_those_of_the_static_plot(explorer):
    explorer.eps.value, explorer.image.value = 1.0, 7
    x, z, p, label = explorer.attack(1.0, 7, -1)
    [still] = [one for one in plots.attack_panel(x, z, p, explorer.names, label=label) if one.type == "bar"]
    live = bars(explorer)
    assert (live.x, live.y, live.text) == (still.x, still.y, still.text)
    assert live.marker.to_plotly_json() == still.marker.to_plotly_json()


def test_each_picture_is_encoded_once_a_move(explorer, encodings):
    for move in (("eps", 0.5), ("image", 9), ("towards", 2)):
        encodings.clear()
        getattr(explorer, move[0]).value = move[1]
        assert len(encodings) == len(explorer.pictures) == 3


def test_without_a_radius_nothing_changes(explorer):
    explorer.eps.value, explorer.image.value = 0.0, 3
    assert explorer.pictures[2].value == explorer.pictures[0].value
    explorer.eps.value = 2.0
    assert explorer.pictures[2].value != explorer.pictures[0].value
    assert sum(bars(explorer).x) == pytest.approx(100, abs=0.1)


def test_a_target_raises_its_bar(explorer):
    explorer.eps.value, explorer.towards.value = 0.0, 4
    before = bars(explorer).x[4]
    explorer.eps.value = 2.0
    assert bars(explorer).x[4] > before


def test_an_error_of_the_attack_is_shown_and_goes(explorer, monkeypatch):
    def fails(*_):
        raise RuntimeError("no <such> thing")

    with monkeypatch.context() as patch:
        patch.setattr(explorer, "attack", fails)
        explorer.image.value = 5
        assert "RuntimeError" in explorer.message.value and "&lt;such&gt;" in explorer.message.value
    explorer.image.value = 6
    assert explorer.message.value == ""


@pytest.mark.parametrize("index", [0, 39, 120, 149, -1])
def test_the_image_named_is_the_image_shown_by_slider_and_twin(index):
    data = patches(150)
    explorer = AttackExplorer(tiny(), data, index=index, steps=1)
    place = range(150)[index]
    assert explorer.image.value == place <= explorer.image.max
    assert explorer.pictures[0].value == plots.png(data.pixels[place])
    first = next(explorer.twin.select_traces({"type": "image"}))
    assert first.source == plots.data_uri(data.pixels[place])


def test_a_model_of_nan_is_right_about_nothing(nan_model):
    with contextlib.suppress(ValueError, FloatingPointError):  # the attack may refuse it first
        explorer = AttackExplorer(nan_model, patches(20), steps=1)
        assert "right" not in explorer.verdict.value and "nothing" in explorer.verdict.value


class Tuple(torch.nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :4], x


@pytest.mark.parametrize("model", [Tuple(), tiny().double()], ids=["tuple", "double"])
@pytest.mark.parametrize("kind", ["attack", "push"])
def test_what_the_copy_that_attacks_use_can_take_is_taken(model, kind):
    """Never does another library's error come out bare."""
    make = {
        "attack": lambda: widgets.AttackExplorer(model, patches(), steps=1),
        "push": lambda: widgets.PushExplorer(model, patches(), RULES, steps=1),
    }
    try:
        explorer = make[kind]()
    except (ValueError, TypeError) as error:
        assert re.search("logits|tuple|cannot take these images|double|Double", str(error))
    else:
        assert explorer.verdict.value


SHAPES = [(1, 4, 1), (1, 2, 40), (3, 4, 12), (1, 100, 200)]


@pytest.mark.parametrize(("channels", "classes", "n"), SHAPES)
@pytest.mark.parametrize("cut", [(8, 8), (8, 6), (4, 8)])
def test_there_is_a_bar_with_room_for_every_class(channels, classes, n, cut):
    images = patches(n, channels, classes).images[:, :, : cut[0], : cut[1]].contiguous()
    data = fl.Dataset(images, torch.arange(n) % classes, tuple(map(str, range(classes))))
    model = Classifier(torch.nn.Flatten(), channels * cut[0] * cut[1], channels=channels, classes=classes)
    model.trained.fill_(True)
    explorer = AttackExplorer(model, data, steps=1)
    assert explorer.bars.layout.height >= 12 * classes and len(bars(explorer).x) == classes


def test_only_the_true_class_is_solid():
    look = marking(2, 4)
    assert look["pattern"]["shape"] == ["/", "/", "", "/"]
    assert look["color"] == [plots.ORANGE, plots.ORANGE, plots.BLUE, plots.ORANGE]


def test_empty_bars_name_the_classes_as_text():
    figure = belief_bars(["<b>a</b>", "b"])
    assert trace(figure, BELIEF).y == ("&lt;b&gt;a&lt;/b&gt;", "b") and trace(figure, BELIEF).x == (0, 0)
