"""Whatever enters, the reader's data stay as they were, and a warning points at the reader's line."""

import warnings

import torch
from networks import Around
from small import patches, tiny
from torch import nn

import featlab as fl
from featlab.types import Dataset

GENTLE = fl.PGD(fl.L2(0.5), steps=2)


def destroying(model, x, y):
    y.fill_(0)
    return x.mul_(0.5)


class InPlace(nn.Module):
    """A model that standardises its input in place."""

    def __init__(self):
        super().__init__()
        self.inner = tiny()

    def forward(self, x):
        return self.inner(x.sub_(0.5).mul_(0.9).add_(0.5))


def test_functions_that_work_in_place_change_nothing_of_the_readers():
    data = Dataset(patches(8).pixels, patches(8).labels, patches(8).classes)
    images, labels = data.images.clone(), data.labels.clone()

    def rule(labels, classes, generator):
        labels[labels == 3] = 0
        return labels

    binary = fl.features.one_against_rest(data, 0)
    fl.mislabel(tiny(), data, rule, destroying)
    fl.accuracy(InPlace(), data, GENTLE)
    fl.accuracy(tiny(), data, destroying)
    fl.train(InPlace(), data, attack=destroying, epochs=1, batch=4)
    fl.usefulness(lambda x: x.mul_(2).flatten(1)[:, :2], binary)
    fl.robust_usefulness(lambda x: x.mul_(2).flatten(1)[:, :2], binary, fl.L2(0.1), steps=2)
    assert torch.equal(data.images, images) and torch.equal(data.labels, labels)
    assert torch.equal(binary.images, images)


def test_one_warning_a_call_at_the_readers_line():
    model = Around(tiny(), pre=torch.round)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        for _ in range(2):
            GENTLE(model, patches(8).images, patches(8).labels)
    assert len(said) == 2 and all(one.filename == __file__ for one in said)
