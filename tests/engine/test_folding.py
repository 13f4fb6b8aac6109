"""A batch-norm is folded into the convolution before it where that keeps the function, and only there."""

import torch
import torch.nn.functional as F
from networks import Branching, Shared
from small import shake, tiny
from torch import nn

import featlab as fl
from featlab.engine import freezing
from featlab.engine.folding import Scales, Watch, fold, folded


def norms_left(model: nn.Module, *shape: int) -> int:
    network = freezing.frozen(model)
    network(torch.rand(2, *shape))
    return sum(isinstance(part, nn.BatchNorm2d) for part in network.copy.modules())


def test_norms_are_folded_where_that_keeps_the_function():
    assert (
        norms_left(tiny(), 1, 8, 8)
        == norms_left(fl.cnn(width=4), 1, 28, 28)
        == norms_left(fl.resnet18(), 3, 16, 16)
        == 0
    )
    assert norms_left(Shared(), 4, 8, 8) == 4  # none
    assert norms_left(Branching(), 4, 8, 8) == 1  # what happens hangs on the pixels


def test_convolution_and_norm_are_one_convolution():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 5, 3, stride=2, bias=False), nn.BatchNorm2d(5, eps=0.1))
    shake(model)
    x = torch.rand(4, 3, 9, 9)
    expected = model.eval()(x)
    weight, bias = folded(model, "0", "1")
    torch.testing.assert_close(F.conv2d(x, weight, bias, stride=2), expected, atol=1e-5, rtol=1e-5)
    fold(model, "0", "1")
    assert type(model[1]) is nn.Identity and model[0].bias.shape == (5,)


def pairs_of(model: nn.Module, *shape: int) -> list[tuple[str, str]]:
    watch = Watch(model)
    with torch.no_grad(), watch:
        model(torch.rand(2, *shape))
    return watch.pairs()


def test_a_norm_is_paired_with_the_convolution_whose_only_reader_it_is():
    convolution, norm = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)
    assert pairs_of(nn.Sequential(convolution, norm).eval(), 4, 8, 8) == [("0", "1")]
    assert pairs_of(nn.Sequential(norm, convolution).eval(), 4, 8, 8) == []
    assert pairs_of(nn.Sequential(convolution, nn.ReLU(), norm).eval(), 4, 8, 8) == []
    assert pairs_of(nn.Sequential(convolution, norm).train(), 4, 8, 8) == []
    assert pairs_of(Shared().eval(), 4, 8, 8) == pairs_of(Branching().eval(), 4, 8, 8) == []


def test_scales_weigh_what_is_made_and_no_view_of_what_was_given():
    x = torch.rand(10, 4)
    with Scales() as scales:
        x.view(4, 10)
        x.t()
        assert scales.bytes == scales.widest == 0
        x * 2
        torch.cat([x, x])
    assert (scales.bytes, scales.widest) == (3 * x.nbytes, 2 * x.nbytes)
