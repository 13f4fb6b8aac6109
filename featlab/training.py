"""Training: standard training, and adversarial training (eq. 3) by passing an attack.

How models are measured is in featlab.evaluation.

The caller owns the loop: `Training` is iterated and yields a small Record a step; `train` is the loop that
only wants the model.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featlab import doors
from featlab.engine import devices, freezing, graphs, memory, parallel, seeds
from featlab.engine.optimiser import Optimiser
from featlab.evaluation import Accuracy, accuracy, predict
from featlab.inputs.checks import changed, instance, logits_of, shown_by, whole
from featlab.models import Classifier, initialise
from featlab.recipes import Recipe, check_recipe
from featlab.types import Attack, Dataset, pixels

__all__ = ["Accuracy", "Recipe", "Record", "Training", "accuracy", "predict", "train"]
_M = TypeVar("_M", bound=nn.Module)
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


def batches(order: Tensor, size: int) -> list[Tensor]:
    """The order (n,) in batches of this size; a last one of a single image joins the one before it,
    for a batch-norm learns nothing from one.
    """
    *first, last = order.split(size)
    return [*first[:-1], torch.cat([first[-1], last])] if first and len(last) == 1 < size else [*first, last]


class Training:
    """An iterator of Records that trains a model in place: for record in Training(model, data): ...

    Stop at any moment; the `state` after a step, given to another Training with the same arguments through
    `resume`, goes on exactly there.

    What cannot be trained, an attack that is targeted, and data of other labels than the model has are
    refused with a TypeError or ValueError; a loss that is NaN or infinite stops it with a FloatingPointError.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Dataset,
        *,
        attack: Attack | None = None,
        recipe: Recipe = Recipe(),
        seed: int | None = None,
    ):
        doors.check_trainable(model)
        doors.dataset(data)
        doors.check_untargeted(attack)
        check_recipe(recipe)
        seed = None if seed is None else whole(seed, "seed", least=None)
        if seed is not None and isinstance(model, Classifier) and not model.trained:
            initialise(model, seed)
        self.model = model.to(data.device)
        self.data, self.attack, self.recipe = data, attack, recipe
        self.dtype = devices.dtype_of(model)
        self.seed = parallel.broadcast(int(torch.randint(2**31, ())) if seed is None else seed)
        if isinstance(model, Classifier) and not model.trained:
            model.standardise(data.images)
            model.trained.fill_(True)
        doors.placed(model, data)
        parallel.same_weights(model)
        compiled = graphs.can_record(data.device.type) and graphs.mode("FEATLAB_TRAINING") == "compile"
        self.forward = freezing.compiled(model) if compiled else model
        self.step = 0
        self.unseen: deque[tuple[devices.AsyncNumber, Tensor | None]] = deque()
        self.optimiser = Optimiser(
            model,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            average=recipe.average,
        )

    @property
    def per_epoch(self) -> int:
        whole_ones, rest = divmod(len(self.data), self.recipe.batch)
        return whole_ones + (rest > min(whole_ones, 1))  # as `batches` makes them

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
        return torch.Generator(device).manual_seed(seeds.seed_of(self.seed, epoch))

    @property
    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on after the last step, as tensors of any shape by name."""
        self.settle()
        return {"step": torch.tensor(self.step), **self.optimiser.state}

    def resume(self, state: dict[str, Tensor]) -> "Training":
        """Go on from a `state`, tensors of any shape by name; a ValueError if it is that of another model."""

        weights = self.model.state_dict()
        instance(state, Mapping, "a training goes on from a dict, the .state of another")
        wanted = {"step": torch.Size(), **{f"model.{name}": t.shape for name, t in weights.items()}}
        found = {name: getattr(state.get(name), "shape", None) for name in wanted}
        if strange := [name for name in wanted if found[name] != wanted[name]]:
            raise ValueError(
                f"a training goes on from the state of one with the same model; here {strange[0]} "
                "is missing or of another shape"
                f"{f', and {len(strange) - 1} more' if strange[1:] else ''}"
            )
        self.step = int(state["step"])
        self.optimiser.resume(state)
        return self

    def __iter__(self) -> Iterator[Record]:
        with freezing.laid_out(self.model, pixels(self.data.images[:2])):
            self.optimiser.refresh()
            yield from self._records()
        self.optimiser.refresh()

    def _records(self) -> Iterator[Record]:
        for epoch in range(self.epoch, self.recipe.epochs):
            for step, x, y in self._batches(epoch):
                with (
                    seeds.drawing(self.seed, step, 1, parallel.rank()),
                    memory.advising(f"a batch of {len(x):,} images to train on"),
                ):
                    # draws are for an attack's random start, and for dropout
                    measured, reach = self._step(x, y)
                self.step = step + 1
                watched = (
                    measured[0]
                    if reach is None
                    else measured[0].where(doors.sound(self.attack, reach), math.nan)
                )
                self.unseen.append((devices.AsyncNumber(watched), reach))
                self.settle(LAG.get(x.device.type, 0))
                yield Record(epoch, step + 1, self.steps, measured)
            self._check_weights()
        self.settle()
        if self.step == self.steps:
            self.optimiser.finish()
            self._check_weights()

    def _batches(self, epoch: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """The steps of an epoch that are still to do: number, images as the training sees them, labels."""
        device, generator = self.data.device, self.generator(epoch)
        order = torch.randperm(len(self.data), generator=generator).to(device)
        generator = generator if device.type == "cpu" else self.generator(epoch, device)
        for step, index in enumerate(batches(order, self.recipe.batch), epoch * self.per_epoch):
            x = self.recipe.seen(pixels(self.data.images[index]), generator)
            # the others were done before an interruption: only their draws are made again
            if step >= self.step:
                yield step, x, self.data.labels[index]

    def _step(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """One step on a batch, of which each process takes its share;
        loss and accuracy (2,) of the whole batch, and the attack's reach.
        """
        n, mine, reach = len(x), parallel.my_share(len(x)), None
        x, y = x[mine], y[mine]
        if self.attack is not None:
            # one look in all: a GPU waits for each
            x, reach = doors.attempted(self.attack, self.model, x, y, first=not self.step)
        self.model.train()
        with (
            devices.tuned(x.device.type),
            devices.autocast(self.model, x.device.type),
            parallel.as_one(self.model),
        ):
            logits = logits_of(doors.asked(self.forward, x.to(self.dtype)), len(x))
        if not self.step:
            doors.check_columns(logits.shape[1], self.data)
        loss = F.cross_entropy(logits, y) * (len(x) / n)
        self.model.zero_grad()
        with devices.tuned(x.device.type):
            loss.backward()
        measured = torch.stack([loss.detach(), (logits.argmax(1) == y).float().sum() / n])
        measured = parallel.sum_gradients(self.model, measured)
        self.optimiser.step(self.recipe.rate((self.step + 0.5) / self.steps))
        return measured, reach

    def settle(self, later: int = 0) -> None:
        """Look at the losses of all steps but the last `later`: one that is no number stops the training."""
        while len(self.unseen) > later:
            late, reach = self.unseen.popleft()
            if math.isfinite(late.item()):
                continue
            broken = reach is not None and not bool(reach.isfinite().all())
            if reach is not None and not broken:
                doors.refuse(self.attack, reach)
            what = f"{self.attack} made images of NaN" if broken else "the loss is NaN or infinite"
            raise FloatingPointError(
                f"{what} in epoch {self.epoch}: lower the learning rate ({self.recipe.lr}) or "
                "check the images"
            )

    def _check_weights(self) -> None:
        """Stop if the last step made weights that are no numbers:
        its loss was that of the weights before it.
        """
        if broken := self.optimiser.broken():
            raise FloatingPointError(
                f"the training diverged: {broken} is not finite after step {self.step} of {self.steps}; "
                f"lower the learning rate ({self.recipe.lr})"
            )


def train(
    model: _M,
    data: Dataset,
    *,
    attack: Attack | None = None,
    seed: int | None = None,
    recipe: Recipe = Recipe(),
    progress: Callable = iter,
    **changes: float | str,
) -> _M:
    """Train `model` on `data` in place and return it, in eval mode.

        min over theta of E[ max over delta in Delta(x) of L(x + delta, y) ]        eq. (3); without attack
                                                                                    the inner max is dropped

    attack    the inner maximisation, for example PGD(L2(1.0), steps=5)
    seed      one number that names the run: it draws the weights of a fresh Classifier, the order and the
              augmentation. Same seed, same machine, same weights (on a GPU, which chooses its algorithms by
              trying them, up to rounding). Without it all of these follow torch.manual_seed
    recipe    a Recipe; further keywords change its fields: train(model, data, epochs=2, lr=0.05)
    progress  wraps the iteration over Records, for example tqdm

    Refused is what Training refuses; a field that Recipe lacks is a ValueError.
    """
    run = Training(model, data, attack=attack, recipe=changed(check_recipe(recipe), changes), seed=seed)
    for _ in shown_by(progress, "run", run):
        pass
    return model.eval()
