"""Files are whole or absent: every fault is noticed and named,
and no failure of a write costs the old file.
"""

import errno
import json
import os
import re
import warnings
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from featlab.engine import files

TENSORS = {
    "float": torch.rand(3, 4),
    "byte": torch.arange(12, dtype=torch.uint8).view(3, 4),
    "flag": torch.tensor(True),
    "number": torch.tensor(7),
    "none": torch.zeros(0, 2),
    "half": torch.rand(5).bfloat16(),
    "strided": torch.rand(4, 6).T[1:],
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "folder" / "artifact.safetensors"
    files.write_tensors(path, TENSORS, "setting one")
    return path


def alone(path: Path) -> bool:
    """Whether nothing else, such as a temporary file, lies beside it."""
    return list(path.parent.iterdir()) == [path]


def test_what_is_read_is_what_was_written(path):
    read = files.read_tensors(path, "setting one")
    assert read.keys() == TENSORS.keys() and alone(path)
    assert all(torch.equal(read[name], t) and read[name].dtype == t.dtype for name, t in TENSORS.items())


def test_other_people_may_read_the_file_as_the_umask_says(path):
    beside = path.with_name("plain")
    beside.write_text("")
    assert path.stat().st_mode == beside.stat().st_mode


def test_an_absent_file_is_no_fault(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert files.read_tensors(tmp_path / "absent", "any") is None


def another_version(path):
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"format":"1"', b'"format":"0"'))


def altered(path):
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)


FAULTS = {
    "cut short": (lambda path: os.truncate(path, path.stat().st_size - 5), "cut short"),
    "cut to nothing": (lambda path: os.truncate(path, 0), "cut short"),
    "another kind of file": (lambda path: path.write_text("<html>not found</html>"), "not a tensor file"),
    "altered": (altered, "checksum"),
    "another version": (another_version, "another version.*format 0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_named_and_made_again(path, fault):
    spoil, says = FAULTS[fault]
    spoil(path)
    with pytest.warns(UserWarning, match=f"{re.escape(str(path))} is .*{says}.*made again"):
        assert files.read_tensors(path, "setting one") is None


def test_a_file_of_another_setting_is_named_and_made_again(path):
    with pytest.warns(UserWarning, match="another setting.*made again"):
        assert files.read_tensors(path, "setting two") is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_ever_gives_other_tensors(path, place, bit):
    good = path.read_bytes()
    raw = bytearray(good)
    raw[int(place * len(raw))] ^= 1 << bit
    path.write_bytes(raw)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        read = files.read_tensors(path, "setting one")
    path.write_bytes(good)
    if read is None:
        assert len(said) == 1
    else:  # a blank of the header
        assert read.keys() == TENSORS.keys() and all(
            torch.equal(read[name], t) for name, t in TENSORS.items()
        )


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted(*args, **kwargs):
    raise KeyboardInterrupt


@pytest.mark.parametrize("call", ["replace", "fsync", "open"])
@pytest.mark.parametrize("failure", [full, interrupted])
def test_a_failed_write_leaves_the_old_file_and_no_other(path, call, failure, monkeypatch):
    old = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "open") if call == "open" else (os, call)), failure)
        with pytest.raises((OSError, KeyboardInterrupt)) as caught:
            files.write_tensors(path, {"new": torch.ones(1)}, "setting two")
    assert path.read_bytes() == old and alone(path)
    if failure is full:
        assert caught.value.errno == errno.ENOSPC
        for word in (str(path), "No space left on device", "old file is whole", "FEATLAB_CACHE"):
            assert word in str(caught.value)


