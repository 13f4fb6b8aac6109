"""Where featlab keeps what is expensive to make. Without torch, which may be what is missing."""

import os
import tempfile
import warnings
from functools import cache
from pathlib import Path


def cache_folder() -> Path:
    """$FEATLAB_CACHE, else $XDG_CACHE_HOME/featlab, else ~/.cache/featlab; a temporary one, with a warning,
    for a user without a home.
    """
    own, usual = os.environ.get("FEATLAB_CACHE", ""), os.environ.get("XDG_CACHE_HOME", "")
    if own.strip():
        return expanded(own)
    if os.path.isabs(usual):  # the standard: anything else in it is to be ignored
        return Path(usual) / "featlab"
    home = expanded("~")
    return home / ".cache" / "featlab" if home.is_absolute() else _temporary()


def expanded(path: str) -> Path:
    """The path with ~ for the home; as it stands where there is none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no HOME, and a user whom the system does not know
        return Path(path)


@cache
def _temporary() -> Path:
    folder = Path(tempfile.gettempdir()) / f"featlab-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    warnings.warn(
        f"this user has no home folder, so what is expensive is kept in {folder} and may be lost: "
        "set the environment variable FEATLAB_CACHE to a folder of yours",
        stacklevel=3,
    )
    return folder
