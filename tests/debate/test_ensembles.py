"""Linear features of a pair of classes: closed forms against the worst case, sampling and training."""

import pytest
import torch

import featlab as fl
from featlab.debate import ensembles


def test_gamma_in_closed_form_is_the_worst_case_by_gradient_and_the_mean_by_sampling():
    train, _ = fl.load()
    pair = ensembles.Pair.of(train[:1000], (2, 4))
    for a in (pair.m, ensembles.singular(pair)[3], torch.randn(784, dtype=torch.float64)):
        f = pair.x @ a / (pair.x @ a).square().mean().sqrt()
        assert ensembles.pair_usefulness(a, pair).item() == pytest.approx(
            (pair.y * f).mean().item(), abs=1e-9
        )
        delta = -0.3 * pair.y[:, None] * a / a.norm()
        worst = (pair.y * ((pair.x + delta) @ a)).mean() / ensembles.deviation(a, pair)
        assert ensembles.pair_usefulness(a, pair, 0.3).item() == pytest.approx(worst.item(), abs=1e-9)
        for _ in range(20):
            other = torch.nn.functional.normalize(torch.randn_like(pair.x), dim=1) * 0.3
            assert (pair.y * ((pair.x + other) @ a)).mean() / ensembles.deviation(a, pair) >= worst
        radius = ensembles.breaking_radius(a, pair).item()
        assert ensembles.pair_usefulness(a, pair, radius).item() == pytest.approx(0, abs=1e-9)


def test_the_containment_goes_from_useless_to_robust_and_the_ensemble_has_no_robust_member():
    train, _ = fl.load()
    pair = ensembles.Pair.of(train[:2000], (2, 4))
    vectors = ensembles.singular(pair)
    empty = ensembles.useless(vectors, pair)
    assert abs(ensembles.pair_usefulness(empty, pair)) < 1e-9
    rho = [
        ensembles.pair_usefulness(ensembles.containment(pair.m, empty, pair, alpha), pair, 0.0).item()
        for alpha in (0, 0.5, 1)
    ]
    gamma = [
        ensembles.pair_usefulness(ensembles.containment(pair.m, empty, pair, alpha), pair, 0.5).item()
        for alpha in (0, 0.5, 1)
    ]
    assert rho == sorted(rho) and rho[1] > 0.2 and gamma[1] < 0 < gamma[2]
    mixed = ensembles.ensemble(vectors, pair, 0.5)
    robust = vectors[ensembles.pair_usefulness(vectors, pair, 0.5) > 0]
    assert len(robust) and (robust @ mixed).abs().max() < 1e-6
    assert (
        ensembles.pair_usefulness(mixed, pair)
        > ensembles.pair_usefulness(vectors, pair)[ensembles.pair_usefulness(vectors, pair, 0.5) <= 0].max()
    )


def test_the_student_of_det_is_what_training_on_it_gives():
    train, _ = fl.load()
    pair = ensembles.Pair.of(train[:1500], (3, 1))
    a = ensembles.ensemble(ensembles.singular(pair), pair, 1.0)
    t = -pair.y
    made = pair.x + 1.5 * t[:, None] * a / a.norm()
    centred = made - t[:, None] * (t[:, None] * made).mean(0)
    within = centred.T @ centred / len(made) + ensembles.RIDGE * torch.eye(784, dtype=torch.float64)
    direct = torch.linalg.solve(within, (t[:, None] * made).mean(0))
    learned = ensembles.student_of_det(a, pair, 1.5)
    assert torch.nn.functional.cosine_similarity(direct, learned, dim=0) > 0.999
