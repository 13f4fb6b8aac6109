"""What the tests of stores, shelves and what they keep have in common: one training, one construction."""

from small import patches, same, tiny

import featlab as fl
from featlab.constructed import parts_of_mislabel, random_labels
from featlab.experiments import records
from featlab.experiments.store import Store
from featlab.training import Recipe, Training

RECIPE = Recipe(epochs=6, batch=50, lr=0.02, augment=1, average=0.9)
ATTACK = fl.PGD(fl.L2(0.5), steps=2, targeted=True, random_start=True)
DATA = patches(450)


def untrained():
    model = tiny()
    model.trained.fill_(False)
    return model


def train_in(store: Store, setting: str = "recipe", seed: int = 0):
    attack = fl.PGD(fl.L2(0.5), steps=1, random_start=True)
    return store.model(
        "net",
        setting,
        untrained(),
        lambda model: Training(model, DATA, recipe=RECIPE, attack=attack, seed=seed),
    )


def construct_in(store: Store, setting: str = "rule", seed: int = 0):
    return store.dataset(
        "wrong", setting, lambda: parts_of_mislabel(tiny(), DATA, random_labels, ATTACK, seed=seed)
    )


def equal(a, b) -> bool:
    return same(records.tensors_of(a), records.tensors_of(b)) and a.classes == b.classes


class Counting:
    """A progress that counts the items of work and can stop after some of them."""

    def __init__(self, stop_after: int = 10**9):
        self.done, self.stop_after = 0, stop_after

    def __call__(self, items, label, total):
        for item in items:
            if self.done == self.stop_after:
                raise KeyboardInterrupt
            self.done += 1
            yield item
