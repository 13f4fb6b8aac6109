"""Numbers, logits and warnings: what is taken, what is refused by its name, and where a warning points."""

import math
import re
import warnings

import numpy as np
import pytest
import torch
from small import linear, patches, tiny

import featlab as fl
from featlab.inputs import checks
from featlab.inputs.checks import logits_of, real, whole


@pytest.mark.parametrize(
    "number", [np.int64(3), np.int32(3), np.float64(3), 3.0, torch.tensor(3), np.uint8(3)]
)
def test_numbers_of_numpy_and_torch_are_taken_and_name_the_same_setting(number):
    assert repr(fl.PGD(fl.L2(number), steps=number)) == "PGD(L2(3), steps=3)"
    assert repr(fl.Recipe(epochs=number)) == repr(fl.Recipe(epochs=3))
    assert whole(number, "n") == real(number, "n") == 3
    data = patches(6)
    for make in (
        lambda s: fl.robustify(linear(), data, fl.Inversion(steps=1), seed=s),
        lambda s: fl.mislabel(linear(), data, fl.random_labels, None, seed=s),
    ):
        assert torch.equal(make(number).images, make(3).images)


@pytest.mark.parametrize("make, says", [
    (lambda: fl.L2("8/255"), "eps"), (lambda: fl.L2(None), "eps"), (lambda: fl.Linf([1]), "eps"),
    (lambda: fl.PGD(fl.L2(1), steps="5"), "steps"),
    (lambda: fl.PGD(fl.L2(1), steps=True), "steps"), (lambda: fl.PGD(fl.L2(1), steps=math.inf), "steps"),
    (lambda: fl.PGD(fl.L2(1), step="1"), "step"),
    (lambda: fl.Recipe(epochs="2"), "epochs"), (lambda: fl.Recipe(epochs=1.5), "epochs"),
    (lambda: fl.Recipe(lr="a"), "lr"),
    (lambda: fl.Recipe(momentum=math.nan), "momentum"),
    (lambda: fl.Selective(fl.L2(1), weight=math.nan), "weight"),
])  # fmt: skip
def test_what_is_no_number_is_refused_by_its_name(make, says):
    with pytest.raises((ValueError, TypeError), match=says):
        make()


def test_nothing_is_looked_at_twice_in_logits():
    y = torch.rand(3, 4)
    assert logits_of(y, 3) is y


TAKEN = [
    (lambda: checks.whole(2.0, "n"), 2),
    (lambda: checks.whole(-3, "n", least=None), -3),
    (lambda: checks.sides(28), (28, 28)),
    (lambda: checks.sides([28, np.int64(40)]), (28, 40)),
    (lambda: checks.between(0.5, "x", 0, 0.5), 0.5),
    (lambda: checks.positive(1e-9, "x"), 1e-9),
    (lambda: checks.flag(np.bool_(False), "x"), False),
    (lambda: checks.known("a", iter(["a", "b"]), "letter"), "a"),
    (lambda: checks.numbers(np.array([1, 2]), "x"), [1, 2]),
    (lambda: checks.numbers((), "x"), []),
    (lambda: checks.named({"a": 1}, "x"), {"a": 1}),
    (lambda: checks.called("f", "a, b", lambda a, b: a - b, 5, 3), 2),
    (lambda: checks.shown_by(lambda items: items, "items", [1]), [1]),
]


@pytest.mark.parametrize("take, value", TAKEN)
def test_what_means_one_thing_is_taken_for_it(take, value):
    assert take() == value


REFUSED = [
    (lambda: checks.whole(-1, "n"), "n must be a whole number from 0 up, got -1"),
    (lambda: checks.whole(1.5, "n"), "got 1.5"),
    (lambda: checks.whole(math.inf, "n", least=None), "n must be a whole number, got inf"),
    (lambda: checks.whole(True, "n"), "got True"),
    (lambda: checks.real("8/255", "eps"), "eps must be a number, such as 8 / 255"),
    (lambda: checks.sides((28, 0)), "got (28, 0)"),
    (lambda: checks.sides(True), "got True"),
    (lambda: checks.between(2, "x", 0, 1), "x must be a finite number from 0 to 1, got 2"),
    (lambda: checks.between(math.nan, "x"), "x must be a finite number, got nan"),
    (lambda: checks.between(-1, "x", 0), "from 0 up, got -1"),
    (lambda: checks.positive(0, "x"), "x must be a number above 0, got 0"),
    (lambda: checks.flag("no", "x"), "x must be True or False, got 'no'"),
    (lambda: checks.known("c", ["a", "b"], "letter"), "unknown letter 'c': choose one of a, b"),
    (lambda: checks.numbers("12", "x"), "x must be a list of numbers, got '12'"),
    (lambda: checks.numbers([1, math.inf], "x"), "each of x must be a finite number, got inf"),
    (lambda: checks.instance(3, str, "x must be a word"), "x must be a word, got int 3"),
    (lambda: checks.named({"a": 1}, "x", least=2), "at least 2, got 1: ['a']"),
    (lambda: checks.function(3, "f", "a, b"), "f must be a function of (a, b), got 3"),
    (lambda: checks.called("f", "a, b", lambda a: a, 5, 3), "wrap it in lambda a, b: ..."),
    (lambda: checks.shown_by(lambda items: None, "items", [1]), "it gave None"),
    (lambda: checks.real(list(range(999)), "x"), "list [0, 1, 2"),
]


@pytest.mark.parametrize("take, says", [pytest.param(*row, id=row[1]) for row in REFUSED])
def test_what_means_nothing_is_refused_by_its_name_in_one_line(take, says):
    with pytest.raises((ValueError, TypeError), match=re.escape(says)) as refusal:
        take()
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 200


def test_an_error_inside_a_function_is_the_functions_own():
    def adds(a):
        return a + "text"

    with pytest.raises(TypeError, match=r"^unsupported operand"):
        checks.called("f", "a", adds, 5)


def test_in_a_quiet_block_nothing_is_warned_of_and_after_it_again():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(KeyError), checks.quiet():
            checks.warn("unheard")
            raise KeyError
    with pytest.warns(UserWarning, match="heard") as said:
        checks.warn("heard")
    assert said[0].filename == __file__


def test_a_warning_points_at_the_readers_line_however_deep_it_arises():
    with pytest.warns(UserWarning, match="6 logits and the data 4 classes") as said:
        fl.accuracy(tiny(classes=6), patches(8))
    assert said[0].filename == __file__


MATRIX = torch.rand(3, 4)


@pytest.mark.parametrize(
    "output",
    [MATRIX, (1, MATRIX), {"logits": MATRIX, "aux": MATRIX}, [MATRIX, torch.ones(3)], MATRIX.numpy()],
)
def test_the_logits_are_found_in_whatever_a_model_returns(output):
    assert torch.equal(logits_of(output, 3), MATRIX)


def test_logits_of_one_image_may_be_flat_and_small_numbers_become_floats():
    assert torch.equal(logits_of(MATRIX[0], 1), MATRIX[:1])
    assert logits_of(MATRIX.half(), 3).dtype == torch.float32
    assert logits_of(MATRIX.double(), 3).dtype == torch.float64
    with pytest.raises(ValueError, match="one logit an image"):
        logits_of(MATRIX[:, :1], 3)
