"""Ready to begin: `setup` fixes seeds and threads and says in one line what computes;
`doctor` says what is missing and how to mend it.
"""

import importlib
import os
import platform
import re
import shutil
import sys
import warnings
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from featlab.engine import places

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """Processor cores that this process may use: a container's share, which the operating system does not
    tell torch.

    On Binder a machine of many cores lends one; threads for all of them would wait for each other.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota()
    return max(1, min(allowed, round(quota))) if quota else allowed


def _quota() -> float | None:
    """Cores' worth of time that the control group grants (versions 2 and 1), or None for no limit."""
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        try:
            share, period = " ".join(
                (CONTROL_GROUPS / name).read_text(encoding="utf-8") for name in names
            ).split()
            return float(share) / float(period) if share not in ("max", "-1") else None
        except (OSError, ValueError):
            continue
    return None


def setup(seed: int = 0, motion: bool = True, precision: str = "float32") -> None:
    """Seed random, numpy and torch, use the cores that there are, let Colab show widgets, and print one line
    on what computes, on a CPU another on how long the whole experiment takes there.

    In float32 the numbers of a given network are the same on every machine, to the digit that the notebooks
    print. Where a cell makes a set or trains, `with fl.engine.precision("auto"):` lets it use what is fast
    here.

    In a notebook it also gives every figure a name that a screen reader can say. Without `motion` a training
    curve appears when it is whole instead of growing (so does FEATLAB_MOTION=off in the environment).

    ValueError for a seed beyond 0 to 2**32 - 1 or an unknown precision, TypeError for motion that is no bool.
    """
    import random

    import numpy as np
    import torch

    from featlab import __version__
    from featlab.course import alt, pace
    from featlab.engine import devices
    from featlab.inputs import checks

    seed = int(checks.between(checks.whole(seed, "seed"), "seed", 0, 2**32 - 1))  # what numpy takes
    if not checks.flag(motion, "motion"):
        os.environ["FEATLAB_MOTION"] = "off"
    devices.use_precision(precision)
    random.seed(seed)
    torch.manual_seed(seed)
    np.random.seed(seed)
    torch.set_num_threads(min(torch.get_num_threads(), cores()))
    if "plotly" in sys.modules:
        draw_by_data()
    if "google.colab" in sys.modules:
        importlib.import_module("google.colab.output").enable_custom_widget_manager()
    elif hasattr(getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)(), "kernel"):
        from IPython.display import HTML, display

        display(HTML(alt.SPOKEN))
    threads, gpu = torch.get_num_threads(), devices.device().type == "cuda"
    cpu = f"CPU, {threads} thread{'s' * (threads > 1)}, {devices.processor()}"
    where = torch.cuda.get_device_name() if gpu else cpu
    print(f"featlab {__version__} | {where} | {devices.describe_precision()} | seed {seed}")
    if not gpu:
        print(pace.length_of_a_run())


