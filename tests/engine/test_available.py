"""What a process may still take of the memory is the least of what the machine and its control groups leave,
of either version.
"""

import os

import pytest

from featlab.engine import available

GIB = 2**30
# 8 GiB are available
MACHINE = "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\n"


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Writes files of a made-up system: proc/... and groups/..."""
    monkeypatch.setattr(available, "PROC", tmp_path / "proc")
    monkeypatch.setattr(available, "_CONTROL_GROUPS", tmp_path / "groups")

    def write(files: dict[str, object]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"{text}", encoding="utf-8")

    write({"proc/meminfo": MACHINE})
    return write


def group(version: int, path: str, limit: object, use: int, cached: int = 0) -> dict[str, object]:
    """The files of a control group as the kernel writes them."""
    folder = f"groups/{path}" if version == 2 else f"groups/memory/{path}"
    most, used = available.VERSIONS[version][1:3]
    stat = (
        f"anon 5\nfile 7\ninactive_file {cached if version == 2 else 1}\ntotal_inactive_file "
        f"{cached}\nactive_file 9\n"
    )
    return {f"{folder}/{most}": f"{limit}\n", f"{folder}/{used}": f"{use}\n", f"{folder}/memory.stat": stat}


# /proc/self/cgroup
HOME = {2: "0::/user/me\n", 1: "12:cpu,cpuacct:/other\n5:memory:/user/me\n1:name=systemd:/x\n"}


@pytest.mark.parametrize("version", [1, 2])
# a container sees its own group as the root
@pytest.mark.parametrize("path", ["user/me", "user", ""], ids=["own", "above", "root"])
def test_a_group_leaves_its_limit_without_its_use_but_for_cached_files(path, version, system):
    system({"proc/self/cgroup": HOME[version], **group(version, path, 4 * GIB, 3 * GIB, GIB // 2)})
    assert available.memory_left() == 4 * GIB - 3 * GIB + GIB // 2


@pytest.mark.parametrize("version", [1, 2])
def test_the_narrowest_of_the_groups_counts(version, system):
    groups = (
        group(version, "user/me", 3 * GIB, 0)
        | group(version, "user", 2 * GIB, GIB)
        | group(version, "", 64 * GIB, GIB)
    )
    system({"proc/self/cgroup": HOME[version], **groups})
    assert available.memory_left() == GIB


@pytest.mark.parametrize("files", [
    group(2, "user/me", "max", GIB),
    group(1, "user/me", 2**63 - 4096, GIB),  # how the older kind says that there is no limit
    group(2, "another", GIB, GIB),
    {"groups/user/me/memory.max": ""},
    {"groups/user/me/memory.max": GIB},  # its use is not said
    {},
], ids=["max", "9223372036854771712", "of others", "empty", "no use", "none"])  # fmt: skip
def test_without_a_limit_it_is_what_the_machine_has(files, system):
    system({"proc/self/cgroup": HOME[2] + HOME[1], **files})
    assert available.memory_left() == 8 * GIB


@pytest.mark.parametrize(
    "stat", [None, "", "half a line", "inactive_file\n", "inactive_file many\n"], ids=repr
)
def test_a_limit_holds_where_cached_files_are_not_counted(stat, system, tmp_path):
    system({"proc/self/cgroup": HOME[2], **group(2, "user/me", 4 * GIB, GIB, GIB)})
    path = tmp_path / "groups/user/me/memory.stat"
    path.unlink() if stat is None else path.write_text(stat, encoding="utf-8")
    assert available.memory_left() == 3 * GIB


def test_a_limit_holds_where_the_process_is_not_told_its_group(system):
    system(group(1, "", 2 * GIB, GIB))
    assert available.memory_left() == GIB


def test_what_is_overdrawn_leaves_nothing(system):
    system({"proc/self/cgroup": HOME[2], **group(2, "user/me", GIB, 2 * GIB)})
    assert available.memory_left() == 0


@pytest.mark.parametrize("text", ["", "MemTotal: 3 kB\n", "MemAvailable:"], ids=repr)
def test_a_machine_that_does_not_say_what_is_available_gives_half_of_what_is_built_in(
    text, system, monkeypatch
):
    system({"proc/meminfo": text})
    monkeypatch.setattr(
        os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__, raising=False
    )
    assert available.memory_left() == 4096 * 1000 // 2
    monkeypatch.delattr(os, "sysconf")  # Windows
    assert available.memory_left() == 2**62
