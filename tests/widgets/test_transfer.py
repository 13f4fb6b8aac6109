"""The matrix of transfer rates and the images under it are those of `craft`."""

import pytest
from small import patches, tiny

import featlab as fl
from featlab import plots
from featlab.engine import devices
from featlab.transfer import craft
from featlab.widgets.pictures import trace
from featlab.widgets.transfer import FRAME, RATES, SHOWN, TransferExplorer, check_models


@pytest.fixture(scope="module")
def explorer(trained, clothes):
    with devices.precision("float32"):
        other = fl.train(fl.cnn(width=4), clothes[0], epochs=2, lr=0.2, seed=1)
        models = {
            "a": trained,
            "b": other,
            "c<b>": fl.train(fl.cnn(width=2), clothes[0], epochs=2, lr=0.2, seed=2),
        }
        return TransferExplorer(models, clothes[1][:60], radii=(0, 0.5, 2), steps=3)


def test_the_matrix_shows_the_rates_of_crafted_examples(explorer):
    explorer.eps.value = 2
    for source, row in zip(explorer.models.values(), trace(explorer.figure, RATES).z, strict=True):
        examples = craft(source, explorer.data, fl.PGD(fl.L2(2), steps=3))
        rates = [100 * float(examples.rate(target)) for target in explorer.models.values()]
        assert list(row) == pytest.approx(rates, abs=0.06)


def test_without_a_radius_nobody_is_fooled(explorer):
    explorer.eps.value = 0
    assert all(rate == 0 for row in trace(explorer.figure, RATES).z for rate in row)


def test_the_frame_and_the_verdict_follow_source_and_target(explorer):
    explorer.source.value, explorer.target.value = "b", "c<b>"
    frame = trace(explorer.figure, FRAME)
    assert (frame.x, frame.y) == (("c&lt;b&gt;",), ("b",))
    assert "<b>b</b> fool <b>c&lt;b&gt;</b>" in explorer.verdict.value


def test_the_chosen_images_are_what_they_are_called_and_all_of_them(explorer):
    explorer.eps.value, explorer.source.value, explorer.target.value = 2, "a", "b"
    examples, total = explorer.examples(), 0
    for words, (source, target) in SHOWN.items():
        explorer.kind.value = words
        found = explorer.chosen()
        total += len(found)
        assert (examples.succeeds(explorer.models["a"])[found] == source).all()
        assert (examples.succeeds(explorer.models["b"])[found] == target).all()
        assert ("another" in explorer.opinions.value) == (not len(found))
    assert total == int(examples.counted(explorer.models["b"]).sum()) and explorer.message.value == ""


def test_the_image_shown_is_the_numbered_one_of_those_chosen(explorer, encodings):
    explorer.eps.value, explorer.source.value, explorer.target.value = 0.5, "a", "b"
    explorer.kind.value, explorer.number.value = "fooled: source only", 0
    assert len(explorer.chosen()) > 2
    encodings.clear()
    explorer.number.value = 2
    found = explorer.chosen()
    index = int(found[2 % len(found)])
    z = explorer.examples().images[index]
    assert len(encodings) == 3
    assert explorer.pictures[0].value == plots.png(explorer.data.pixels[index], zoom=4)
    assert explorer.pictures[2].value == plots.png(z, zoom=4)
    assert f"Image {index}, one of {len(found)}" in explorer.opinions.value


def test_the_twin_has_a_step_for_each_radius_and_the_same_numbers(explorer):
    [slider] = explorer.twin.layout.sliders
    for step, eps in zip(slider.steps, (0, 0.5, 2), strict=True):
        explorer.eps.value = eps
        shown = trace(explorer.figure, RATES)
        assert [list(row) for row in step.args[0]["z"][0]] == [list(row) for row in shown.z]
        assert step.label == f"{eps:g}"


def test_each_model_is_looked_at_by_its_name(nan_model):
    assert check_models({"a": tiny()}, patches()) == [f"corner {i}" for i in range(4)]
    with pytest.raises(ValueError, match=r"'bad' gives logits that are not finite"):
        check_models({"good": tiny(), "bad": nan_model}, patches())
    with pytest.raises(ValueError, match="with at least 2"):
        TransferExplorer({"one": tiny()}, patches())
