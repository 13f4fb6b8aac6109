"""Usefulness over the classes: its definition by hand, its limits, and pairs of sets."""

from dataclasses import replace

import pytest
import torch
from small import patches

import featlab as fl
from featlab.features.definitions import one_against_rest, standardise, usefulness
from featlab.features.signal import signal, standardise_classes
from featlab.types import Dataset


def outputs(k: int = 4):
    """k linear features of 8x8 images, drawn once."""
    a = torch.randn(64, k, generator=torch.Generator().manual_seed(3))
    return lambda x: x.flatten(1) @ a.to(x.dtype)


def test_it_is_the_mean_of_the_usefulness_of_each_class_against_the_rest():
    data, f = patches(60), outputs()
    by_hand = [
        float(usefulness(lambda x, c=c: f(x)[:, c], one_against_rest(data, c), balanced=True))
        for c in range(4)
    ]
    assert float(signal(standardise_classes(f, data), data)) == pytest.approx(sum(by_hand) / 4, abs=1e-6)


def test_under_another_set_the_scale_is_that_of_the_first():
    data, other, f = patches(60), patches(60, seed=1), outputs()
    features = standardise_classes(f, data)
    first = standardise(lambda x: f(x)[:, 0], one_against_rest(data, 0), balanced=True)
    assert features.mean[0] == pytest.approx(first.mean[0]) and features.std[0] == pytest.approx(first.std[0])
    by_hand = [
        float(
            usefulness(
                standardise(lambda x, c=c: f(x)[:, c], one_against_rest(data, c), balanced=True),
                one_against_rest(other, c),
                balanced=True,
            )
        )
        for c in range(4)
    ]
    assert float(signal(features, other)) == pytest.approx(sum(by_hand) / 4, abs=1e-6)


def test_a_label_is_worth_1_and_its_negative_minus_1():
    data = patches(40)
    where = {tuple(x.flatten().tolist()): y for x, y in zip(data.pixels, data.labels.tolist(), strict=True)}
    labels = lambda x: torch.eye(4)[[where[tuple(z.flatten().tolist())] for z in x]]  # noqa: E731
    features = standardise_classes(labels, data)
    assert float(signal(features, data)) == pytest.approx(1)
    assert float(signal(standardise_classes(lambda x: -labels(x), data), data)) == pytest.approx(-1)
    shifted = replace(data, labels=fl.next_labels(data.labels, 4))
    assert float(signal(features, shifted)) == pytest.approx(
        -1 / 3
    )  # wrong for its class, right for two of three


def test_the_interval_holds_the_value_over_all_images_as_often_as_it_says():
    f, whole = outputs(), patches(4000)
    features = standardise_classes(f, whole)
    truth, hits = float(signal(features, whole)), 0
    for seed in range(60):
        index = torch.randint(4000, (300,), generator=torch.Generator().manual_seed(seed))
        low, high = signal(features, whole[index]).interval
        hits += low <= truth <= high
    assert 52 <= hits <= 60


def test_a_difference_over_the_same_images_is_paired():
    data, f = patches(200), outputs()
    features = standardise_classes(f, data)
    before = signal(features, data)
    after = signal(features, Dataset((data.pixels + 0.01).clamp(0, 1), data.labels, data.classes))
    gain = after - before
    width = lambda mean: mean.interval[1] - mean.interval[0]  # noqa: E731
    assert float(gain) == pytest.approx(float(after) - float(before))
    assert width(gain) < 0.2 * width(after)
    with pytest.raises(ValueError, match="same images"):
        after - signal(features, data[:50])


def test_what_cannot_be_measured_is_refused():
    data, f = patches(40), outputs()
    with pytest.raises(ValueError, match="one feature for each of 4 classes, got 3"):
        standardise_classes(outputs(3), data)
    with pytest.raises(ValueError, match="same for all images"):
        standardise_classes(lambda x: torch.ones(len(x), 4), data)
    with pytest.raises(ValueError, match="class 3 must be among"):
        signal(standardise_classes(f, data), replace(data, labels=data.labels % 3))
    with pytest.raises(TypeError, match="standardise_classes"):
        signal(f, data)
