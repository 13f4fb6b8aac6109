"""The explorer of mislabelled images shows what `mislabel` makes, with both labels."""

import base64
import io
import re

import pytest
import torch
from PIL import Image
from small import patches, tiny

import featlab as fl
from featlab import plots
from featlab.experiments.presets import RULES
from featlab.models import Classifier
from featlab.widgets.inversion import InversionExplorer
from featlab.widgets.mislabel import PushExplorer, reached


@pytest.fixture
def explorer(trained, clothes):
    return PushExplorer(trained, clothes[1][:20], RULES, steps=2)


def test_a_moved_knob_shows_what_mislabel_gives(explorer):
    explorer.rule.value, explorer.eps.value = "D_det", 2.0
    attack = fl.PGD(fl.L2(2.0), steps=2, targeted=True)
    made = fl.mislabel(explorer.model, explorer.data, RULES["D_det"], attack)
    assert explorer.image.value == plots.png(plots.strip(made.images[:8], gap=5))
    names = [explorer.names[int(label)] for label in made.labels[:8]]
    assert re.findall("<b>(.*?)</b>", explorer.captions.value) == names
    old = [explorer.names[int(label)] for label in explorer.data.labels[:8]]
    assert re.findall("<s>(.*?)</s>", explorer.captions.value) == old
    share = 100 * made.report["reached"].float().mean()
    assert f"<b>{share:.0f} %</b> of 20 images" in explorer.verdict.value


def test_the_radius_changes_images_and_the_rule_labels(explorer):
    explorer.eps.value, explorer.rule.value = 0.0, "D_det"
    plain, words = explorer.image.value, explorer.captions.value
    assert plain == plots.png(plots.strip(explorer.data.images[:8], gap=5))
    explorer.eps.value = 3.0
    assert explorer.image.value != plain and explorer.captions.value == words
    explorer.rule.value = "D_other"
    assert explorer.captions.value != words and explorer.message.value == ""


def test_a_move_encodes_its_strip_once(explorer, encodings):
    explorer.eps.value = 1.0
    assert len(encodings) == 1


def test_the_share_reached_is_that_of_the_report(explorer):
    pushed = explorer.push(3.0, "D_rand")
    assert reached(pushed) == f"{100 * pushed.report['reached'].double().mean():.0f} %"


def test_a_model_of_nan_is_refused(nan_model):
    with pytest.raises(ValueError, match="not finite"):
        PushExplorer(nan_model, patches(20), RULES, steps=1)


SHAPES = [(1, 4, 1), (1, 2, 40), (3, 4, 12), (1, 100, 200)]


@pytest.mark.parametrize(("channels", "classes", "n"), SHAPES)
@pytest.mark.parametrize("cut", [(8, 8), (8, 6), (4, 8)])
def test_any_shape_of_images_is_shown_whole(channels, classes, n, cut):
    made = patches(n, channels, classes)
    names = tuple(map(str, range(classes)))
    data = fl.Dataset(made.images[:, :, : cut[0], : cut[1]].contiguous(), made.labels, names)
    size = channels * cut[0] * cut[1]
    model = Classifier(torch.nn.Flatten(), size, channels=channels, classes=classes)
    model.trained.fill_(True)
    push = PushExplorer(model, data, RULES, steps=1)
    inversion = InversionExplorer({"one": model}, data, steps=1)
    for explorer in (push, inversion):
        (left, right), (bottom, top) = explorer.twin.layout.xaxis.range, explorer.twin.layout.yaxis.range
        for trace in explorer.twin.data:
            height, width = pixels_of(trace.source)
            assert left <= trace.x0 and trace.x0 + (width - 1) * trace.dx <= right
            assert top <= trace.y0 and trace.y0 + (height - 1) * trace.dy <= bottom


def pixels_of(source: str) -> tuple[int, int]:
    """Height and width of a data: address."""
    image = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1])))
    return image.height, image.width


def test_without_a_radius_only_what_is_so_already_reaches_its_label():
    model, data = tiny(), patches(20)
    pushed = PushExplorer(model, data, {"next": fl.next_labels}, steps=1).push(0.0, "next")
    seen = fl.predict(model, data.images)
    assert torch.equal(pushed.report["reached"].cpu(), seen == pushed.labels)
