"""How fast this machine is, in what a reader waits for: the minutes of the whole experiment."""

import time

import torch
from torch import nn

from featlab.engine import devices

PASSES = 10.2e6  # of an image through the laptop's network, forward or backward, in the whole experiment
IMAGES, ROUNDS = 64, 5
# times as long as its convolutions forward takes a pass on average: those backward take longer, and there is
# what lies between (benchmarks/floor.py)
WHOLE = 1.6


def seconds_per_pass() -> float:
    """What a pass of an image through the laptop's network takes one thread, from a probe of its convolutions
    of about a tenth of a second.
    """
    with torch.random.fork_rng(devices=[]):
        widths = ((1, 16, 2), (16, 32, 1), (32, 64, 2), (64, 64, 1))
        network = nn.Sequential(*(nn.Conv2d(a, b, 3, stride, padding=1) for a, b, stride in widths))
        x = torch.rand(IMAGES, 1, 28, 28)
    network.to(memory_format=torch.channels_last)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times = []
    fast = torch.autocast("cpu", torch.bfloat16, enabled=devices.has_bfloat16("cpu"))
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        with torch.no_grad(), fast:
            network(x)
        times.append(time.perf_counter() - begun)
    torch.set_num_threads(threads)
    return WHOLE * min(times) / IMAGES


def minutes() -> float:
    """What `python -m featlab reproduce` takes here, all cores at work, if nothing of it is there yet."""
    return PASSES * seconds_per_pass() / torch.get_num_threads() / 60


def length_of_a_run() -> str:
    """'a whole run (python -m featlab reproduce) takes about 7 minutes here'"""
    found = minutes()
    wait = f"{found:.0f} minutes" if found >= 1.5 else f"{60 * found:.0f} seconds"
    return f"a whole run (python -m featlab reproduce) takes about {wait} here"
