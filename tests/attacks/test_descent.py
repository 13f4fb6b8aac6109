"""The loop by problems with known answers: it stays inside, it finds what is nearest, it keeps the best."""

import math
from functools import partial

import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab.attacks import L2, PGD, Linf, descend


def distance_to(a, z):
    return (z - a).flatten(1).norm(dim=1)


def test_descend_finds_the_nearest_point_of_the_ball():
    x, a = torch.full((3, 1, 4, 4), 0.5), torch.full((3, 1, 4, 4), 0.6)
    a[1, 0, 0, 0] = 0.9
    for ball in (L2(0.1), Linf(0.05)):
        z = descend(partial(distance_to, a), x, ball=ball, steps=200, step=0.02, decay=True)
        torch.testing.assert_close(z, x + ball.project(a - x), atol=2e-3, rtol=0)


def test_descend_without_radius_stops_at_the_box_only():
    x, a = torch.full((1, 1, 1, 3), 0.5), torch.tensor([[[[-0.4, 0.3, 1.7]]]])
    z = descend(partial(distance_to, a), x, ball=L2(math.inf), steps=300, step=0.1, decay=True)
    torch.testing.assert_close(z, a.clamp(0, 1), atol=1e-3, rtol=0)


@pytest.mark.parametrize("decay, path", [(False, 10), (True, 5.5)])
def test_steps_have_the_length_asked_for_and_decay_linearly(decay, path):
    x, direction = torch.full((2, 1, 3, 3), 0.5), torch.full((2, 1, 3, 3), -1.0)
    z = descend(
        lambda z: (z * direction).sum((1, 2, 3)), x, ball=L2(math.inf), steps=10, step=0.01, decay=decay
    )
    torch.testing.assert_close((z - x).flatten(1).norm(dim=1), torch.full((2,), 0.01 * path))


def test_each_image_follows_its_own_gradient():
    """A goal of one image a thousand times steeper than the others' changes nothing for them."""
    x, scale = torch.full((3, 1, 3, 3), 0.5), torch.tensor([1.0, 1000.0, 1e-6])
    a = torch.rand(3, 1, 3, 3)
    together = descend(lambda z: scale * distance_to(a, z), x, ball=L2(0.2), steps=5, step=0.05)
    alone = descend(partial(distance_to, a), x, ball=L2(0.2), steps=5, step=0.05)
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_best_keeps_the_least_loss_of_all_iterates():
    """A step that jumps over the minimum: the best iterate of z -> |z - a| is met on the way,
    for each image at another step.
    """
    x = torch.zeros(3, 1, 1, 1)
    a = torch.tensor([0.11, 0.29, 0.41]).view(3, 1, 1, 1)
    seen = []

    def goal(z):
        seen.append(z.detach().clone())
        return (z - a).abs().flatten(1).sum(1)

    z = descend(goal, x, ball=L2(math.inf), steps=6, step=0.1, best=True)
    losses = torch.stack([(s - a).abs().flatten(1).sum(1) for s in seen])
    assert len(seen) == 7  # the last iterate is judged too
    torch.testing.assert_close((z - a).abs().flatten(), losses.min(0).values)
    assert losses.argmin(0).unique().numel() > 1


GRADIENTLESS = {
    "detached": (lambda z: z.detach().flatten(1).sum(1), "no gradient.*detach"),
    "rounded to integers": (lambda z: z.round().long().flatten(1).sum(1), "no gradient"),
    "of something else": (
        lambda z: torch.ones(len(z), requires_grad=True) * 2,
        "does not depend on the pixels",
    ),
    "one number for all": (lambda z: z.sum(), "one number per image"),
    "many numbers": (lambda z: z.flatten(1), "one number per image"),
}


@pytest.mark.parametrize("case", GRADIENTLESS)
def test_a_goal_without_gradient_is_refused(case):
    goal, says = GRADIENTLESS[case]
    with pytest.raises(ValueError, match=says):
        descend(goal, torch.rand(2, 1, 3, 3), ball=L2(1.0), steps=1, step=0.1)


def test_a_model_without_gradient_is_refused():
    x, y = torch.rand(4, 1, 8, 8), torch.zeros(4, dtype=torch.long)
    with pytest.raises(ValueError, match="gradient"):
        PGD(L2(1.0))(lambda x: torch.zeros(len(x), 4), x, y)


@pytest.mark.parametrize(
    "steps, step, says", [(-1, 0.1, "steps"), (5, 0.0, "step"), (5, -0.1, "step"), (5, math.nan, "step")]
)
def test_bad_steps_are_refused_everywhere(steps, step, says):
    data = patches(4)
    with pytest.raises(ValueError, match=says):
        PGD(L2(1.0), steps=steps, step=step)
    with pytest.raises(ValueError, match=says):
        descend(lambda z: z.flatten(1).sum(1), data.pixels, ball=L2(1.0), steps=steps, step=step)
    with pytest.raises(ValueError, match=says):
        fl.robustify(tiny(), data, fl.Inversion(steps=steps, step=step))


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="whole number"):
        PGD(L2(1.0), steps=2.5)
    with pytest.raises(TypeError, match=r"L2\(eps\) or Linf\(eps\)"):
        PGD(0.5)
    with pytest.raises(ValueError, match="without limit"):
        PGD(L2(math.inf))
    with pytest.raises(ValueError, match="without limit"):
        PGD(L2(math.inf), step=0.1, random_start=True)
