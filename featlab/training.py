"""Training and measuring: standard training, adversarial training (eq. 3) by passing an attack, accuracy with its interval.

The caller owns the loop: `Training` is iterated and yields a small Record a step; `train` is the loop that only wants the model.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featlab import engine
from featlab.models import Classifier, initialise
from featlab.types import Attack, Dataset, check_labels, pixels

SCHEDULES = ("one-cycle", "step", "constant")


@dataclass(frozen=True)
class Recipe:
    """How to train: SGD with momentum on the cross-entropy.

    epochs, batch  passes over the data; images a step
    lr             the highest learning rate
    schedule       "one-cycle": up for a fifth of the steps, then down to 0, linearly; "step": a tenth after 1/3 and 2/3; "constant"
    momentum, weight_decay
    augment        pixels of padding for random crops, with random horizontal flips; 0 for neither
    average        decay a step of an exponential average of the weights, which the model holds at the end; 0 for none
    """

    epochs: int = 8
    batch: int = 125
    lr: float = 0.3
    schedule: str = "one-cycle"
    momentum: float = 0.9
    weight_decay: float = 3e-3
    augment: int = 0
    average: float = 0.0

    def __post_init__(self):
        if self.schedule not in SCHEDULES:
            raise ValueError(f"unknown schedule {self.schedule!r}: choose one of {', '.join(SCHEDULES)}")
        for name, low in (("epochs", 0), ("batch", 1), ("momentum", 0), ("weight_decay", 0), ("augment", 0), ("average", 0)):
            if getattr(self, name) < low:
                raise ValueError(f"{name} must be at least {low}, got {getattr(self, name)}")
        if not self.lr > 0 or self.average >= 1:
            raise ValueError(f"lr must be above 0 and average below 1, got lr={self.lr}, average={self.average}")

    def rate(self, done: float) -> float:
        """Learning rate when the fraction `done` of all steps lies behind."""
        if self.schedule == "one-cycle":
            return self.lr * min(done / 0.2, (1 - done) / 0.8)
        return self.lr * (0.1 ** int(3 * done) if self.schedule == "step" else 1)


@dataclass(frozen=True)
class Record:
    """One step of training. Loss and accuracy are of this batch, under the attack where one is passed."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float


