"""Sets of wrong labels hold what they say, and the control changes what it says and nothing else."""

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab.debate import wrong_labels


def test_the_errors_are_all_wrong_and_all_the_model_says():
    model, data = tiny(), patches(100)
    wrong = wrong_labels.errors_of(model, data)
    rest = fl.predict(model, data.images) != data.labels
    assert torch.equal(wrong.images, data.images[rest]) and torch.equal(
        wrong.labels, fl.predict(model, wrong.images)
    )
    assert not (wrong.labels == data.labels[rest]).any()
    with pytest.raises(ValueError, match="no errors"):
        wrong_labels.errors_of(model, fl.Dataset(data.images, fl.predict(model, data.images)))


def test_only_some_classes_are_numbered_anew_in_the_order_given():
    data = patches(40)
    part = wrong_labels.only(data, (3, 1))
    assert part.classes == ("corner 3", "corner 1") and len(part) == 20
    assert torch.equal(part.images[part.labels == 0], data.images[data.labels == 3])
    assert torch.equal(part.images[part.labels == 1], data.images[data.labels == 1])
    teacher = tiny(classes=2)
    assert torch.equal(
        wrong_labels.labelled_by(teacher, data, part.classes).labels, fl.predict(teacher, data.images)
    )


def test_the_controls_images_are_left_alone_or_changed_by_exactly_eps_in_their_classs_pattern():
    data = patches(60)
    targets, clean = (data.labels + 1) % 4, torch.arange(60) % 5 == 0
    made = wrong_labels.accidental_only(data, targets, clean, eps=0.6)
    change = made.images - data.pixels
    assert torch.equal(made.images[clean], data.pixels[clean]) and torch.equal(made.labels, targets)
    assert torch.allclose(fl.L2.norm(change)[~clean], torch.tensor(0.6), atol=1e-5)
    assert made.images.min() >= 0 and made.images.max() <= 1
    signs = wrong_labels.patterns(4, (1, 8, 8))[targets]
    assert (change * signs)[~clean].min() >= 0  # along the pattern or clipped, never against it
    with pytest.raises(ValueError, match="smaller eps"):
        wrong_labels.accidental_only(data, targets, clean, eps=100)
