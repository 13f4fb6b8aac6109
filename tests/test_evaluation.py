"""Accuracy against hand counts, over chunks, and under attack."""

import pytest
import torch
import torch.nn.functional as F

import featlab as fl
from featlab.evaluation import accuracy, predict
from featlab.types import Dataset


def brightness(classes: int):
    """A classifier whose prediction can be read off: the number of its pixels above a half,
    at most classes - 1.
    """
    return lambda x: F.one_hot((x > 0.5).flatten(1).sum(1).clamp_max(classes - 1), classes).float()


def test_accuracy_is_the_hand_count():
    images = torch.zeros(5, 1, 2, 2)
    for i, bright in enumerate([0, 1, 2, 3, 3]):
        images[i].view(-1)[:bright] = 1
    data = Dataset(images, torch.tensor([0, 1, 0, 3, 2]))
    assert predict(brightness(4), images).tolist() == [0, 1, 2, 3, 3]
    assert float(accuracy(brightness(4), data)) == 3 / 5 and accuracy(brightness(4), data).n == 5
    darken = lambda model, x, y: x * (y > 0).view(-1, 1, 1, 1) * (x.flatten(1).sum(1) < 3).view(-1, 1, 1, 1)  # noqa: E731
    # of images 0, 1, 3 image 3 turns dark and wrong; image 2 would turn right, but it was wrong as it is
    assert float(accuracy(brightness(4), data, darken)) == 2 / 5
    assert float(accuracy(brightness(4), data, lambda model, x, y: x)) == 3 / 5
    assert float(accuracy(brightness(4), data[[2]], darken)) == 0


def test_accuracy_over_several_chunks_is_the_mean_of_its_parts(trained, clothes):
    test = clothes[1]
    whole = accuracy(trained, test)
    parts = [accuracy(trained, test[i : i + 60]) for i in range(0, 300, 60)]
    assert float(whole) == pytest.approx(sum(parts) / 5)


@pytest.mark.parametrize(
    "attack",
    [fl.PGD(fl.L2(0.5), steps=3), fl.PGD(fl.L2(0.5), steps=1, random_start=True), fl.PGD(fl.Linf(0.0))],
)
def test_an_attack_never_raises_accuracy(attack, trained, clothes):
    clean, attacked = accuracy(trained, clothes[1]), accuracy(trained, clothes[1], attack)
    assert attacked <= clean and (attack.ball.eps == 0) == (attacked == clean)
