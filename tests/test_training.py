"""Training against slow loops and formulas; seeds and resumption bit by bit; accuracy against hand counts and intervals against scipy."""

import itertools
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from small import linear, patches, same, snapshot, tiny
from torch import nn

import featlab as fl
from featlab import recipes
from featlab.models import Classifier
from featlab.recipes import augmented
from featlab.training import Accuracy, Recipe, Training, accuracy, predict, train
from featlab.types import Dataset


def fresh() -> Classifier:
    """An untrained model with dropout, whose draws a seed must fix too."""
    body = nn.Sequential(nn.Conv2d(1, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2))
    return Classifier(body, 108, channels=1, classes=4)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


def test_schedules_at_their_corners():
    rate = Recipe(lr=0.4).rate
    assert [rate(d) for d in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.2, 0.4, 0.2, 0])
    rate = Recipe(lr=0.4, schedule="step").rate
    assert [rate(d) for d in (0, 0.33, 0.34, 0.66, 0.67, 0.999)] == pytest.approx([0.4, 0.4, 0.04, 0.04, 0.004, 0.004])
    assert {Recipe(lr=0.4, schedule="constant").rate(d) for d in (0, 0.5, 1)} == {0.4}


@given(st.floats(0, 1), st.sampled_from(["one-cycle", "step", "constant"]))
def test_no_schedule_leaves_zero_to_lr(done, schedule):
    assert 0 <= Recipe(lr=0.4, schedule=schedule).rate(done) <= 0.4


def test_every_epoch_visits_every_image_once_in_another_order():
    data = Dataset(torch.arange(37, dtype=torch.uint8).view(37, 1, 1, 1).expand(-1, 1, 8, 8), torch.arange(37) % 4)
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
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()) if module.training else None)

    def attack(given_model, x, y):
        assert given_model is model and set(x.unique().tolist()) <= set(data.pixels.unique().tolist())
        return torch.full_like(x, 0.25)

    losses = [r.loss for r in Training(model, data, attack=attack, recipe=Recipe(epochs=2, batch=6, lr=1e-6), seed=0)]
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
    assert accuracy(lost, patches(200, seed=1)) < 0.5 < accuracy(train(fresh(), data, epochs=3, batch=20, lr=0.02, seed=0), data)


# augmentation


def crops(image: torch.Tensor, padding: int) -> list[torch.Tensor]:
    """Every crop and flip of one image, by hand."""
    c, h, w = image.shape
    padded = torch.zeros(c, h + 2 * padding, w + 2 * padding)
    padded[:, padding : padding + h, padding : padding + w] = image
    windows = [padded[:, i : i + h, j : j + w] for i, j in itertools.product(range(2 * padding + 1), repeat=2)]
    return [version for window in windows for version in (window, window.flip(2))]


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_augmented_images_are_crops_and_flips_of_the_padded_image_all_equally_often(padding):
    image = torch.rand(2, 5, 4, generator=torch.Generator().manual_seed(0))
    n = 300 * len(crops(image, padding))
    out = augmented(image.expand(n, -1, -1, -1), padding, torch.Generator().manual_seed(1))
    counts = torch.tensor([(out == version).flatten(1).all(1).sum() for version in crops(image, padding)])
    assert counts.sum() == n  # each is one of them
    assert (counts > 200).all() and (counts < 400).all()


def test_augmentation_moves_each_image_by_itself_and_keeps_their_order():
    x = torch.rand(40, 1, 6, 6) + torch.arange(40).view(40, 1, 1, 1)
    out = augmented(x, 1, torch.Generator().manual_seed(0))
    assert torch.equal(out.amax((1, 2, 3)).floor(), torch.arange(40.0))
    assert len({tuple((image > 0).flatten().tolist()) for image in out}) > 4


