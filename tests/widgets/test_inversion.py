"""The inversion explorer shows the ways of `robustify`, step by step."""

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab import plots
from featlab.constructed import Inversion
from featlab.widgets.inversion import InversionExplorer, in_percent


@pytest.fixture
def explorer(trained, clothes):
    return InversionExplorer({"one": trained, "two": tiny(classes=10, size=28)}, clothes[1], steps=4)


def test_each_step_shows_its_image_of_the_way(explorer):
    x, start = explorer.data[0].pixels, explorer.data[7].pixels
    for name, shown in zip(("one", "two"), explorer.pictures[2:], strict=True):
        images, distances = Inversion(4).path(explorer.models[name], x, start)
        for step in range(5):
            explorer.step.value = step
            assert shown.value == plots.png(images[step, 0])
            assert f"{100 * distances[step, 0]:.0f} % for the {name} model" in explorer.verdict.value


def test_it_begins_at_the_beginning(explorer):
    explorer.step.value = 0
    assert explorer.pictures[2].value == explorer.pictures[3].value == explorer.pictures[1].value


def test_another_target_or_beginning_has_another_way(explorer):
    explorer.step.value = 4
    end = explorer.pictures[2].value
    explorer.target.value = 5
    assert explorer.pictures[0].value == plots.png(explorer.data.pixels[5])
    assert explorer.pictures[2].value != end and explorer.message.value == ""
    explorer.start.value = 2
    assert explorer.pictures[1].value == plots.png(explorer.data.pixels[2])


def test_a_step_computes_no_way_anew(explorer, monkeypatch):
    monkeypatch.setattr(explorer, "follow", lambda: pytest.fail("computed anew"))
    explorer.step.value = 3
    assert "after 3 steps" in explorer.verdict.value


def test_only_images_that_there_are_are_offered(trained, clothes):
    explorer = InversionExplorer({"one": trained}, clothes[1][:5], steps=2)
    explorer.target.value = explorer.start.value = 99
    assert explorer.target.value == explorer.start.value == 4 and explorer.message.value == ""


@pytest.mark.parametrize("index", [0, 39, 120, 149, -1])
def test_the_image_named_is_the_target(index):
    data = patches(150)
    explorer = InversionExplorer({"one": tiny()}, data, index=index, steps=1)
    assert explorer.target.value == range(150)[index]
    assert explorer.pictures[0].value == plots.png(data.pixels[index])
    with pytest.raises(IndexError, match="no image 150"):
        InversionExplorer({"one": tiny()}, data, index=150, steps=1)


def test_a_model_without_representation_is_refused_by_name():
    with pytest.raises(TypeError, match=r"'one' needs a method represent.*featlab Classifier"):
        InversionExplorer({"one": torch.nn.Flatten()}, patches(), steps=1)


def test_a_share_of_nan_is_no_number():
    assert in_percent(torch.tensor(0.234)) == "23 %"
    assert in_percent(torch.tensor(float("nan"))) == "no finite number"


def test_the_twin_ends_with_the_last_step(explorer):
    [slider] = explorer.twin.layout.sliders
    assert [step.label for step in slider.steps] == ["0", "1", "2", "3", "4"]
    shown = f"{100 * explorer.ways['one'][1][4, 0]:.0f} % (one)"
    assert shown in slider.steps[4].args[1]["title.text"]


def test_each_picture_is_encoded_once_a_step(explorer, encodings):
    explorer.step.value = 2
    assert len(encodings) == len(explorer.pictures) == 4


def test_the_classes_of_the_models_may_differ():
    data = fl.Dataset(patches().images, patches().labels)
    assert InversionExplorer({"two": tiny(classes=2), "six": tiny(classes=6)}, data, steps=1).verdict.value
