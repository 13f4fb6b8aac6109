"""Random draws that follow from numbers, the same in every process, and leave torch's own as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# of xxHash, 64 bits
PRIMES = 11400714785074694791, 14029467366897019727, 2870177450012600261
WORD = 2**64


def seed_of(*numbers: int) -> int:
    """One seed for torch from several whole numbers, such as the seed of a run and its epoch;
    the same in every process and every version of Python.

    It is xxHash (Collet 2012) with a lane for each number, as Python 3.8 to 3.13 hash a tuple of numbers from
    0 up: stored results were drawn so.
    """
    first, second, fifth = PRIMES
    found = fifth
    for number in numbers:
        found = (found + _lane(number) * second) % WORD
        found = (found << 31 | found >> 33) % WORD * first % WORD
    return (found + (len(numbers) ^ fifth ^ 3527539)) % WORD % 2**63


def _lane(number: int) -> int:
    """A whole number modulo 2^61 - 1, with its sign, as 64 bits."""
    rest = abs(number) % (2**61 - 1)
    return rest if number >= 0 else (WORD - rest) % WORD


@contextmanager
def drawing(*numbers: int) -> Iterator[None]:
    """Within this block torch's random draws follow from these numbers;
    after it they go on as if nothing had been drawn.
    """
    seed = seed_of(*numbers)
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.default_generator.manual_seed(seed)
        torch.cuda.manual_seed(seed)  # of this GPU; torch.manual_seed would seed the others as well
        yield
