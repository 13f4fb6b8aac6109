"""A model that does not fit its images is refused in words before it is explored."""

import re

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab.widgets.answers import answer, belief, check_finite, check_represents, classes_of

REFUSED = [
    (tiny(channels=3), patches(), "cannot take these images"),
    (tiny(classes=2), patches(), "tells 2 classes apart, these images have 4"),
    (tiny(classes=1), patches(classes=1), "at least two"),
    (lambda x: x.flatten(1).sum(1), patches(), "shape"),
    (lambda x: "cat", patches(), "str"),
    (lambda x: 1 / 0, patches(), "division"),
    (None, patches(), "must be a function"),
]


@pytest.mark.parametrize(("model", "data", "says"), REFUSED, ids=range(len(REFUSED)))
def test_a_model_that_does_not_fit_is_refused_in_words(model, data, says):
    with pytest.raises((ValueError, TypeError)) as refusal:
        classes_of(model, data)
    assert re.search(says, str(refusal.value))


def test_the_answer_is_the_models_own():
    model, data = tiny(), patches()
    with torch.no_grad():
        expected = model(data.pixels[:1])[0]
    torch.testing.assert_close(answer(model, data), expected)


def test_classes_that_the_data_do_not_name_are_numbers():
    images, labels = patches().images, patches().labels % 3
    assert classes_of(tiny(), fl.Dataset(images, labels)) == ["0", "1", "2", "3"]
    assert classes_of(tiny(), fl.Dataset(images, labels, ("a", "b", "c"))) == ["a", "b", "c", "3"]


def test_a_model_of_nan_is_refused_by_name(nan_model):
    check_finite(tiny(), patches())
    with pytest.raises(ValueError, match=r"'bad' gives logits that are not finite"):
        check_finite(nan_model, patches(), "the model 'bad'")


def test_a_model_without_representation_is_refused_by_name():
    check_represents(tiny())
    with pytest.raises(TypeError, match=r"'one' needs a method represent.*featlab Classifier"):
        check_represents(torch.nn.Flatten(), "the model 'one'")


def test_a_belief_names_the_likeliest_class_and_whether_it_is_the_true_one():
    p, names = torch.tensor([0.1, 0.7, 0.2]), ["a", "<b>", "c"]
    assert belief(p, names, 1) == "The model says <b>&lt;b&gt;</b> with 70 %: right."
    assert belief(p, names, 0).endswith("fooled.")


def test_a_belief_in_nothing_is_right_in_no_class():
    words = belief(torch.full((4,), float("nan")), ["a", "b", "c", "d"], 0)
    assert "nothing" in words and "right" not in words
