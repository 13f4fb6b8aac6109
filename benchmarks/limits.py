"""Do the notebooks fit where they are opened? Seconds of the slowest cell and peak memory of each, on one core, one thread and 1 GB.

    python -m benchmarks.limits [--cold] [--out results/limits.json] [NOTEBOOK ...]

Runs each notebook cell by cell in a kernel that may use one core only, with the pieces there that binder/postBuild makes, as on Binder;
with --cold nothing is there. Where this machine has control groups and lets us make one (Linux, as root: in a container, say), the kernel
and what drives it share 1 GB, and are killed if they ask for more. Seconds are processor seconds; megabytes are the kernel's greatest
resident memory, half of it torch's own files. Exits with 1 if a kernel holds 1 GB or, the pieces being there, a cell takes 10 s.
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

from featlab.health import CONTROL_GROUPS
from featlab.results import provenance, write_json
from tools.binder import warm
from tools.notebook import ROOT, course

SECONDS, MEGABYTES = 10.0, 1000


def confine() -> bool:
    """Put this process and those that it starts into a control group (version 1 or 2) that is given 1 GB; whether that could be done."""
    old = CONTROL_GROUPS / "memory"
    group, limit = (old, "memory.limit_in_bytes") if old.exists() else (CONTROL_GROUPS, "memory.max")
    group = group / "featlab-limits"
    try:
        group.mkdir(exist_ok=True)
        (group / limit).write_text(str(MEGABYTES * 10**6))
        (group / "cgroup.procs").write_text(str(os.getpid()))
    except OSError as error:
        print(f"memory is measured, not limited: {error}")
        return False
    return True


def processor_seconds(pid: int) -> float:
    """What a process has computed so far: on a core of its own the time on the clock, and on a busy machine still the same."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(path: Path) -> dict:
    """Every cell of a notebook, one after the other: processor seconds, and the kernel's greatest resident memory."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}})
    took = {}
    with client.setup_kernel():
        for i, cell in enumerate(notebook.cells):
            begun = processor_seconds(client.km.provisioner.pid)
            client.execute_cell(cell, i)
            if cell.cell_type == "code":
                took[cell.source.splitlines()[0][:60]] = processor_seconds(client.km.provisioner.pid) - begun
        status = Path(f"/proc/{client.km.provisioner.pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6
    slowest = max(took, key=took.get)
    return {"seconds": round(sum(took.values()), 1), "slowest": round(took[slowest], 2), "cell": slowest, "megabytes": round(peak)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, default=course())
    parser.add_argument("--cold", action="store_true", help="measure the first run, with an empty cache")
    parser.add_argument("--out", type=Path, help="a json file that keeps what was measured, by notebook")
    options = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    measured = {}
    with tempfile.TemporaryDirectory() as cache:
        os.environ["FEATLAB_CACHE"] = cache
        if not options.cold:
            warm()
        limited = confine()
        for path in options.notebooks:
            if options.cold:
                os.environ["FEATLAB_CACHE"] = f"{cache}/{path.stem}"
            got = measured[path.stem] = run(path)
            whole = f"{path.stem:28} {got['megabytes']:5} MB   {got['seconds']:6.1f} s in all"
            print(f"{whole}, slowest cell {got['slowest']:5.2f} s: {got['cell']}")
    if options.out:
        limits = {"cores": 1, "threads": 1, "limited to": f"{MEGABYTES} MB" if limited else "nothing", "cold": options.cold}
        now = {"limits": limits, "load": round(os.getloadavg()[0], 1), **provenance()}
        known = json.loads(options.out.read_text()) if options.out.exists() else {}
        write_json(options.out, known | {name: got | now for name, got in measured.items()})
    return int(any((got["slowest"] >= SECONDS and not options.cold) or got["megabytes"] >= MEGABYTES for got in measured.values()))


if __name__ == "__main__":
    sys.exit(main())
