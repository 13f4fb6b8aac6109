"""Means over images: their weights, the values of features, what is no feature."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small import grey, patches

import featlab as fl
from featlab.engine import chunks
from featlab.features.measuring import as_matrix, class_weights, estimate, rows, signs, values
from featlab.types import Dataset


def labelled(labels: list[int]) -> Dataset:
    return Dataset(torch.rand(len(labels), 1, 2, 2), torch.tensor(labels))


def equal(n: int) -> torch.Tensor:
    return torch.full((n,), 1 / n, dtype=torch.float64)


def test_with_equal_weights_it_is_the_mean_and_the_error_of_the_mean():
    terms = torch.randn(500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = estimate(terms, equal(500))
    torch.testing.assert_close(found.value, terms.mean(0))
    torch.testing.assert_close(found.error, terms.std(0, correction=0) / 500**0.5)
    assert found.n == 500


@given(st.lists(st.sampled_from([-1.0, 1.0]), min_size=2, max_size=40).filter(lambda y: len(set(y)) == 2))
def test_weights_sum_to_1_and_balanced_ones_give_each_class_a_half(found):
    y = torch.tensor(found)
    plain, balanced = class_weights(y, balanced=False), class_weights(y, balanced=True)
    assert plain.sum().item() == pytest.approx(1) and plain.unique().numel() == 1
    assert [balanced[y > 0].sum().item(), balanced[y < 0].sum().item()] == pytest.approx([0.5, 0.5])
    assert balanced[y > 0].unique().numel() == balanced[y < 0].unique().numel() == 1


def test_labels_0_and_1_become_signs_and_other_classes_are_refused():
    assert signs(labelled([0, 1, 1])).tolist() == signs(labelled([-1, 1, 1])).tolist() == [-1, 1, 1]
    with pytest.raises(ValueError, match=r"found \[1\]: both are needed"):
        signs(labelled([1, 1]))
    with pytest.raises(ValueError, match=r"found \[0, 1, 2\]: use one_against_rest"):
        signs(labelled([0, 1, 2]))


def test_values_in_chunks_are_the_features_of_the_images_in_their_order(monkeypatch):
    data, seen = patches(40), []
    monkeypatch.setattr(chunks, "chunk", lambda kind: 7)

    def brightness(x):
        seen.append(len(x))
        return x.flatten(1).mean(1)

    found = values(brightness, data.pixels)
    torch.testing.assert_close(found, brightness(data.pixels).double()[:, None])
    assert found.dtype == torch.float64 and len(seen) > 3


def test_a_feature_that_works_in_place_changes_no_image():
    x = grey(6).images
    before = x.clone()
    assert rows(lambda z: z.mul_(2).flatten(1), x, {}).shape == (6, 16)
    assert torch.equal(x, before)


@pytest.mark.parametrize("feature, says", [
    (lambda x: x[:2, 0, 0, 0], r"shape \(6,\)"),
    (lambda x: x, "sum over the pixels"),
    (lambda x: x.flatten(1)[:, :0], r"it gave \(6, 0\)"),
    (lambda x: "bright", "it gave str"),
    (lambda x: torch.complex(x, x).flatten(1), "complex64"),
])  # fmt: skip
def test_what_gives_no_row_of_numbers_per_image_is_refused(feature, says):
    with pytest.raises(ValueError, match=says):
        as_matrix(feature, grey(6).images, {})


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_value_that_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match="NaN or infinite"):
        rows(lambda x: x.flatten(1).index_fill(0, torch.tensor([3]), bad), grey(6).images, {})


def test_features_of_numpy_and_of_whole_numbers_are_taken():
    data = fl.features.one_against_rest(patches(40), 0)
    expected = fl.usefulness(lambda x: x[:, 0, 0, 0], data).value
    torch.testing.assert_close(fl.usefulness(lambda x: x.numpy()[:, 0, 0, 0], data).value, expected)
    assert fl.usefulness(lambda x: (x[:, 0, 0, 0] * 255).round().long(), data).value.isfinite().all()
    assert values(lambda x: x[:, 0, 0, 0] > 0.4, data.pixels).shape == (40, 1)
