"""Ready to begin: `setup` fixes seeds and threads and says in one line what computes; `doctor` says what is missing and how to mend it."""

import importlib
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """Processor cores that this process may use: a container's share, which the operating system does not tell torch.

    On Binder a machine of many cores lends one; threads for all of them would wait for each other.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota()
    return max(1, min(allowed, round(quota))) if quota else allowed


def _quota() -> float | None:
    """Cores' worth of time that the control group grants (versions 2 and 1), or None for no limit."""
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        try:
            share, period = " ".join((CONTROL_GROUPS / name).read_text() for name in names).split()
            return float(share) / float(period) if share not in ("max", "-1") else None
        except (OSError, ValueError):
            continue
    return None


def setup(seed: int = 0, motion: bool = True) -> None:
    """Seed random, numpy and torch, use the cores that there are, let Colab show widgets, and print one line on what computes.

    In a notebook it also gives every figure a name that a screen reader can say. Without `motion` a training curve appears when it is
    whole instead of growing (so does FEATLAB_MOTION=off in the environment).
    """
    import random

    import numpy as np
    import torch

    from featlab import __version__, alt, engine

    if not motion:
        os.environ["FEATLAB_MOTION"] = "off"
    random.seed(seed)
    torch.manual_seed(seed)
    np.random.seed(seed)
    torch.set_num_threads(min(torch.get_num_threads(), cores()))
    if "google.colab" in sys.modules:
        importlib.import_module("google.colab.output").enable_custom_widget_manager()
    elif hasattr(getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)(), "kernel"):
        from IPython.display import HTML, display

        display(HTML(alt.SPOKEN))
    threads = torch.get_num_threads()
    cpu = f"CPU, {threads} thread{'s' * (threads > 1)}, {engine.processor()}"
    where = torch.cuda.get_device_name() if engine.device().type == "cuda" else cpu
    print(f"featlab {__version__} | {where} | {engine.describe_precision()} | seed {seed}")


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, what was found, and how to mend it if it must be mended."""

    what: str
    found: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.what:14} {self.found}" + (f"\n{'':14} -> {self.mend}" if self.mend else "")


def required() -> dict[str, str]:
    """Packages that featlab needs, with the oldest version that it works with: from pyproject.toml beside it, else as installed."""
    if PYPROJECT.exists():
        lines = re.search(r"^dependencies = \[(.*?)^\]", PYPROJECT.read_text(), re.MULTILINE | re.DOTALL)[1]
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
    old = _numbers(version) < _numbers(floor)
    return Finding(name, f"{version}, older than {floor}" if old else version, mend if old else "")


def cache() -> Finding:
    """Whether what is expensive can be kept. (`files.cache_folder` says the same, but needs torch, which may be what is missing.)"""
    folder = Path(os.environ.get("FEATLAB_CACHE") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "featlab")
    there = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free / 2**30
    if not os.access(there, os.W_OK):
        return Finding("cache", f"{folder} cannot be written", "set the environment variable FEATLAB_CACHE to a folder of yours")
    return Finding("cache", f"{folder}, {free:.0f} GB free", "free some space: the notebooks keep about 0.2 GB there" if free < 1 else "")


def device() -> Finding:
    """What computes."""
    try:
        from featlab import engine
    except Exception as error:  # torch is missing or broken: the line above says so
        return Finding("device", f"unknown ({type(error).__name__}: {error})", "install torch first: https://pytorch.org/get-started")
    precision = engine.describe_precision()
    if engine.device().type == "cuda":
        return Finding("device", f"GPU, {precision}")
    return Finding("device", f"CPU ({cores()} of {os.cpu_count()} cores), {precision}; no GPU is needed")


def examine() -> list[Finding]:
    """Everything that the notebooks need, looked at."""
    from featlab import __version__

    python = Finding("python", platform.python_version(), "use Python 3.10 or newer" if sys.version_info < (3, 10) else "")
    ours = [Finding("featlab", __version__), Finding("system", platform.platform())]
    return [*ours, python, *(package(name, floor) for name, floor in required().items()), page(), device(), cache()]


def page() -> Finding:
    """What shows the notebooks: Colab, JupyterLab, or the classic notebook, which shows widgets as well since version 7."""
    if "google.colab" in sys.modules:
        return Finding("page", "Colab, which shows widgets")
    lab, classic = package("jupyterlab", "4"), package("notebook", "7")
    return classic if lab.mend and not classic.mend else lab


def doctor() -> None:
    """Print versions, what is missing and how to mend it."""
    findings = examine()
    print(*findings, sep="\n")
    faults = [finding.what for finding in findings if finding.mend]
    print(f"To mend: {', '.join(faults)}." if faults else "Nothing is missing.")
