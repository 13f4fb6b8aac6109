"""load(name or folder) -> train, test."""
from importlib import resources

import numpy as np
import torch

from featlab import engine
from featlab.types import Dataset

def load(name="fashion-mnist"):
    with resources.files("featlab.embedded").joinpath("fashion_mnist.npz").open("rb") as f, np.load(f) as a:
        a = {k: torch.from_numpy(a[k]) for k in a}
    return tuple(Dataset(a[f"{s}_images"][:, None], a[f"{s}_labels"], tuple(str(i) for i in range(10))).to(engine.device()) for s in ("train", "test"))
