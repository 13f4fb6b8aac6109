"""What readers predicted, by question: kept across notebooks and kernels, until it is forgotten."""

from pathlib import Path

from featlab.engine import files

Answer = str | float  # one of the words offered, or a number

_UNWRITTEN: dict[Path, dict[str, Answer | None]] = {}  # what this kernel could not write, by file


def predictions() -> dict[str, Answer]:
    """All predictions made so far on this machine, by question; none if the file is not there or not one of
    predictions.
    """
    path = _path()
    found = files.read_json(path)
    return (found if isinstance(found, dict) else {}) | _UNWRITTEN.get(path, {})


def keep(question: str, guess: Answer | None) -> str:
    """Keep a prediction beside those of other questions and other notebooks, or with None forget it.

    Returns a sentence for the reader where that could not be written and holds in this kernel only, else "".
    """
    path = _path()
    with files.taking_turns(path.parent):
        made = predictions() | {question: guess}
        try:
            files.write_json(path, {asked: guess for asked, guess in made.items() if guess is not None})
            _UNWRITTEN.pop(path, None)
        except OSError as error:
            _UNWRITTEN.setdefault(path, {})[question] = guess
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            why = cause.strerror or type(error).__name__
            way = "set FEATLAB_CACHE to a folder that can be written"
            return f"This holds only until the kernel ends, for {path} could not be written ({why}): {way}."
    return ""


def _path() -> Path:
    return files.cache_folder() / "predictions.json"
