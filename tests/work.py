"""Work of all kinds on a few images, what it gives, and how often it waits for a number."""

import torch
from small import patches, snapshot, tiny
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import featlab as fl
from featlab.models import Classifier
from featlab.recipes import Recipe

DATA = patches(90)
PUSH = fl.PGD(fl.L2(0.5), steps=6, targeted=True, best=True)
RECIPE = Recipe(epochs=2, batch=20, lr=0.02, augment=1, average=0.9, turn=10.0)


def untrained() -> Classifier:
    """A small network that has learned nothing."""
    model = tiny()
    model.trained.fill_(False)
    return model


def made(data: fl.Dataset = DATA) -> list[torch.Tensor]:
    """What all kinds of work give: sets, weights, predictions."""
    model = fl.train(untrained(), data, recipe=RECIPE, attack=fl.PGD(fl.L2(0.3), steps=3), seed=0)
    sets = fl.robustify(model, data, fl.Inversion(steps=6)), fl.mislabel(model, data, fl.next_labels, PUSH)
    return [
        *(t for s in sets for t in (s.images, s.labels, *s.report.values())),
        fl.predict(model, data.images),
        *snapshot(model).values(),
    ]


def agree(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return all(torch.allclose(a.float(), b.float(), atol=2e-5) for a, b in zip(ours, theirs, strict=True))


class Lists(TorchFunctionMode):
    """Counts tensors read as lists, which are not dispatched."""

    def __init__(self, looks: "Looks"):
        super().__init__()
        self.looks = looks

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.looks.count += function is torch.Tensor.tolist
        return function(*args, **(kwargs or {}))


class Looks(TorchDispatchMode):
    """Counts how often numbers are read out of a tensor: each time a GPU would be waited for."""

    def __init__(self):
        super().__init__()
        self.count, self.lists = 0, Lists(self)

    def __enter__(self):
        self.lists.__enter__()
        return super().__enter__()

    def __exit__(self, *error):
        super().__exit__(*error)
        self.lists.__exit__(*error)

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += "_local_scalar_dense" in str(function) or "nonzero" in str(function)
        return function(*args, **(kwargs or {}))
