"""Training against slow loops and formulas; seeds and resumption bit by bit; no waiting between steps."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from small import linear, patches, same, snapshot, tiny
from torch import nn
from work import DATA, RECIPE, Looks, untrained

import featlab as fl
from featlab import training
from featlab.engine import devices
from featlab.models import Classifier
from featlab.recipes import Recipe
from featlab.training import Training, accuracy, train
from featlab.types import Dataset


def fresh() -> Classifier:
    """An untrained model with dropout, whose draws a seed must fix too."""
    body = nn.Sequential(
        nn.Conv2d(1, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2)
    )
    return Classifier(body, 108, channels=1, classes=4)


BUSY = Recipe(epochs=4, batch=15, lr=0.05, augment=1, average=0.9, colour=0.2, turn=20.0)
NOISY = fl.PGD(fl.L2(0.3), steps=2, random_start=True)


# the rule of the steps


def test_training_is_sgd_with_momentum_and_weight_decay_as_the_formulas_say():
    data, recipe = patches(12), Recipe(epochs=5, batch=12, lr=0.3, momentum=0.8, weight_decay=0.01)
    model = linear()
    x, y = data.pixels.flatten(1), data.labels
    w, b = model.head.weight.detach().clone(), model.head.bias.detach().clone()
    v_w, v_b = torch.zeros_like(w), torch.zeros_like(b)
    losses = []
    for step in range(5):
        logits = x @ w.T + b
        losses.append(F.cross_entropy(logits, y).item())
        d = (logits.softmax(1) - F.one_hot(y, 4)) / 12
        v_w, v_b = 0.8 * v_w + d.T @ x + 0.01 * w, 0.8 * v_b + d.sum(0) + 0.01 * b
        done = (step + 0.5) / 5
        rate = 0.3 * min(done / 0.2, (1 - done) / 0.8)
        w, b = w - rate * v_w, b - rate * v_b
    records = list(Training(model, data, recipe=recipe, seed=0))
    torch.testing.assert_close(model.head.weight, w, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model.head.bias, b, atol=1e-5, rtol=1e-4)
    assert [r.loss for r in records] == pytest.approx(losses, rel=1e-4)


def test_every_epoch_visits_every_image_once_in_another_order():
    data = Dataset(
        torch.arange(37, dtype=torch.uint8).view(37, 1, 1, 1).expand(-1, 1, 8, 8), torch.arange(37) % 4
    )
    seen = []

    def watch(model, x, y):
        assert torch.equal(y, (x[:, 0, 0, 0] * 255).round().long() % 4)  # images and labels stay together
        seen.append((x[:, 0, 0, 0] * 255).round().long())
        return x

    records = list(Training(linear(), data, attack=watch, recipe=Recipe(epochs=3, batch=10, lr=1e-3), seed=0))
    assert [len(batch) for batch in seen] == [10, 10, 10, 7] * 3
    orders = [torch.cat(seen[4 * e : 4 * e + 4]).tolist() for e in range(3)]
    assert all(sorted(order) == list(range(37)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert [(r.epoch, r.step, r.steps) for r in records] == [(i // 4, i + 1, 12) for i in range(12)]


def test_the_averaged_weights_are_the_exponential_average():
    data, decay = patches(30), 0.7
    model = linear()
    run = Training(model, data, recipe=Recipe(epochs=2, batch=10, lr=0.1, average=decay), seed=0)
    average = model.head.weight.detach().clone()
    for _ in run:
        average = decay * average + (1 - decay) * model.head.weight.detach()
    torch.testing.assert_close(model.head.weight.detach(), average)


def test_adversarial_training_steps_on_what_the_attack_returns():
    data, model, seen = patches(12), tiny(), []
    model.register_forward_pre_hook(
        lambda module, inputs: seen.append(inputs[0].clone()) if module.training else None
    )

    def attack(given_model, x, y):
        assert given_model is model and set(x.unique().tolist()) <= set(data.pixels.unique().tolist())
        return torch.full_like(x, 0.25)

    losses = [
        r.loss
        for r in Training(model, data, attack=attack, recipe=Recipe(epochs=2, batch=6, lr=1e-6), seed=0)
    ]
    assert len(seen) == len(losses) == 4 and all((x == 0.25).all() for x in seen)


def test_adversarial_training_gives_the_more_robust_model():
    """The minimiser of eq. (3) against that of the ordinary loss, at the radius trained with."""
    data, attack = patches(200), fl.PGD(fl.L2(1.5), steps=4)
    recipe = Recipe(epochs=6, batch=20, lr=0.05)
    standard, robust = (train(fresh(), data, attack=a, recipe=recipe, seed=0) for a in (None, attack))
    assert accuracy(robust, data, attack) > accuracy(standard, data, attack)


def test_training_learns_what_can_be_learned_and_nothing_from_random_labels(trained, clothes):
    assert accuracy(trained, clothes[1]) > 0.4
    data = patches(200)
    labels = data.labels[torch.randperm(200, generator=torch.Generator().manual_seed(0))]
    lost = train(fresh(), Dataset(data.images, labels), epochs=3, batch=20, lr=0.02, seed=0)
    assert (
        accuracy(lost, patches(200, seed=1))
        < 0.5
        < accuracy(train(fresh(), data, epochs=3, batch=20, lr=0.02, seed=0), data)
    )


# seeds and resumption


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    data = patches(45)
    runs = [snapshot(train(fresh(), data, recipe=BUSY, attack=NOISY, seed=seed)) for seed in (0, 0, 1)]
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_a_seed_leaves_the_global_random_state_alone():
    torch.manual_seed(3)
    model, before = fresh(), torch.get_rng_state()
    train(model, patches(20), recipe=BUSY, attack=NOISY, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_seed_training_follows_torch():
    data, runs = patches(45), []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        runs.append(snapshot(train(fresh(), data, recipe=BUSY, attack=NOISY)))
    assert same(runs[0], runs[1]) and not same(runs[0], runs[2])


def test_orders_differ_between_seeds_and_agree_between_processes():
    """The order of an epoch comes from the hash of two whole numbers,
    which no hash seed of the interpreter may change.
    """
    first = [
        Training(linear(), patches(40), seed=s).generator(e).initial_seed()
        for s in range(30)
        for e in range(30)
    ]
    assert len(set(first)) == 900
    script = "print([hash((s, e)) % 2**63 for s in range(3) for e in range(3)])"
    said = {
        subprocess.check_output([sys.executable, "-c", script], env={"PYTHONHASHSEED": h})
        for h in ("0", "1", "77")
    }
    assert len(said) == 1
    assert eval(said.pop()) == [first[30 * s + e] for s in range(3) for e in range(3)]


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_an_interrupted_training_goes_on_exactly(stop):
    data = patches(45)
    whole = snapshot(train(fresh(), data, recipe=BUSY, attack=NOISY, seed=0))
    first = Training(fresh(), data, recipe=BUSY, attack=NOISY, seed=0)
    for _ in first:
        if first.epoch == stop:
            state = {name: t.clone() for name, t in first.state.items()}
            break
    torch.manual_seed(99)  # another process: whatever the random state, another fresh model
    second = Training(fresh(), data, recipe=BUSY, attack=NOISY, seed=0).resume(state)
    assert len(second) == 3 * (4 - stop)
    assert [r.step for r in second] == list(range(3 * stop + 1, 13))
    assert same(whole, snapshot(second.model))


def test_a_finished_training_resumes_to_the_same_model():
    data = patches(45)
    run = Training(fresh(), data, recipe=BUSY, seed=0)
    for _ in run:
        state = {name: t.clone() for name, t in run.state.items()}
    again = Training(fresh(), data, recipe=BUSY, seed=0).resume(state)
    assert list(again) == [] and same(snapshot(run.model), snapshot(again.model))


def test_a_trained_model_is_trained_further_not_anew():
    data, model = patches(40), train(fresh(), patches(40), epochs=1, batch=20, lr=0.01, seed=0)
    before = snapshot(model)
    train(model, Dataset(data.images // 2, data.labels), epochs=1, batch=20, lr=1e-9, seed=1)
    assert torch.equal(model.mean, before["mean"])
    torch.testing.assert_close(model.head.weight.detach(), before["head.weight"], atol=1e-6, rtol=0)


def test_labels_that_the_model_has_no_logit_for_are_refused():
    data = Dataset(patches(8).images, torch.arange(8))
    for use in (train, accuracy):
        with pytest.raises(ValueError, match=r"0\.\.3 for 4 classes"):
            use(tiny(classes=4), data)


def test_images_of_another_number_of_channels_are_refused():
    for use in (train, accuracy):
        with pytest.raises(ValueError, match="the model takes"):
            use(tiny(channels=3), patches(8, channels=1))


def test_a_loss_that_is_no_number_stops_the_training_with_advice():
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        train(fresh(), patches(40), lr=1e30, schedule="constant", batch=10, seed=0)


def test_training_in_the_precision_of_the_processor_is_as_accurate(trained, clothes):

    with devices.precision("auto"):
        other = train(fl.cnn(width=4), clothes[0], seed=0, epochs=3)
    assert abs(accuracy(other, clothes[1]) - accuracy(trained, clothes[1])) < 0.1


def test_a_model_comes_back_in_the_layout_that_it_came_in():
    model = train(tiny(), patches(8), epochs=1, batch=4, average=0.5)
    assert all(p.is_contiguous() for p in model.parameters())
    train(model.to(memory_format=torch.channels_last), patches(8), epochs=1, batch=4)
    assert any(not p.is_contiguous() for p in model.parameters())


def test_a_batch_that_does_not_fit_says_so(monkeypatch):
    def full(*_arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr("featlab.engine.optimiser.Optimiser.step", full)
    with pytest.raises(
        torch.OutOfMemoryError, match=r"a batch of 20 images.*kept.*nproc-per-node.*smaller batches"
    ):
        fl.train(untrained(), DATA, recipe=RECIPE)


def test_training_reads_each_loss_late_and_nothing_else(monkeypatch):
    monkeypatch.setattr(training, "LAG", {"cpu": 20})
    run = iter(Training(untrained(), patches(600), recipe=RECIPE, attack=fl.PGD(fl.L2(0.3), steps=3), seed=0))
    next(run)
    with Looks() as looks:
        for _ in range(18):
            next(run)
        assert looks.count == 0
        for _ in range(10):
            next(run)
        assert looks.count == 9


def test_a_loss_that_is_no_number_is_found_late_but_before_anything_is_saved(monkeypatch):
    monkeypatch.setattr(training, "LAG", {"cpu": 20})
    bad = Recipe(epochs=4, batch=30, lr=1e30, schedule="constant")
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        list(Training(untrained(), DATA, recipe=bad, seed=0))
    run = Training(untrained(), DATA, recipe=bad, seed=0)
    for record, _ in zip(run, range(2), strict=False):  # within an epoch nobody waits for a loss
        assert record.step == run.step
    with pytest.raises(FloatingPointError):
        _ = run.state


@pytest.mark.parametrize("stop", [1, 4, 5, 7, 10])
def test_a_training_goes_on_from_any_step(stop):
    attack = fl.PGD(fl.L2(0.3), steps=2, random_start=True)
    whole = fl.train(untrained(), DATA, recipe=RECIPE, attack=attack, seed=0)
    first = Training(untrained(), DATA, recipe=RECIPE, attack=attack, seed=0)
    for _ in zip(range(stop), first, strict=False):
        state = {name: t.clone() for name, t in first.state.items()}
    second = Training(untrained(), DATA, recipe=RECIPE, attack=attack, seed=0).resume(state)
    assert [r.step for r in second] == list(range(stop + 1, 11))
    assert same(snapshot(whole), snapshot(second.model))


def test_a_last_batch_of_one_image_joins_the_one_before_it():
    norm = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 4))
    run = Training(norm, patches(9), recipe=Recipe(epochs=2, batch=4))
    assert len(run) == len(list(run)) == run.steps == 4
