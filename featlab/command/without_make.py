"""What `make lab` and `make test` do, where there is no make: on Windows, or beside an installed wheel.

Nothing here needs more than Python, so that a fresh clone can begin with `python -m featlab lab`.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from featlab.inputs.options import Usage

PACKAGE = Path(__file__).resolve().parents[1]
CLONE = PACKAGE.parent
FIRST = "00-bug-or-feature.ipynb"
OF_ALL = ("anywidget", "ipywidgets", "plotly", "safetensors", "scipy", "torch", "torchvision", "tqdm")
NEEDED = {"lab": ("jupyterlab", *OF_ALL), "test": ("nbval", "pytest", "hypothesis", *OF_ALL)}
INSTALLING = """featlab: installing into {folder}, this once. PyTorch is downloaded (some gigabytes on
Linux), which takes minutes, by the network; nothing is shown meanwhile."""


def lab(browser: bool = True) -> int:
    """Open the course in JupyterLab, and install what is missing before; the exit status of JupyterLab."""
    python, folder = ready("lab"), lessons()
    words = [
        python,
        "-m",
        "jupyterlab",
        *([] if browser else ["--no-browser"]),
        *as_root(),
        str(folder / FIRST),
    ]
    return start(words, folder.parent)


def test(what: Sequence[str] = ()) -> int:
    """Run all tests and notebooks of a clone, or the files named; the exit status of pytest."""
    if not is_clone(CLONE):
        raise Usage("the tests are in the repository, and this featlab is installed without it")
    return start([ready("test"), "-m", "pytest", "--nbval", *what], CLONE)


def is_clone(folder: Path) -> bool:
    """Whether the package stands in a clone, with notebooks and tests beside it."""
    return all((folder / name).is_dir() for name in ("notebooks", "tests"))


def lessons() -> Path:
    """The folder of the notebooks: the clone's, or a copy of those that a wheel carries, where one works.

    What is in the copy already stays as it is, for a reader has worked in it.
    """
    if is_clone(CLONE):
        return CLONE / "notebooks"
    folder = Path("featlab-notebooks").absolute()
    folder.mkdir(exist_ok=True)
    for path in sorted((PACKAGE / "notebooks").glob("*.ipynb")):
        if not (folder / path.name).exists():
            shutil.copyfile(path, folder / path.name)
    print(f"featlab: the notebooks are in {folder}", file=sys.stderr)
    return folder


def ready(what: str) -> str:
    """A Python that has what is needed: this one, or that of the clone's .venv, made if it is not there."""
    missing = [name for name in NEEDED[what] if not find_spec(name)]
    if not missing:
        return sys.executable
    if not is_clone(CLONE):
        raise Usage(f'{" and ".join(missing)} missing here: pip install "featlab[lab]"')
    return installed(CLONE / ".venv")


def installed(folder: Path) -> str:
    """The Python of a virtual environment with the clone in it, as the Makefile makes it."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / ".installed"
    if not done.exists() or done.stat().st_mtime < (CLONE / "pyproject.toml").stat().st_mtime:
        print(INSTALLING.format(folder=folder), file=sys.stderr)
        venv.create(folder, with_pip=True)
        asked = [str(python), "-m", "pip", "install", "--quiet", "--editable", ".[lab,test]"]
        if start(asked, CLONE):
            raise Usage("the installation failed, as pip says above; the same command tries again")
        done.touch()
    return str(python)


def as_root() -> list[str]:
    """What JupyterLab wants to hear from the user root, as in a container."""
    return ["--allow-root"] if getattr(os, "getuid", lambda: 1)() == 0 else []


def start(words: list[str], folder: Path) -> int:
    """The exit status of a program that is run in a folder, with this featlab in reach of what it starts.

    Ctrl-C reaches the program too, and it ends by itself.
    """
    path = os.pathsep.join(filter(None, [str(CLONE), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(words, cwd=folder, env={**os.environ, "PYTHONPATH": path}) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            return process.wait()
