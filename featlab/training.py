"""Training and measuring: standard training, adversarial training (eq. 3) by passing an attack, accuracy with its interval.

The caller owns the loop: `Training` is iterated and yields a small Record a step; `train` is the loop that only wants the model.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.sgd import sgd

from featlab import engine, graphs, memory, parallel
from featlab.models import Classifier, initialise
from featlab.recipes import Recipe
from featlab.types import Attack, Dataset, check_labels, pixels, trusting

LAG = {"cpu": 0, "cuda": 20}  # steps until a loss is looked at: a GPU has finished that one, so nobody waits


@dataclass(frozen=True)
class Record:
    """One step of training. Loss and accuracy are of this batch, under the attack where one is passed.

    measured  loss and accuracy (2,) where the training runs; asking for either waits until they are computed
    """

    epoch: int
    step: int
    steps: int
    measured: Tensor

    @property
    def loss(self) -> float:
        return self.measured[0].item()

    @property
    def accuracy(self) -> float:
        return self.measured[1].item()


def check_untargeted(attack: Attack | None) -> None:
    """Refuse an attack that takes labels for targets: it would lead towards the truth."""
    if getattr(attack, "targeted", False):
        raise ValueError(f"{attack} is targeted and would lead towards the true labels: leave targeted out")


class Training:
    """An iterator of Records that trains a model in place: for record in Training(model, data): ...

    Stop at any moment; the `state` after a step, given to another Training with the same arguments through `resume`, goes on exactly there.
    """

    def __init__(
        self, model: nn.Module, data: Dataset, *, attack: Attack | None = None, recipe: Recipe = Recipe(), seed: int | None = None
    ):
        check_labels(data.labels, data.images, getattr(model, "classes", 0))
        check_untargeted(attack)
        if seed is not None and isinstance(model, Classifier) and not model.trained:
            initialise(model, seed)
        self.model = model.to(data.device, memory_format=torch.channels_last)  # a fifth faster, the same function
        self.data, self.attack, self.recipe = data, attack, recipe
        self.seed = parallel.agreed(int(torch.randint(2**31, ())) if seed is None else seed)
        if isinstance(model, Classifier) and not model.trained:
            model.standardise(data.images)
            model.trained.fill_(True)
        parallel.same_weights(model)
        engine.tune()
        compiled = data.device.type in graphs.KINDS and graphs.mode("FEATLAB_TRAINING") == "compile"
        self.forward = engine.compiled(model) if compiled else model
        self.step, self.unseen = 0, deque()
        self.momenta: dict[str, Tensor] = {}
        self.floats = {name: t for name, t in model.state_dict().items() if t.is_floating_point()}
        self.averaged = {name: t.detach().clone() for name, t in self.floats.items()} if recipe.average else {}

    @property
    def per_epoch(self) -> int:
        return -(-len(self.data) // self.recipe.batch)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.per_epoch * self.recipe.epochs

    @property
    def epoch(self) -> int:
        """Whole epochs that lie behind."""
        return self.step // self.per_epoch

    def __len__(self) -> int:
        return self.steps - self.step

    def generator(self, epoch: int, device: torch.device | str = "cpu") -> torch.Generator:
        """What the order and the augmentation of an epoch are drawn from."""
        return torch.Generator(device).manual_seed(engine.seed_of(self.seed, epoch))

    @property
    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on after the last step, as tensors by name."""
        self.settle()
        parts = {"model": self.model.state_dict(), "momentum": self.momenta, "average": self.averaged}
        named = {f"{part}.{name}": t for part, tensors in parts.items() for name, t in tensors.items()}
        return {"step": torch.tensor(self.step), **named}

    def resume(self, state: dict[str, Tensor]) -> "Training":
        """Go on from a `state`."""

        weights = self.model.state_dict()

        def part(prefix: str) -> dict[str, Tensor]:
            tensors = {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}
            return {name: torch.empty_like(weights[name]).copy_(t) for name, t in tensors.items()}  # laid out in memory as the weights are

        self.step = int(state["step"])
        self.model.load_state_dict(part("model."))
        self.averaged, self.momenta = part("average."), part("momentum.")
        return self

    def __iter__(self) -> Iterator[Record]:
        for epoch in range(self.epoch, self.recipe.epochs):
            for step, x, y in self._batches(epoch):
                with engine.drawing(self.seed, step, 1, parallel.rank()), memory.advising(f"a batch of {len(x):,} images to train on"):
                    measured = self._step(x, y)  # draws are for an attack's random start, and for dropout
                self.step = step + 1
                self.unseen.append(engine.Late(measured[0]))
                self.settle(LAG.get(x.device.type, 0))
                yield Record(epoch, step + 1, self.steps, measured)
        self.settle()
        if self.averaged and self.step == self.steps:
            self.model.load_state_dict(self.averaged, strict=False)

    def _batches(self, epoch: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """The steps of an epoch that are still to do: number, images as the training sees them, labels."""
        device, generator = self.data.device, self.generator(epoch)
        order = torch.randperm(len(self.data), generator=generator).to(device)
        generator = generator if device.type == "cpu" else self.generator(epoch, device)
        for step, index in enumerate(order.split(self.recipe.batch), epoch * self.per_epoch):
            x = self.recipe.seen(pixels(self.data.images[index]), generator)
            if step >= self.step:  # the others were done before an interruption: only their draws are made again
                yield step, x, self.data.labels[index]

    def _step(self, x: Tensor, y: Tensor) -> Tensor:
        """One step on a batch, of which each process takes its share; loss and accuracy (2,) of the whole batch."""
        n, mine = len(x), parallel.mine(len(x))
        x, y = x[mine], y[mine]
        if self.attack is not None:
            with trusting():
                x = self.attack(self.model, x, y)
        self.model.train()
        with engine.autocast(self.model, x.device.type), parallel.as_one(self.model):
            logits = self.forward(x).float()
        loss = F.cross_entropy(logits, y) * (len(x) / n)
        self.model.zero_grad()
        loss.backward()
        measured = torch.stack([loss.detach(), (logits.argmax(1) == y).float().sum() / n])
        measured = parallel.sum_gradients(self.model, measured)
        self._descend(self.recipe.rate((self.step + 0.5) / self.steps))
        if self.averaged:
            self._average()
        return measured

    @torch.no_grad()
    def _descend(self, rate: float) -> None:
        """SGD with momentum and weight decay, as a function: as a class it loads torch's compiler (150 MB and 1.2 s, measured)."""
        moving = {name: p for name, p in self.model.named_parameters() if p.grad is not None}
        momenta = [self.momenta.get(name) for name in moving]
        fixed = {"dampening": 0.0, "nesterov": False, "maximize": False}
        chosen = {"lr": rate, "momentum": self.recipe.momentum, "weight_decay": self.recipe.weight_decay}
        sgd([*moving.values()], [p.grad for p in moving.values()], momenta, **chosen, **fixed)
        self.momenta = {name: momentum for name, momentum in zip(moving, momenta, strict=True) if momentum is not None}

    def settle(self, later: int = 0) -> None:
        """Look at the losses of all steps but the last `later`: one that is no number stops the training."""
        while len(self.unseen) > later:
            if not math.isfinite(value := self.unseen.popleft().item()):
                raise FloatingPointError(
                    f"the loss is {value} in epoch {self.epoch}: lower the learning rate ({self.recipe.lr}) or check the images"
                )

    def _average(self) -> None:
        torch._foreach_lerp_([self.averaged[name] for name in self.floats], [*self.floats.values()], 1 - self.recipe.average)


def train(
    model: nn.Module,
    data: Dataset,
    *,
    attack: Attack | None = None,
    seed: int | None = None,
    recipe: Recipe = Recipe(),
    progress: Callable = iter,
    **changes: float | str,
) -> nn.Module:
    """Train `model` on `data` in place and return it, in eval mode.

        min over theta of E[ max over delta in Delta(x) of L(x + delta, y) ]        eq. (3); without attack the inner max is dropped

    attack    the inner maximisation, for example PGD(L2(1.0), steps=5)
    seed      one number that names the run: it draws the weights of a fresh Classifier, the order and the augmentation. Same seed, same
              machine, same weights (on a GPU, which chooses its algorithms by trying them, up to rounding). Without it all of these
              follow torch.manual_seed
    recipe    a Recipe; further keywords change its fields: train(model, data, epochs=2, lr=0.05)
    progress  wraps the iteration over Records, for example tqdm
    """
    run = Training(model, data, attack=attack, recipe=replace(recipe, **changes), seed=seed)
    for _ in progress(run):
        pass
    return model.eval()


class Accuracy(float):
    """A fraction of n images, with its 95 % Wilson interval."""

    n: int

    def __new__(cls, right: int, n: int) -> "Accuracy":
        self = super().__new__(cls, right / n)
        self.n = n
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval of level 95 %."""
        z, n = 1.959964, self.n
        centre, spread = self + z * z / (2 * n), z * math.sqrt(self * (1 - self) / n + z * z / (4 * n * n))
        return max(0.0, (centre - spread) / (1 + z * z / n)), min(1.0, (centre + spread) / (1 + z * z / n))

    def __repr__(self) -> str:
        low, high = self.interval
        return f"{100 * self:.1f} % ({100 * low:.1f} to {100 * high:.1f}, n = {self.n:,})"

    __str__ = __repr__


def predict(model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """The class of largest logit, image by image: (n, c, h, w) -> (n,)."""
    network = engine.frozen(model)
    with torch.no_grad():
        return memory.mapped(lambda x: network(pixels(x)).argmax(1), images, times=2)


def accuracy(model: Callable[[Tensor], Tensor], data: Dataset, attack: Attack | None = None) -> Accuracy:
    """The fraction of images that the model gets right, without or under an attack (section 2: the two risks).

    Under attack an image counts if it is right as it is and right when attacked: the adversary may leave an image alone.
    """
    check_untargeted(attack)
    data = data.to(engine.device_of(model) or data.device)
    check_labels(data.labels, data.images, getattr(model, "classes", 0))
    n, data = len(data), data[parallel.mine(len(data))]
    right = predict(model, data.images) == data.labels
    if attack is not None and bool(right.any()):
        left = data[right]
        with trusting():
            right = predict(model, attack(model, left.pixels, left.labels)) == left.labels
    return Accuracy(int(parallel.summed(right.sum())), n)