def test_a_full_disk_is_noticed(path):
    """A real one: /dev/full takes no byte."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space left"), files.replacing(path) as temporary:
        temporary.unlink(missing_ok=True)
        temporary.symlink_to("/dev/full")
        temporary.write_bytes(b"x")
    assert alone(path) and files.read_tensors(path, "setting one") is not None


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"could not write .*FEATLAB_CACHE"):
        files.write_tensors(tmp_path / "file" / "artifact", TENSORS, "any")


def test_an_error_inside_the_block_leaves_the_old_file(path):
    old = path.read_bytes()
    with pytest.raises(ZeroDivisionError), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_bytes() == old and alone(path)


def test_the_checksum_sees_names_shapes_types_and_contents():
    base = {"a": torch.zeros(2, 3)}
    others = [
        {"b": torch.zeros(2, 3)},
        {"a": torch.zeros(3, 2)},
        {"a": torch.zeros(2, 3, dtype=torch.int32)},
        {"a": torch.full((2, 3), 1e-45)},
    ]
    assert len({files.checksum(t) for t in [base, *others]}) == 5
    assert files.checksum({"a": torch.zeros(1), "b": torch.ones(1)}) == files.checksum(
        {"b": torch.ones(1), "a": torch.zeros(1)}
    )


def test_the_environment_chooses_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "mine"))
    assert files.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("FEATLAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / "featlab"


def test_json_is_written_the_same_way(tmp_path):
    from featlab.experiments.reports import write_once

    path = tmp_path / "value.json"
    write_once(path, {"a": [1, 2.5]})
    assert json.loads(path.read_text()) == {"a": [1, 2.5]} and alone(path)
    with pytest.raises(TypeError):
        write_once(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": [1, 2.5]} and alone(path)


def test_what_a_killed_writer_left_is_swept_up_and_what_another_writes_now_is_not(path):
    left = path.with_name(f".{path.name}.{16 * 'a'}.tmp")
    left.write_text("half")
    foreign = path.with_name(".other.tmp")
    foreign.write_text("not ours")
    with files.replacing(path) as one:
        assert not left.exists()
        with files.replacing(path) as two:
            files.sweep(path.parent, path.name)
            assert one.exists() and two.exists() and one != two
            two.write_text("two")
        one.write_text("one")
    assert path.read_text() == "one" and foreign.exists()
    foreign.unlink()
    assert alone(path)


def test_without_locks_a_temporary_file_is_left_alone_for_an_hour(path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    young, old, ancient = (
        path.with_name(f".{path.name}.{name}") for name in (16 * "a" + ".tmp", 16 * "b" + ".tmp", "1234")
    )
    for left in (young, old, ancient):
        left.write_text("half")
    for left in (old, ancient):
        os.utime(left, (0, 0))
    files.write_tensors(path, TENSORS, "setting one")
    assert sorted(path.parent.iterdir()) == sorted([path, young])


def test_a_file_that_is_replaced_between_two_reads_is_read_again(path, monkeypatch):
    good, torn = path.read_bytes(), path.read_bytes()[:-7]
    reads = iter([torn, torn[:-1], good])
    monkeypatch.setattr(Path, "read_bytes", lambda self: next(reads))
    assert files.read_tensors(path, "setting one").keys() == TENSORS.keys()


def test_what_happens_to_a_file_later_changes_no_tensor(path):
    read = files.read_tensors(path, "setting one")
    path.write_bytes(bytes(path.stat().st_size))
    assert all(torch.equal(read[name], t) for name, t in TENSORS.items())
    read["float"] += 1  # and it is the reader's own


def test_a_folder_that_vanishes_while_it_is_written_is_made_again(path, monkeypatch):
    mkdir, times = Path.mkdir, []

    def made(self, *args, **options):
        mkdir(self, *args, **options)
        times.append(1)
        if len(times) < 4:
            path.unlink(missing_ok=True)
            self.rmdir()

    monkeypatch.setattr(Path, "mkdir", made)
    files.write_tensors(path, TENSORS, "setting one")
    assert alone(path) and len(times) == 4


@pytest.mark.parametrize("error", [FileExistsError, FileNotFoundError])
def test_a_folder_that_is_made_and_removed_by_others_while_it_is_made_is_made_again(error, path, monkeypatch):
    """mkdir says that it is there; when pathlib looks whether it is a folder, it is gone."""
    mkdir, times = Path.mkdir, []

    def made(self, *args, **options):
        times.append(1)
        if len(times) < 4:
            raise error(self)
        mkdir(self, *args, **options)

    path = path.parent / "folder" / path.name
    monkeypatch.setattr(Path, "mkdir", made)
    files.write_tensors(path, TENSORS, "setting one")
    assert alone(path) and len(times) == 4
    path.unlink()
    times.clear()
    with files.taking_turns(path.parent):
        assert len(times) == 4  # it waits for its turn


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "folder").write_text("a file", encoding="utf-8")
    with pytest.raises(OSError, match=r"could not write .*folder"):
        files.write_json(tmp_path / "folder" / "value.json", [1])


def test_a_setting_that_is_no_unicode_is_a_setting(tmp_path):
    files.write_tensors(tmp_path / "x", TENSORS, "folder caf\udce9")
    assert files.read_tensors(tmp_path / "x", "folder caf\udce9").keys() == TENSORS.keys()


def test_one_that_was_stopped_in_its_turn_holds_nobody_up_for_ever(tmp_path):
    with files.taking_turns(tmp_path), files.taking_turns(tmp_path, patience=0.05):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(files.fcntl is None, reason="no locks here")
def test_who_sweeps_late_finds_nothing_under_the_name_of_a_file_that_was_swept_before(tmp_path, monkeypatch):
    """The first swept in the instant before the lock, the second by name, after the file was made again."""
    flock, names = files.fcntl.flock, []

    def swept(file, how):
        if how == files.fcntl.LOCK_EX and not names:
            names.extend(tmp_path.glob(".*.tmp"))
            names[0].unlink()
        elif how == files.fcntl.LOCK_EX:
            names[0].unlink(missing_ok=True)
        return flock(file, how)

    monkeypatch.setattr(files.fcntl, "flock", swept)
    files.write_json(tmp_path / "value.json", [1])
    assert len(names) == 1 and files.read_json(tmp_path / "value.json") == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["value.json"]
