"""Do the notebooks fit where they are opened?

Seconds of the slowest cell and peak memory of each, on one core, one thread and 1 GB.

    python -m benchmarks.limits [--out results/limits.json] [NOTEBOOK ...]

Runs each notebook cell by cell in a kernel that may use one core only, from an empty cache, as on Binder.
Where this machine has control groups and lets us make one (Linux, as root: in a container, say), the kernel
and what drives it share 1 GB, and are killed if they ask for more. Seconds are processor seconds; megabytes
are the kernel's greatest resident memory, half of it torch's own files. Exits with 1 if a kernel holds 1 GB,
if a cell takes 10 s, or if one that shows a bar with the time left takes 60 s.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from featlab.course.health import CONTROL_GROUPS
from featlab.experiments.reports import provenance, write_once
from tools.notebook import ROOT, course

SECONDS, WITH_BAR, MEGABYTES = 10.0, 60.0, 1000
BARS = ("widgets.progress", "widgets.watch", "lab.dataset")  # what shows one


def confine() -> bool:
    """Put this process and those that it starts into a control group (version 1 or 2) that is given 1 GB;
    whether that could be done.
    """
    old = CONTROL_GROUPS / "memory"
    group, limit = (old, "memory.limit_in_bytes") if old.exists() else (CONTROL_GROUPS, "memory.max")
    group = group / "featlab-limits"
    try:
        group.mkdir(exist_ok=True)
        (group / limit).write_text(str(MEGABYTES * 10**6), encoding="utf-8")
        (group / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")
    except OSError as error:
        print(f"memory is measured, not limited: {error}")
        return False
    return True


def processor_seconds(pid: int) -> float:
    """What a process has computed so far: on a core of its own the time on the clock,
    and on a busy machine still the same.
    """
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(path: Path) -> dict:
    """Every cell of a notebook, one after the other: processor seconds,
    and the kernel's greatest resident memory.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    took, limits = {}, {}
    with client.setup_kernel():
        pid = client.km.provisioner.pid
        for i, cell in enumerate(notebook.cells):
            begun = processor_seconds(pid)
            client.execute_cell(cell, i)
            if cell.cell_type == "code":
                name = f"{i}: {cell.source.splitlines()[0][:60]}"
                took[name] = processor_seconds(pid) - begun
                limits[name] = WITH_BAR if any(bar in cell.source for bar in BARS) else SECONDS
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    slowest = max(took, key=took.get)
    return {
        "seconds": round(sum(took.values()), 1),
        "slowest": round(took[slowest], 2),
        "cell": slowest,
        "too slow": [name for name in took if took[name] >= limits[name]],
        "megabytes": round(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, default=course())
    parser.add_argument("--out", type=Path, help="a json file that keeps what was measured, by notebook")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    measured, limited = {}, confine()
    for path in options.notebooks:
        with tempfile.TemporaryDirectory() as cache:
            os.environ["FEATLAB_CACHE"] = cache
            got = measured[path.stem] = run(path)
        whole = f"{path.stem:28} {got['megabytes']:5} MB   {got['seconds']:6.1f} s in all"
        print(f"{whole}, slowest cell {got['slowest']:5.2f} s: {got['cell']}", flush=True)
    if options.out:
        limits = {"cores": 1, "threads": 1, "limited to": f"{MEGABYTES} MB" if limited else "nothing"}
        now = {"limits": limits, "load": round(os.getloadavg()[0], 1), **provenance()}
        known = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {}
        write_once(options.out, known | {name: got | now for name, got in measured.items()})
    return int(any(got["too slow"] or got["megabytes"] >= MEGABYTES for got in measured.values()))


if __name__ == "__main__":
    sys.exit(main())
