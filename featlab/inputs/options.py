"""What is said on the command line, checked before anything is imported or computed:
a mistake costs a second and one line.
"""

import argparse
import difflib
import math
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

MOST = 10**9  # the largest seed: others are derived from it by small factors
UNITS = {"s": 1, "m": 60, "h": 3600}


class Usage(ValueError):
    """The command line asks for what there is not."""


class Parser(argparse.ArgumentParser):
    """argparse's, with mistakes as one line and without the usage."""

    def error(self, message: str) -> NoReturn:
        raise Usage(f"{message} ({self.prog} --help says more)")


def known_option(word: str, names: Iterable[str], what: str) -> str:
    """The word, if it is one of the names; else Usage says which there are, and which is meant perhaps."""
    names = list(names)
    if word in names:
        return word
    raise Usage(f"unknown {what} {word!r}: choose one of {', '.join(names)}{did_you_mean(word, names)}")


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of a sentence that names what a misspelt word may mean; nothing where no name is like it."""
    by_lower = {name.lower(): name for name in names}
    meant = difflib.get_close_matches(word.lower(), by_lower, 1)
    return f"; did you mean {by_lower[meant[0]]}?" if meant else ""


def parsed(parser: Parser, commands: Iterable[str], words: Sequence[str]) -> argparse.Namespace:
    """The options that the words mean, or Usage."""
    if words and not words[0].startswith("-"):
        known_option(words[0], commands, "command")
    arguments, rest = parser.parse_known_args(words)
    if rest and rest[0].startswith("-"):
        known_option(
            rest[0].split("=")[0],
            [f"--{name.replace('_', '-')}" for name in vars(arguments) if name not in ("run", "what")],
            "option",
        )
    if rest:
        raise Usage(f"{rest[0]!r} belongs to no option ({parser.prog} {words[0]} --help lists them)")
    return arguments


def text(word: str) -> str:
    """A word that is not empty: an empty one, of a variable that is not set perhaps, means nothing."""
    if not word.strip():
        raise argparse.ArgumentTypeError("its value is empty: give one, or leave the option out")
    return word


def seed(word: str) -> int:
    """A whole number from 0 to MOST."""
    try:
        number = int(text(word))
    except ValueError:
        number = -1
    if not 0 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {MOST:,}, not {word!r}")
    return number


def size(word: str) -> int | tuple[int, int]:
    """A number of pixels, or height and width with an x between."""
    said = re.fullmatch(r"([0-9]{1,4})(?:x([0-9]{1,4}))?", word)
    sides = [int(side) for side in said.groups() if side] if said else []
    if not sides or not all(0 < side <= 4096 for side in sides):
        allowed = "a whole number of pixels from 1 to 4096, or height and width as in 28x40"
        raise argparse.ArgumentTypeError(f"a size is {allowed}, not {word!r}")
    return (sides[0], sides[1]) if len(sides) == 2 else sides[0]


def folder(word: str) -> Path:
    """A path, with ~ for the home folder."""
    try:
        return Path(text(word)).expanduser()
    except RuntimeError as error:  # no such user
        raise argparse.ArgumentTypeError(f"{word!r} is no folder: {error}") from error


def duration(word: str) -> str:
    """A time, as it was said."""
    try:
        seconds_of(text(word))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return word


def seconds_of(text: str | None) -> float:
    """ "90", "90s", "9m" or "1.5h" in seconds; no text is no limit."""
    if text is None:
        return math.inf
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        value = float(number) * UNITS[unit]
    except ValueError:
        value = -1.0
    if not 0 < value < math.inf:
        raise ValueError(f"{text!r} is no time: say 90s, 9m or 1.5h")
    return value


def writable(path: Path) -> Path:
    """The path, if a file can be written there: found before the work whose results it is to hold.

    Its folder is made.
    """
    try:
        if path.is_dir():
            raise OSError(0, "a folder has this name")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise OSError(
            f"{path} cannot be written ({error.strerror or error}): choose another folder with --out"
        ) from error
    return path
