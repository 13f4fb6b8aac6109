"""How a Store shows what it makes."""

from collections.abc import Callable, Iterable

from featlab.engine import parallel

# (iterable, what it makes, how many items) -> the same items, shown
Progress = Callable[[Iterable, str, int], Iterable]


def silent(items: Iterable, label: str, total: int) -> Iterable:
    """No progress shown."""
    return items


def bar(items: Iterable, label: str, total: int) -> Iterable:
    """A progress bar with time left, in a notebook or a terminal; a file or a pipe gets none."""
    from tqdm.auto import tqdm

    hidden = True if parallel.rank() else None  # None: where stderr is no terminal
    return tqdm(items, desc=f"{label:<34}", total=total, leave=False, dynamic_ncols=True, disable=hidden)
