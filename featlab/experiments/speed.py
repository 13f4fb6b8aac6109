"""How fast this machine is, and how fast the work could be: measured matrix products, counted operations,
the floor of a stage.
"""

import time
from collections.abc import Callable
from functools import cache

import torch
from torch import nn

from featlab.engine import chunks, devices, seeds, unchanged

GIGA, PETA = 1e9, 1e15


def clock(run: Callable[[], object], kind: str = "cpu") -> float:
    """Seconds that `run` takes, a GPU's work included."""
    wait = torch.cuda.synchronize if kind == "cuda" else lambda: None
    wait()
    begun = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - begun


@cache
def peak(kind: str, size: int = 0, precision: str = "") -> float:
    """Operations a second of a large matrix product here, on random numbers,
    in the precision of the convolutions: the best of ten.
    """
    size = size or (8192 if kind == "cuda" else 1024)
    fast = (precision or devices.describe_precision()).startswith("bfloat16")
    with torch.random.fork_rng(devices=[]):
        a, b = (
            torch.randn(size, size, device=kind, dtype=torch.bfloat16 if fast else torch.float32)
            for _ in range(2)
        )
    return 2 * size**3 / min(clock(lambda: a @ b, kind) for _ in range(10))


def flops(model: nn.Module, shape: tuple[int, ...]) -> float:
    """Operations of one forward pass of one image of this shape (c, h, w): a product and a sum count two."""
    from torch.utils.flop_counter import FlopCounterMode  # 75 MB of torch's other parts

    where = devices.device_of(model)
    with unchanged.evaluated(model), FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.full((1, *shape), 0.5, device=where))
    return float(counter.get_total_flops())


def throughput(model: nn.Module, shape: tuple[int, ...], images: int = 0) -> float:
    """Passes of images through the network a second, forward or backward,
    measured on the attack's own step for about a second.
    """
    from featlab.attacks import L2, PGD

    where, kind = devices.device_of(model), devices.kind_of(model)
    n = images or 2 * chunks.chunk(kind)
    with seeds.drawing(0):
        x = torch.rand(n, *shape, device=where)
    y = torch.zeros(n, dtype=torch.long, device=where)
    attack = PGD(L2(0.1), steps=1)
    seconds: list[float] = []
    attack(model, x[: len(x) // 4 + 1], y[: len(x) // 4 + 1])
    while not seconds or (sum(seconds) < 1 and len(seconds) < 20):
        seconds.append(clock(lambda: attack(model, x, y), kind))
    return 2 * n / min(seconds)
