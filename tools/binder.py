"""What Binder's image holds before anyone opens a notebook: the pieces that binder/postBuild makes, by its own lines."""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tools.notebook import ROOT


def lines() -> Iterator[list[str]]:
    """The arguments of each line of binder/postBuild that runs Python."""
    for line in (ROOT / "binder" / "postBuild").read_text().splitlines():
        if line.startswith("python "):
            yield shlex.split(line)[1:]


def warm() -> None:
    """Fill the cache ($FEATLAB_CACHE) as postBuild does; its tables go to a folder that is removed."""
    with tempfile.TemporaryDirectory() as out:
        for words in lines():
            words = [out if word == "/tmp/results" else word for word in words]
            subprocess.run([sys.executable, *words], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
