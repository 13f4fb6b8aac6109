"""What leaks into wrong labels: counts by hand on a handful of images, sets that are what they are called."""

import pytest
from small import TINY

import featlab as fl
from featlab.experiments import leaks


@pytest.fixture
def lab(tmp_path):
    return fl.Lab(TINY, store=fl.Store(tmp_path, released=False))


def test_the_halves_are_disjoint_and_each_is_labelled_by_the_other():
    for half, other in leaks.LABELLER.items():
        assert sorted(leaks.HALVES[half] + leaks.HALVES[other]) == list(range(10))


def test_errors_are_the_images_that_the_early_model_gets_wrong(lab):
    found, data = leaks.errors(lab), lab.data[0]
    right = fl.predict(leaks.early(lab), data.images) == data.labels
    assert found["images"] == int((~right).sum())
    assert float(found["early"]) == fl.accuracy(leaks.early(lab), lab.data[1])


def test_other_classes_labels_every_image_of_the_other_half(lab):
    found, labels = leaks.other_classes(lab, "even"), lab.data[0].labels
    assert sum(found["labels"]) == int((labels % 2 == 1).sum()) and len(found["labels"]) == 5


def test_the_early_model_and_the_fresh_one_are_the_same_every_time(lab):
    for make in (leaks.early, lambda lab: leaks.fresh(lab, lab.data[0])):
        assert make(lab).head.weight.equal(make(lab).head.weight)
    fresh, shifted = leaks.fresh(lab, lab.data[0]), leaks.fresh(lab, lab.data[0], shift=1)
    assert not fresh.head.weight.equal(shifted.head.weight)


def test_the_stored_leaks_are_at_the_radii_of_now():
    for report in fl.measured("debate"):
        assert list(report["rows"]["leakage"]["eps"]) == [f"{eps:g}" for eps in leaks.TRAINED_RADII]
