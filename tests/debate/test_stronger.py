"""APGD by its rule, beside PGD and beside the published implementation; the worst of several attacks."""

import pytest
import torch

import featlab as fl
from featlab.debate import stronger
from featlab.engine import chunks


def test_the_checkpoints_are_those_of_the_published_code():
    assert stronger.checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_the_step_is_halved_where_it_did_not_help_and_only_there():
    z, ones = torch.zeros(3, 1, 1, 1), torch.ones(3)
    state, previous = stronger.Halving(z, ones, z, 2.0), ones
    for i in range(4):  # the first image improves, the second gets worse, the third swings
        loss = torch.tensor([0.9 - 0.1 * i, 1.1 + 0.1 * i, 0.8 + 0.4 * (i % 2)])
        state.note(z + i + 1, loss, z, previous)
        previous = loss
    assert state.decide(4).tolist() == [False, True, True] and state.step.tolist() == [2, 1, 1]
    assert state.best[0].flatten().tolist() == [4, 0, 1]
    # many steps improved on the last, yet nothing better was found: that, too, halves, but not twice in a row
    state.fell += 4
    assert state.decide(8).tolist() == [True, False, False]


@pytest.mark.parametrize("ball", [fl.L2(0.75), fl.Linf(0.05)], ids=repr)
def test_apgd_is_at_least_as_strong_as_pgd_with_as_many_steps(trained, clothes, ball):
    part = clothes[1][:150]
    weaker = fl.accuracy(trained, part, fl.PGD(ball, steps=20))
    for loss, slack in {
        "cross-entropy": 0,
        "margin": 1,
        "ratio": 3,
    }.items():  # images: the ratio needs more steps
        attack = stronger.APGD(ball, steps=20, loss=loss)
        assert fl.accuracy(trained, part, attack) <= weaker + (slack + 0.5) / len(part), loss
        moved = attack(trained, part.pixels, part.labels)
        assert (
            ball.norm(moved - part.pixels).max() <= ball.eps + 1e-5 and moved.min() >= 0 and moved.max() <= 1
        )
    x, y = part.pixels, part.labels
    left = lambda z: stronger.cross_entropy(trained(z), y).mean()  # noqa: E731
    with torch.no_grad():
        assert left(stronger.APGD(ball, steps=20)(trained, x, y)) < left(
            fl.PGD(ball, steps=20)(trained, x, y)
        )


@pytest.mark.parametrize("ball", [fl.L2(0.75), fl.Linf(0.05)], ids=repr)
def test_apgd_keeps_a_point_that_succeeds_even_where_another_has_less_probability_of_the_truth(
    trained, clothes, ball, monkeypatch
):
    monkeypatch.setattr(chunks, "chunk", lambda kind: len(clothes[1]))
    x, y, ever = clothes[1].pixels, clothes[1].labels, []

    def watched(z):
        logits = trained(z)
        ever.append(logits.argmax(1) != y)
        return logits

    ends = trained(stronger.APGD(ball, steps=20)(watched, x, y)).argmax(1) != y
    assert len(ever) > 20 and (ends == torch.stack(ever).any(0)).all()


def test_the_losses_fall_below_0_where_the_model_is_wrong_and_the_ratio_has_no_scale():
    logits, y = torch.tensor([[3.0, 1, 0, -1], [1, 2, 0, -1]]), torch.tensor([0, 0])
    assert stronger.margin(logits, y).tolist() == [2, -1]
    assert torch.allclose(stronger.ratio(logits, y), torch.tensor([2 / 3, -1 / 2]))
    assert torch.allclose(stronger.ratio(100 * logits, y), stronger.ratio(logits, y))
    with pytest.raises(ValueError, match="unknown loss"):
        stronger.APGD(fl.L2(1), loss="dlr")


def test_the_published_implementation_agrees(trained, clothes):
    torchattacks = pytest.importorskip("torchattacks")
    part = clothes[1][:150]
    for name, loss in (("ce", "cross-entropy"), ("dlr", "ratio")):
        theirs = torchattacks.APGD(trained, norm="L2", eps=0.75, steps=30, n_restarts=1, loss=name)(
            part.pixels, part.labels
        )
        published = fl.accuracy(trained, fl.Dataset(theirs.clamp(0, 1), part.labels))
        assert (
            abs(published - fl.accuracy(trained, part, stronger.APGD(fl.L2(0.75), steps=30, loss=loss)))
            <= 0.02
        )


def test_the_worst_of_several_is_no_weaker_than_each_and_what_stands_is_counted(trained, clothes):
    part = clothes[1][:150]
    each = {f"{steps}": fl.PGD(fl.L2(0.6), steps=steps) for steps in (1, 5)} | {
        "apgd": stronger.APGD(fl.L2(0.6), steps=10)
    }
    stands = stronger.standing(trained, part, each)
    for name, attack in each.items():
        assert stands[name].float().mean().item() == pytest.approx(float(fl.accuracy(trained, part, attack)))
    together = fl.accuracy(trained, part, stronger.Worst(tuple(each.values())))
    assert together == pytest.approx(stands["the worst of all"].float().mean().item())
    assert together <= min(s.float().mean().item() for s in stands.values()) + 1e-6
