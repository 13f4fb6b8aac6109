"""What people have in hand becomes tensors, or is refused in words."""

import decimal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featlab.inputs import arrays

NUMBERS = [0, 2, 1, 1, 0, 2]
KINDS = [
    "u1",
    "u2",
    "u4",
    "u8",
    "i1",
    "i2",
    "i4",
    "i8",
    "f2",
    "f4",
    "f8",
    "g",
    ">u2",
    ">i4",
    ">f4",
    ">f8",
    "O",
]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_every_kind_keep_their_values(kind):
    tensor = arrays.tensor_of(np.array(NUMBERS).astype(kind), "labels")
    assert tensor.tolist() == NUMBERS
    assert (tensor + 1).max() == 3 and tensor.min() == 0  # torch computes with them


@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=5))
def test_lists_arrays_and_lists_of_tensors_are_the_same(rows):
    given_as = [
        rows,
        tuple(rows),
        np.array(rows),
        [np.array(row) for row in rows],
        [torch.tensor(row) for row in rows],
    ]
    assert all(arrays.tensor_of(values, "images").tolist() == rows for values in given_as)


def test_memory_of_any_order_is_read_in_the_order_of_its_axes():
    values = np.arange(24).reshape(2, 3, 4)
    for view in (
        values[::-1],
        values.transpose(2, 0, 1),
        values[:, ::2],
        np.asfortranarray(values),
        np.broadcast_to(values, (5, 2, 3, 4)),
    ):
        assert arrays.tensor_of(view, "images").tolist() == view.tolist()
    values.flags.writeable = False
    assert arrays.tensor_of(values, "images").tolist() == values.tolist()


def test_an_array_is_copied_so_that_its_owner_may_go_on_with_it():
    values = np.zeros(3)
    tensor = arrays.tensor_of(values, "images")
    values[:] = 7
    assert tensor.tolist() == [0, 0, 0]


def test_a_sparse_tensor_becomes_dense_and_others_pass_as_they_are():
    dense = torch.eye(3)
    assert torch.equal(arrays.tensor_of(dense.to_sparse(), "images"), dense)
    assert arrays.tensor_of(dense, "images") is dense


NO_NUMBERS = {
    "nothing": (None, TypeError, "got NoneType"),
    "text": ("abc", TypeError, "got str"),
    "a set, which has no order": ({1, 2}, TypeError, "got set"),
    "a dict": ({"a": 1}, TypeError, "got dict"),
    "a generator": ((i for i in NUMBERS), TypeError, "got generator"),
    "None among them": ([1, None], TypeError, "real numbers"),
    "objects": ([decimal.Decimal(1)], TypeError, "real numbers"),
    "times": (np.zeros(2, "M8[s]"), TypeError, "real numbers"),
    "records": (np.zeros(2, [("a", int)]), TypeError, "real numbers"),
    "complex": (np.zeros(2, complex), TypeError, "real numbers"),
    "a complex tensor": (torch.zeros(2, dtype=torch.complex64), TypeError, "real numbers"),
    "a tensor without values": (torch.zeros(2, device="meta"), TypeError, "ordinary tensor"),
    "ragged": ([[1], [1, 2]], ValueError, "ragged"),
    "tensors of two shapes": ([torch.zeros(1), torch.zeros(2)], ValueError, "of one shape"),
    "masked": (np.ma.array([1, 2], mask=[0, 1]), TypeError, "filled"),
}


@pytest.mark.parametrize("case", NO_NUMBERS)
def test_what_is_no_numbers_is_refused_by_its_name(case):
    values, error, says = NO_NUMBERS[case]
    with pytest.raises(error, match=f"things .*{says}"):
        arrays.tensor_of(values, "things")


# labels


@pytest.mark.parametrize(
    "make",
    [list, tuple, np.array, lambda t: np.array(t, dtype=object), lambda t: np.array(t, dtype="S")[:, None]],
)
def test_texts_become_places_among_the_names(make):
    texts = ["dog", "cat", "dog", "eel"]
    labels, names = arrays.numbered(make(texts), ())
    assert names == ("cat", "dog", "eel") and [names[i] for i in labels.tolist()] == texts
    labels, names = arrays.numbered(make(texts), ["eel", "dog", "cat", "ant"])
    assert names == ("eel", "dog", "cat", "ant") and [names[i] for i in labels.tolist()] == texts


def test_texts_that_are_whole_numbers_are_sorted_by_value():
    labels, names = arrays.numbered(["10", "9", "0"], ())
    assert names == ("0", "9", "10") and labels.tolist() == [2, 1, 0]


