"""The command line: a mistake costs one line on stderr and exit status 2 before any work;
what ends a run has its own status.
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import featlab as fl
from featlab import __main__ as command
from featlab.command import endings, handler
from featlab.engine import files
from featlab.experiments.registry import EXPERIMENTS
from featlab.experiments.store import Store

ROOT = Path(__file__).resolve().parents[2]
NAMES = tuple(EXPERIMENTS)

# command lines that mean nothing, with what their one line must say
BAD = [
    ("", "required"),
    ("reproduc", "did you mean reproduce"),
    ("Teachers", "did you mean teachers"),
    ("frobnicate", "unknown command"),
    ("''", "unknown command"),
    ("--sed 3", "invalid choice"),
    ("reproduce quick", "'quick' belongs to no option"),
    ("reproduce --sede 3", "did you mean --seed"),
    ("reproduce --presets quick", "did you mean --preset"),
    ("reproduce --frobnicate", "unknown option"),
    ("debate --row D_det", "unknown option '--row'"),
    ("figure3 --stop-after 0h", "no time"),
    ("reproduce --yes=1", "explicit argument"),
    ("reproduce --s 1", "ambiguous"),
    *(
        (f"{name} --seed {seed}", "a seed is a whole number")
        for name in NAMES
        for seed in ("-1", "99999999999999999999")
    ),
    *((f"{name} --preset ''", "empty") for name in NAMES),
    *((f"{name} --preset lapto", "did you mean laptop") for name in NAMES),
    *((f"{name} --out ''", "empty") for name in NAMES),
    ("reproduce --seed", "expected one argument"),
    ("reproduce --seed ''", "empty"),
    ("reproduce --seed 1.5", "whole number"),
    ("reproduce --seed one", "whole number"),
    ("reproduce --seed 1e3", "whole number"),
    ("reproduce --seed nan", "whole number"),
    ("reproduce --preset", "expected one argument"),
    ("reproduce --preset '  '", "empty"),
    ("reproduce --preset QUICK", "did you mean quick"),
    ("reproduce --data ''", "empty"),
    ("reproduce --data cifar", "did you mean cifar10"),
    ("reproduce --data CIFAR10", "did you mean cifar10"),
    ("reproduce --data /nowhere/at/all", "no folder"),
    ("appendix --data '<img src=x>'", "no folder"),
    ("reproduce --stop-after ''", "empty"),
    ("reproduce --stop-after 9parsecs", "no time"),
    ("reproduce --stop-after -9m", "expected one argument"),
    ("reproduce --stop-after=-9m", "no time"),
    ("reproduce --stop-after 0", "no time"),
    ("reproduce --stop-after inf", "no time"),
    ("reproduce --stop-after nan", "no time"),
    ("reproduce --out ~nobody-of-this-name/x", "no folder"),
    *((f"reproduce --size {size}", "a size is") for size in ("0", "-3", "''", "1e3", "99999999999")),
    *(
        (f"reproduce --size {size}", "as in 28x40")
        for size in ("0x3", "28x", "x40", "28x40x3", "28X40", "5000x3")
    ),
    ("sweep --row ''", "empty"),
    ("sweep --row d_rand", "did you mean D_rand"),
    ("sweep --row D_det,D_rand", "unknown row"),
    ("teachers --preset paper", "teacher of its own"),
    ("teachers --preset ten-minutes", "teacher of its own"),
    ("teachers --preset trial", "teacher of its own"),
    ("spectra --preset paper", "choose one of laptop, quick"),
    ("figure3 --preset ten-minutes", "choose one of laptop, quick, cifar10"),
]


@pytest.fixture
def works(monkeypatch):
    """What began to work."""
    begun = []
    for ask in ("model", "dataset", "value"):
        monkeypatch.setattr(Store, ask, lambda self, name, *rest: begun.append(name) or {})
    return begun


def test_there_are_enough_of_them():
    assert len({line for line, _ in BAD}) >= 60


@pytest.mark.parametrize(("line", "says"), BAD, ids=[line or "nothing" for line, _ in BAD])
def test_what_means_nothing_costs_one_line_and_no_work(line, says, works, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(shlex.split(line)) == 2
    said = capsys.readouterr()
    assert (
        said.out == ""
        and said.err.count("\n") == 1
        and said.err.startswith("featlab: ")
        and len(said.err) < 400
    )
    assert says in said.err and "Traceback" not in said.err
    assert not works and not list(tmp_path.glob("*"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["below a file", "a folder", "too long", "in /proc"])
def test_a_place_that_cannot_be_written_is_found_before_the_work(name, kind, works, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    data = "fashion-mnist-laptop" + {"reproduce": "", "sweep": "-sweep-D_rand"}.get(name, f"-{name}")
    if kind == "a folder":
        (tmp_path / f"{data}-seed0.json").mkdir()
    out = {
        "below a file": tmp_path / "file" / "x",
        "a folder": tmp_path,
        "too long": tmp_path / ("x" * 300),
        "in /proc": Path("/proc/x"),
    }
    if kind == "in /proc" and not Path("/proc").exists():
        pytest.skip("no /proc here")
    assert command.main([name, "--out", str(out[kind])]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot be written" in said and "--out" in said and not works


def png(path: Path, seed: int = 0) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (28, 28), dtype=np.uint8)).save(path)


@pytest.mark.parametrize("name", NAMES)
def test_one_class_is_refused_in_words(name, works, tmp_path, capsys):
    for i in range(12):
        png(tmp_path / "data" / "only" / f"{i}.png", i)
    assert command.main([name, "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "class" in said and not works


def test_the_folder_of_the_results_is_named_by_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "pets").mkdir()
    monkeypatch.chdir(tmp_path / "pets")
    arguments = command.parser().parse_args(["reproduce", "--out", str(tmp_path)])
    assert handler.path_of(arguments, ".", "laptop").name == "pets-laptop-seed0.json"


ENDS = [
    (KeyboardInterrupt(), 130, "interrupted"),
    (fl.engine.clock.TimeIsUp(), 75, "time is up"),
    (ValueError("two\nlines"), 1, "two lines"),
    (RuntimeError("CUDA error\nadvice"), 1, "CUDA error"),
    (RuntimeError(), 1, "RuntimeError"),
    (KeyError("name"), 1, "KeyError"),
    (TypeError("no"), 1, "TypeError: no"),
    (ModuleNotFoundError("No module named 'torchvision'"), 1, "torchvision"),
    (BrokenPipeError(), 1, "nobody reads"),
    (MemoryError(), 1, "MemoryError"),
    (RecursionError("too deep"), 1, "too deep"),
    (AssertionError(), 1, "AssertionError"),
]


@pytest.mark.parametrize("name", ["reproduce", "teachers", "debate"])
@pytest.mark.parametrize(
    ("error", "status", "says"),
    ENDS,
    ids=[type(error).__name__ + str(i) for i, (error, _, _) in enumerate(ENDS)],
)
def test_whatever_ends_a_run_has_its_line_and_its_status(
    name, error, status, says, tmp_path, monkeypatch, capsys
):
    def fails(*_):
        raise error

    monkeypatch.setattr(endings, "silence", lambda: None)
    monkeypatch.setattr(fl.Lab, "model", fails)
    assert command.main([name, "--preset", "quick", "--out", str(tmp_path)]) == status
    said = capsys.readouterr().err.replace("\r", "\n").strip().splitlines()
    assert says in said[-1] and not any("Traceback" in line for line in said)


# in processes of their own


def heard() -> None:
    """Ctrl-C is heard, also where these tests run in the background of a shell."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def process(*words: str, **more) -> subprocess.Popen:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    env.pop("PYTHONUNBUFFERED", None)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.Popen(
        [sys.executable, "-m", "featlab", *words], env=env, text=True, preexec_fn=heard, **pipes
    )


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_while_it_imports_is_one_line(tmp_path):
    for wait in (0.3, 0.8, 1.6):
        begun = process("reproduce", "--preset", "quick", "--out", str(tmp_path))
        time.sleep(wait)
        begun.send_signal(signal.SIGINT)
        _, said = begun.communicate(timeout=60)
        if "featlab" in said or begun.returncode == 130:  # later than the start of Python itself
            assert begun.returncode == 130 and "interrupted" in said and "Traceback" not in said


@pytest.mark.parametrize("words", [["--help"], ["reproduce", "--help"], ["--version"]])
def test_a_pipe_that_nobody_reads_is_one_line(words):
    reads, writes = os.pipe()
    os.close(reads)
    begun = process(*words, stdout=writes)
    os.close(writes)
    _, said = begun.communicate(timeout=60)
    assert (
        begun.returncode == 1 and said == "featlab: nobody reads the output any more; what was made is kept\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_output_that_finds_no_room_is_one_line():
    with open("/dev/full", "w") as full:
        _, said = (begun := process("--help", stdout=full)).communicate(timeout=60)
    assert begun.returncode == 1 and said.count("\n") == 1 and said.startswith("featlab: ")


def test_help_and_version_are_no_mistakes():
    begun = process("--version")
    assert begun.communicate()[0].strip() == fl.__version__ and begun.returncode == 0
    assert files.cache_folder().exists() is False