def draw_by_data() -> None:
    """In a notebook, a figure is stored as its data, without plotly.js itself (4 MB per figure).

    plotly's renderers load nbformat, that jsonschema, and that compiles a grammar for each kind of address it
    can check: up to 5 seconds of every notebook's first cell (measured), for checks that nothing here asks
    for. Where no grammar can be imported, jsonschema does without: it is hidden meanwhile.
    """
    hidden = sys.modules.setdefault("rfc3987_syntax", None) is None  # type: ignore[arg-type]  # hides it
    try:
        renderers = importlib.import_module("plotly.io").renderers  # loaded here, not before
        if "plotly_mimetype" in renderers.default:
            renderers.default = "plotly_mimetype"
    finally:
        if hidden:
            del sys.modules["rfc3987_syntax"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, what was found, and how to mend it if it must be mended."""

    what: str
    found: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.what:14} {self.found}" + (f"\n{'':14} -> {self.mend}" if self.mend else "")


def required() -> dict[str, str]:
    """Packages that featlab needs, with the oldest version that it works with: from pyproject.toml beside it,
    else as installed.
    """
    if PYPROJECT.exists():
        text = PYPROJECT.read_text(encoding="utf-8")
        [lines] = re.findall(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    else:
        lines = "\n".join(f'"{line}"' for line in metadata.requires("featlab") or [] if "extra" not in line)
    return dict(re.findall(r'"([\w-]+)>=([\d.]+)"', lines))


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def package(name: str, floor: str) -> Finding:
    """Whether a package is there and new enough."""
    mend = f'pip install "{name}>={floor}", then restart the kernel'
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "missing", mend)
    if not isinstance(version, str):  # what an interrupted installation leaves
        return Finding(name, "installed in part", mend)
    old = _numbers(version) < _numbers(floor)
    return Finding(name, f"{version}, older than {floor}" if old else version, mend if old else "")


def present(name: str, floor: str) -> Finding:
    """Whether a package is there, new enough, and can be imported."""
    found = package(name, floor)
    if found.mend:
        return found
    try:
        importlib.import_module(name)
    except (
        Exception,
        SystemExit,
    ) as error:  # a broken package may raise anything, and is not to stop the doctor
        mend = (
            "install torch and torchvision of one release: https://pytorch.org/get-started"
            if "torch" in name
            else ""
        )
        mend = mend or f'pip install --force-reinstall "{name}>={floor}"'
        return Finding(
            name, f"{found.found}, cannot be imported ({_line(error)})", f"{mend}, then restart the kernel"
        )
    return found


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]


def cache() -> Finding:
    """Whether what is expensive can be kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no home is said here
        folder = places.cache_folder()
    mend = "set the environment variable FEATLAB_CACHE to a folder of yours"
    there = next(path for path in (folder, *folder.absolute().parents) if os.path.exists(path))
    try:
        free = shutil.disk_usage(there).free / 2**30
    except OSError as error:
        return Finding("cache", f"{folder} cannot be read ({error.strerror})", mend)
    if not os.path.isdir(there) or not os.access(there, os.W_OK | os.X_OK):
        return Finding("cache", f"{folder} cannot be written", mend)
    if folder.name == f"featlab-{getattr(os, 'getuid', str)()}":
        return Finding("cache", f"{folder}, for this user has no home", mend)
    return Finding(
        "cache",
        f"{folder}, {free:.0f} GB free",
        "free some space: the notebooks keep about 0.2 GB there" if free < 1 else "",
    )


def _device() -> Finding:
    """What computes."""
    try:
        from featlab.engine import devices

        precision, kind = devices.describe_precision(), devices.device().type
    except ValueError as error:  # an environment variable that names what there is not; it says so
        return Finding("device", "unknown", str(error))
    except Exception as error:  # torch is missing or broken: the line above says so
        return Finding(
            "device", f"unknown ({_line(error)})", "install torch first: https://pytorch.org/get-started"
        )
    if kind != "cpu":
        return Finding("device", f"{'GPU' if kind == 'cuda' else kind}, {precision}")
    return Finding("device", f"CPU ({cores()} of {os.cpu_count()} cores), {precision}; no GPU is needed")


def examine() -> list[Finding]:
    """Everything that the notebooks need, looked at."""
    from featlab import __version__

    python = Finding(
        "python", platform.python_version(), "use Python 3.10 or newer" if sys.version_info < (3, 10) else ""
    )
    ours = [Finding("featlab", __version__), Finding("system", platform.platform())]
    return [
        *ours,
        python,
        *(present(name, floor) for name, floor in required().items()),
        page(),
        _device(),
        cache(),
    ]


def page() -> Finding:
    """What shows the notebooks: Colab, JupyterLab, or the classic notebook,
    which shows widgets as well since version 7.
    """
    if "google.colab" in sys.modules:
        return Finding("page", "Colab, which shows widgets")
    if any(name.startswith(("VSCODE_", "KAGGLE_")) for name in os.environ):
        return Finding("page", "VS Code or Kaggle, which show widgets")
    lab, classic = package("jupyterlab", "4"), package("notebook", "7")
    return classic if lab.mend and not classic.mend else lab


def doctor() -> None:
    """Print versions, what is missing and how to mend it.

    It refuses nothing: what is missing is printed.
    """
    findings = examine()
    print(*findings, sep="\n")
    faults = [finding.what for finding in findings if finding.mend]
    print(f"To mend: {', '.join(faults)}." if faults else "Nothing is missing.")
