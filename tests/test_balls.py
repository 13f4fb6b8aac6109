"""Balls by their definitions: norms, projections, directions and samples; one ball is the reader's own."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featlab.balls import L2, Ball, Linf


class L1(Ball):
    """A reader's own ball, of the sum of all changes: four methods, and every law below holds for it."""

    @staticmethod
    def norm(delta):
        return delta.flatten(1).abs().sum(1)

    def project(self, delta):
        flat = delta.flatten(1)
        sizes = flat.abs().sort(1, descending=True).values
        shrunk = (sizes.cumsum(1) - self.eps) / torch.arange(1, flat.shape[1] + 1)
        last = (sizes > shrunk).sum(1, keepdim=True) - 1
        by = shrunk.gather(1, last.clamp_min(0)).clamp_min(0)
        return (flat.sign() * (flat.abs() - by).clamp_min(0)).view_as(delta)

    def steepest(self, gradient):
        flat = gradient.flatten(1)
        where = flat.abs().argmax(1, keepdim=True)
        return torch.zeros_like(flat).scatter(1, where, flat.gather(1, where).sign()).view_as(gradient)

    def sample(self, like):
        flat = like.flatten(1)
        parts = -torch.rand(len(flat), flat.shape[1] + 1, dtype=flat.dtype).log()
        inside = parts[:, :-1] / parts.sum(1, keepdim=True)
        return (self.eps * inside * torch.randn_like(flat).sign()).view_as(like)


def norms(ball, delta):
    flat = delta.flatten(1)
    how = {
        L2: lambda: flat.pow(2).sum(1).sqrt(),
        Linf: lambda: flat.abs().amax(1),
        L1: lambda: flat.abs().sum(1),
    }
    return how[type(ball)]()


BALLS = [L2, Linf, L1]
SHAPE = (5, 2, 3, 3)
numbers = {"seed": st.integers(0, 10**6), "eps": st.just(0.0) | st.floats(1e-6, 3) | st.floats(3, 30)}


def draw(seed: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_the_norm_is_the_norm(kind, seed, eps):
    delta = draw(seed)
    torch.testing.assert_close(kind(eps).norm(delta), norms(kind(eps), delta))


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_projection_lands_in_the_ball_is_idempotent_and_leaves_the_inside(kind, seed, eps):
    ball, delta = kind(eps), draw(seed)
    p = ball.project(delta)
    assert (norms(ball, p) <= eps * (1 + 1e-9)).all()
    torch.testing.assert_close(ball.project(p), p)
    inside = norms(ball, delta) <= eps
    assert torch.equal(p[inside], delta[inside])


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_projection_is_the_nearest_point(kind, seed, eps):
    """p is nearest to delta in a convex set exactly if <delta - p, q - p> <= 0 for every q in the set."""
    ball, delta = kind(eps), draw(seed)
    p = ball.project(delta)
    torch.manual_seed(seed)
    for q in (ball.sample(delta), ball.project(draw(seed + 1, 10)), torch.zeros_like(delta)):
        assert (((delta - p) * (q - p)).flatten(1).sum(1) <= 1e-9).all()


@pytest.mark.parametrize("kind", BALLS)
@given(**numbers)
def test_the_steepest_direction_has_norm_one_and_the_greatest_inner_product(kind, seed, eps):
    ball, g = kind(1.0), draw(seed, 0.01)
    v = ball.steepest(g)
    torch.testing.assert_close(norms(ball, v), torch.ones(5, dtype=torch.float64))
    # the dual norm: what no direction can exceed
    sizes = g.flatten(1).abs()
    dual = {L2: sizes.norm(dim=1), Linf: sizes.sum(1), L1: sizes.amax(1)}[kind]
    torch.testing.assert_close((g * v).flatten(1).sum(1), dual)


@pytest.mark.parametrize("kind", BALLS)
def test_no_gradient_no_direction(kind):
    assert torch.equal(kind(1.0).steepest(torch.zeros(SHAPE)), torch.zeros(SHAPE))


@pytest.mark.parametrize("kind", BALLS)
def test_samples_are_uniform_in_the_ball(kind):
    torch.manual_seed(0)
    ball, like = kind(0.5), torch.empty(20000, 1, 1, 3)
    draws = ball.sample(like)
    assert norms(ball, draws).max() <= 0.5 * (1 + 1e-6)
    # a ball of half the radius holds 1 / 2^d of the volume
    share = (norms(ball, draws) <= 0.25).float().mean()
    assert abs(share - 1 / 8) < 0.01
    assert draws.mean(0).abs().max() < 0.01


@pytest.mark.parametrize("eps", [-0.1, -math.inf, math.nan])
@pytest.mark.parametrize("kind", BALLS)
def test_a_negative_radius_is_refused(kind, eps):
    with pytest.raises(ValueError, match="eps must be at least 0"):
        kind(eps)
