"""How much memory this process may still take: the machine's, or what its control group leaves of it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
# of control groups: the folder of the tree, limit, use, and what of that use is only a cache of files
VERSIONS = {
    2: ("", "memory.max", "memory.current", "inactive_file"),
    1: ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def memory_left() -> int:
    """Bytes that this process may still take; 2**62 where the system does not say."""
    return max(0, min([_of_the_machine(), *_of_groups()]))


def _of_the_machine() -> int:
    with suppress(OSError, ValueError, IndexError):
        text = (PROC / "meminfo").read_text(encoding="utf-8")
        return int(text.split("MemAvailable:")[1].split()[0]) * 1024
    with suppress(OSError, ValueError, AttributeError):  # no Linux: half of what is built in
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return 2**62


def _of_groups() -> Iterator[int]:
    """What each control group that this process is in, and each above it, leaves."""
    for version, path in _groups():
        tree, limit, use, cached = VERSIONS[version]
        for group in (path, *path.parents):
            with suppress(OSError, ValueError):
                folder = _CONTROL_GROUPS / tree / str(group).lstrip("/")
                most = int((folder / limit).read_text(encoding="utf-8"))  # "max" is no number: no limit
                yield most - int((folder / use).read_text(encoding="utf-8")) + _counted(folder, cached)


def _counted(folder: Path, name: str) -> int:
    """The bytes of this kind that a control group counts; 0 where it does not say."""
    with suppress(OSError, ValueError):
        for line in (folder / "memory.stat").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name} "):
                return int(line.removeprefix(name))
    return 0


def _groups() -> list[tuple[int, Path]]:
    """The version and the path of the control groups that bound this process's memory."""
    found = []
    with suppress(OSError, ValueError):
        for line in (PROC / "self" / "cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers or "memory" in controllers.split(","):
                found.append((1 if controllers else 2, Path(path)))
    return found or [(2, Path("/")), (1, Path("/"))]