def test_colours_change_as_torchvision_changes_them():
    from torchvision.transforms import functional as tv

    x = torch.rand(6, 3, 5, 4, generator=generator(0))
    factors = [1 + recipes.drawn(6, 0.5, g, x.device).flatten() for g in [generator(1)] for _ in range(3)]
    got = recipes.coloured(x, 0.5, generator(1))
    for image, changed, b, c, s in zip(x, got, *factors, strict=True):
        expected = tv.adjust_saturation(tv.adjust_contrast(tv.adjust_brightness(image, b), c), s)
        torch.testing.assert_close(changed, expected, atol=2e-4, rtol=0)
    assert (recipes.coloured(x, 0.0, generator(1)) - x).abs().max() < 1e-6


def test_images_turn_about_their_centre(monkeypatch):
    x = torch.rand(3, 1, 6, 6, generator=generator(0))
    for degrees, turns in ((90.0, 1), (180.0, 2), (-90.0, 3), (0.0, 0)):
        monkeypatch.setattr(recipes, "drawn", lambda n, amount, g, device, degrees=degrees: torch.full((n, 1, 1, 1), degrees))
        assert torch.equal(recipes.turned(x, 2.0, generator(1)), torch.rot90(x, turns, (2, 3)))


def test_draws_are_uniform_and_symmetric():
    draws = recipes.drawn(4000, 2.0, generator(0), torch.device("cpu"))
    assert draws.abs().max() <= 2 and abs(draws.mean()) < 0.08 and abs(draws.var() - 4 / 3) < 0.08


def test_a_recipe_is_named_by_all_that_it_changes():
    assert "colour" not in repr(Recipe()) and "turn=2.0" in repr(Recipe(turn=2.0)) and eval(repr(BUSY)) == BUSY


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
    """The order of an epoch comes from the hash of two whole numbers, which no hash seed of the interpreter may change."""
    first = [Training(linear(), patches(40), seed=s).generator(e).initial_seed() for s in range(30) for e in range(30)]
    assert len(set(first)) == 900
    script = "print([hash((s, e)) % 2**63 for s in range(3) for e in range(3)])"
    said = {subprocess.check_output([sys.executable, "-c", script], env={"PYTHONHASHSEED": h}) for h in ("0", "1", "77")}
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


# refusals

BAD_RECIPES = [
    ({"schedule": "cosine"}, "unknown schedule 'cosine'.*one-cycle, step, constant"),
    ({"epochs": -1}, "epochs"), ({"batch": 0}, "batch"), ({"lr": 0}, "lr"), ({"lr": float("nan")}, "lr"),
    ({"momentum": -0.1}, "momentum"), ({"weight_decay": -1}, "weight_decay"), ({"augment": -1}, "augment"), ({"average": 1}, "average"),
]  # fmt: skip


@pytest.mark.parametrize("changes, says", BAD_RECIPES, ids=str)
def test_bad_recipes_are_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        train(tiny(), patches(4), **changes)


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


# accuracy


def brightness(classes: int):
    """A classifier whose prediction can be read off: the number of its pixels above a half, at most classes - 1."""
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


@pytest.mark.parametrize("attack", [fl.PGD(fl.L2(0.5), steps=3), fl.PGD(fl.L2(0.5), steps=1, random_start=True), fl.PGD(fl.Linf(0.0))])
def test_an_attack_never_raises_accuracy(attack, trained, clothes):
    clean, attacked = accuracy(trained, clothes[1]), accuracy(trained, clothes[1], attack)
    assert attacked <= clean and (attack.ball.eps == 0) == (attacked == clean)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_wilsons(counts):
    right, n = counts
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert Accuracy(right, n).interval == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_an_accuracy_is_a_number_that_prints_its_interval():
    assert str(Accuracy(50, 100)) == "50.0 % (40.4 to 59.6, n = 100)"
    assert Accuracy(50, 100) == 0.5 and isinstance(Accuracy(50, 100), float)


def test_training_in_the_precision_of_the_processor_is_as_accurate(trained, clothes):
    from featlab import engine

    with engine.precision("auto"):
        other = train(fl.cnn(width=4), clothes[0], seed=0, epochs=3)
    assert abs(accuracy(other, clothes[1]) - accuracy(trained, clothes[1])) < 0.1