def test_a_text_that_is_no_class_is_refused():
    with pytest.raises(ValueError, match="there is no class 'elk': classes are cat, dog"):
        arrays.numbered(["cat", "elk"], ("cat", "dog"))
    with pytest.raises(TypeError, match="some of each"):
        arrays.numbered(["cat", 1], ())


@pytest.mark.parametrize("classes", ["abc", 3, None])
def test_names_are_one_text_each(classes):
    with pytest.raises(TypeError, match="names of the classes"):
        arrays.class_names(classes)


def test_names_differ():
    with pytest.raises(ValueError, match="more than one a, c"):
        arrays.class_names(["a", "b", "a", "c", "c"])
    assert arrays.class_names(range(3)) == ("0", "1", "2")


@given(
    st.lists(st.integers(0, 4), min_size=2, max_size=9),
    st.sampled_from(["float32", "int64", "bool", "uint8"]),
)
def test_one_hot_rows_and_columns_are_the_labels_that_they_mean(labels, kind):
    labels = torch.tensor(labels)
    rows = torch.nn.functional.one_hot(labels, 5).to(getattr(torch, kind))
    assert torch.equal(arrays.one_each(rows, len(labels)), labels)
    assert torch.equal(arrays.one_each(labels[:, None], len(labels)), labels)
    assert torch.equal(arrays.one_each(labels, len(labels)), labels)


def test_one_number_is_the_label_of_one_image():
    assert arrays.one_each(torch.tensor(3), 1).tolist() == [3]


NOT_ONE_EACH = {
    "probabilities": (torch.full((3, 4), 0.25), r"argmax\(1\)"),
    "several ones": (torch.ones(3, 4), r"argmax\(1\)"),
    "no one": (torch.zeros(3, 4), r"argmax\(1\)"),
    "a row": (torch.zeros(1, 3), r"reshape\(-1\)"),
    "deeper": (torch.zeros(3, 1, 1), r"reshape\(-1\)"),
    "too few": (torch.zeros(2), r"3 images, labels of shape \(2,\)"),
    "one for all": (torch.tensor(1), r"3 images, labels of shape \(\)"),
}


@pytest.mark.parametrize("case", NOT_ONE_EACH)
def test_labels_that_are_not_one_each_are_refused_with_what_makes_them_so(case):
    labels, says = NOT_ONE_EACH[case]
    with pytest.raises(ValueError, match=f"one label per image.*{says}"):
        arrays.one_each(labels, 3)


# places

COUNT = 7


@given(
    st.lists(st.integers(-COUNT, COUNT - 1), min_size=1, max_size=9),
    st.sampled_from([list, np.array, torch.tensor]),
)
def test_places_are_those_of_a_list(index, make):
    everything = list(range(COUNT))
    chosen = torch.arange(COUNT)[arrays.places(make(index), COUNT)]
    assert chosen.tolist() == [everything[i] for i in index]


@given(st.slices(COUNT))
def test_slices_are_those_of_a_list(index):
    assert torch.arange(COUNT)[arrays.places(index, COUNT)].tolist() == list(range(COUNT))[index]


@given(
    st.lists(st.booleans(), min_size=COUNT, max_size=COUNT), st.sampled_from([list, np.array, torch.tensor])
)
def test_a_mask_chooses_what_is_true(mask, make):
    chosen = torch.arange(COUNT)[arrays.places(make(mask), COUNT)]
    assert chosen.tolist() == [i for i, true in enumerate(mask) if true]


@pytest.mark.parametrize("one", [3, -4, np.int64(3), np.array(3), torch.tensor(3), np.uint16(3)])
def test_one_place_of_any_kind_is_one_image(one):
    assert torch.arange(COUNT)[arrays.places(one, COUNT)].tolist() == [3]


NO_PLACES = {
    "beyond": (7, IndexError, "no image 7"),
    "before": ([0, -8], IndexError, "no image -8"),
    "truth": (True, TypeError, "whole number"),
    "a pair": ((0, 1), TypeError, "whole number"),
    "everything": (..., TypeError, "whole number"),
    "nothing": (None, TypeError, "NoneType"),
    "text": ("3", TypeError, "str"),
    "a fraction": (1.0, TypeError, "float"),
    "fractions": ([0.0, 1.0], TypeError, "whole numbers"),
    "a mask of another length": ([True, False], IndexError, r"shape \(7,\)"),
    "bytes, mask or places": (np.zeros(7, np.uint8), TypeError, r"\.bool\(\) for a mask"),
    "a table": ([[0, 1]], IndexError, "list of numbers"),
}


@pytest.mark.parametrize("case", NO_PLACES)
def test_what_is_no_place_is_refused(case):
    index, error, says = NO_PLACES[case]
    with pytest.raises(error, match=says):
        arrays.places(index, COUNT)