def augmented(x: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Random crops after zero padding and random horizontal flips, image by image, as tensor operations: (n, c, h, w) -> the same."""
    n, _, h, w = x.shape
    rows, columns, flip = (torch.randint(high, (n, 1), generator=generator).to(x.device) for high in (2 * padding + 1, 2 * padding + 1, 2))
    i = rows + torch.arange(h, device=x.device)  # (n, h)
    j = torch.arange(w, device=x.device)
    j = columns + torch.where(flip.bool(), j.flip(0), j)  # (n, w)
    padded = F.pad(x, (padding,) * 4)
    return padded[torch.arange(n, device=x.device)[:, None, None], :, i[:, :, None], j[:, None, :]].permute(0, 3, 1, 2)


def check_untargeted(attack: Attack | None) -> None:
    """Refuse an attack that takes labels for targets: it would lead towards the truth."""
    if getattr(attack, "targeted", False):
        raise ValueError(f"{attack} is targeted and would lead towards the true labels: leave targeted out")


class Training:
    """An iterator of Records that trains a model in place: for record in Training(model, data): ...

    Stop at any moment; `state` after an epoch, given to another Training with the same arguments through `resume`, goes on exactly there.
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
        self.seed = int(torch.randint(2**31, ())) if seed is None else seed
        if isinstance(model, Classifier) and not model.trained:
            model.standardise(data.images)
            model.trained.fill_(True)
        self.epoch = 0
        self.optimiser = torch.optim.SGD(model.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay)
        self.averaged = {name: t.detach().clone() for name, t in self._floats()} if recipe.average else {}

    @property
    def per_epoch(self) -> int:
        return -(-len(self.data) // self.recipe.batch)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.per_epoch * self.recipe.epochs

    @property
    def done(self) -> int:
        """Steps of the whole epochs that lie behind."""
        return self.per_epoch * self.epoch

    def __len__(self) -> int:
        return self.steps - self.done

    def generator(self, epoch: int) -> torch.Generator:
        """What the order and the augmentation of an epoch are drawn from."""
        return torch.Generator().manual_seed(engine.seed_of(self.seed, epoch))

    def _floats(self) -> list[tuple[str, Tensor]]:
        return [(name, t) for name, t in self.model.state_dict().items() if t.is_floating_point()]

    @property
    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on after the last whole epoch, as tensors by name."""
        momenta = {name: self.optimiser.state[p].get("momentum_buffer") for name, p in self.model.named_parameters()}
        parts = {"model": self.model.state_dict(), "momentum": momenta, "average": self.averaged}
        named = {f"{part}.{name}": t for part, tensors in parts.items() for name, t in tensors.items() if t is not None}
        return {"epoch": torch.tensor(self.epoch), **named}

    def resume(self, state: dict[str, Tensor]) -> "Training":
        """Go on from a `state`."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): t.to(self.data.device) for k, t in state.items() if k.startswith(prefix)}

        self.epoch = int(state["epoch"])
        self.model.load_state_dict(part("model."))
        self.averaged = part("average.")
        for name, momentum in part("momentum.").items():
            self.optimiser.state[self.model.get_parameter(name)]["momentum_buffer"] = momentum
        return self

    def __iter__(self) -> Iterator[Record]:
        steps = self.steps
        for epoch in range(self.epoch, self.recipe.epochs):
            generator = self.generator(epoch)
            order = torch.randperm(len(self.data), generator=generator)
            for i, index in enumerate(order.split(self.recipe.batch)):
                step = epoch * self.per_epoch + i
                for group in self.optimiser.param_groups:
                    group["lr"] = self.recipe.rate((step + 0.5) / steps)
                with engine.drawing(self.seed, step, 1):  # for an attack's random start, and for dropout
                    loss, right = self._step(index.to(self.data.device), generator)
                if i == self.per_epoch - 1:
                    self.epoch = epoch + 1
                yield Record(epoch, step + 1, steps, loss, right)
        if self.averaged and self.epoch == self.recipe.epochs:
            self.model.load_state_dict(self.averaged, strict=False)

    def _step(self, index: Tensor, generator: torch.Generator) -> tuple[float, float]:
        x, y = pixels(self.data.images[index]), self.data.labels[index]
        if self.recipe.augment:
            x = augmented(x, self.recipe.augment, generator)
        if self.attack is not None:
            x = self.attack(self.model, x, y)
        self.model.train()
        with engine.autocast(self.model, x.device.type):
            logits = self.model(x).float()
        loss = F.cross_entropy(logits, y)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        if self.averaged:
            self._average()
        if not math.isfinite(value := loss.item()):
            raise FloatingPointError(
                f"the loss is {value} in epoch {self.epoch}: lower the learning rate ({self.recipe.lr}) or check the images"
            )
        return value, (logits.argmax(1) == y).float().mean().item()

    def _average(self) -> None:
        names, tensors = zip(*self._floats(), strict=True)
        torch._foreach_lerp_([self.averaged[name] for name in names], list(tensors), 1 - self.recipe.average)


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
              machine, same weights. Without it all of these follow torch.manual_seed
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
        return torch.cat([network(pixels(x)).argmax(1) for x in images.split(2 * engine.chunk(images.device.type))])


def accuracy(model: Callable[[Tensor], Tensor], data: Dataset, attack: Attack | None = None) -> Accuracy:
    """The fraction of images that the model gets right, without or under an attack (section 2: the two risks).

    Under attack an image counts if it is right as it is and right when attacked: the adversary may leave an image alone.
    """
    check_untargeted(attack)
    data = data.to(engine.device_of(model) or data.device)
    check_labels(data.labels, data.images, getattr(model, "classes", 0))
    right = predict(model, data.images) == data.labels
    if attack is not None and bool(right.any()):
        left = data[right]
        right = predict(model, attack(model, left.pixels, left.labels)) == left.labels
    return Accuracy(int(right.sum()), len(data))
