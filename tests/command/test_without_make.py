"""The course opens and tests run without make: in a fresh clone, and where only a wheel is installed."""

import os
import sys
from pathlib import Path

import pytest

from featlab import __main__ as command
from featlab.command import without_make
from featlab.inputs.options import Usage

PYTHON = "Scripts/python.exe" if os.name == "nt" else "bin/python"


@pytest.fixture
def started(monkeypatch):
    """The programs that would have been started: words and folder."""
    begun = []
    monkeypatch.setattr(without_make, "start", lambda words, folder: begun.append((words, folder)) or 0)
    return begun


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A fresh clone, and a Python in which nothing is installed."""
    for name in ("notebooks", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(without_make, "CLONE", tmp_path)
    monkeypatch.setattr(without_make, "find_spec", lambda name: None)
    monkeypatch.setattr(without_make.venv, "create", lambda folder, with_pip: folder.mkdir())
    return tmp_path


def test_a_fresh_clone_installs_once_and_opens_the_first_notebook(clone, started, capsys):
    assert command.main(["lab", "--no-browser"]) == 0
    (installing, where), (opening, home) = started
    python = str(clone / ".venv" / PYTHON)
    assert installing == [python, "-m", "pip", "install", "--quiet", "--editable", ".[lab,test]"]
    assert opening[:4] == [python, "-m", "jupyterlab", "--no-browser"] and where == home == clone
    assert opening[-1] == str(clone / "notebooks" / without_make.FIRST)
    assert "minutes" in capsys.readouterr().err
    started.clear()
    assert command.main(["lab"]) == 0
    assert ["jupyterlab" in words for words, _ in started] == [True] and "--no-browser" not in started[0][0]


def test_an_installation_that_fails_is_said_and_tried_again(clone, monkeypatch, capsys):
    monkeypatch.setattr(without_make, "start", lambda words, folder: 1)
    for _ in range(2):
        (clone / ".venv").exists() and (clone / ".venv").rmdir()
        assert command.main(["test"]) == 2
        assert "the installation failed" in capsys.readouterr().err


def test_a_python_that_has_everything_is_taken_as_it_is(monkeypatch, started):
    monkeypatch.setattr(without_make, "find_spec", lambda name: object())
    assert command.main(["test", "tests/test_main.py"]) == 0
    [(words, folder)] = started
    assert words == [sys.executable, "-m", "pytest", "--nbval", "tests/test_main.py"]
    assert (folder / "pyproject.toml").exists()


def test_an_installed_wheel_copies_its_notebooks_and_leaves_what_was_worked_on(
    tmp_path, monkeypatch, started
):
    (tmp_path / "site" / "notebooks").mkdir(parents=True)
    for name in (without_make.FIRST, "01-features.ipynb"):
        (tmp_path / "site" / "notebooks" / name).write_text("{}", encoding="utf-8")
    monkeypatch.setattr(without_make, "PACKAGE", tmp_path / "site")
    monkeypatch.setattr(without_make, "CLONE", tmp_path)
    monkeypatch.setattr(without_make, "find_spec", lambda name: object())
    monkeypatch.chdir(tmp_path)
    copies = tmp_path / "featlab-notebooks"
    copies.mkdir()
    (copies / without_make.FIRST).write_text("worked on", encoding="utf-8")
    assert command.main(["lab"]) == 0
    assert {path.name for path in copies.iterdir()} == {without_make.FIRST, "01-features.ipynb"}
    assert (copies / without_make.FIRST).read_text(encoding="utf-8") == "worked on"
    assert started[0][0][-1] == str(copies / without_make.FIRST)
    with pytest.raises(Usage, match="installed without it"):
        without_make.test()


def test_what_is_missing_beside_a_wheel_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(without_make, "CLONE", tmp_path)
    monkeypatch.setattr(without_make, "find_spec", lambda name: None if name == "jupyterlab" else object())
    with pytest.raises(Usage, match=r'jupyterlab missing here: pip install "featlab\[lab\]"'):
        without_make.ready("lab")


def test_a_program_is_run_in_its_folder_with_featlab_in_reach(tmp_path):
    script = "import featlab, pathlib; pathlib.Path('here').write_text(featlab.__file__)"
    assert without_make.start([sys.executable, "-c", script], tmp_path) == 0
    assert Path((tmp_path / "here").read_text(encoding="utf-8")).parent == without_make.PACKAGE
    assert without_make.start([sys.executable, "-c", "raise SystemExit(5)"], tmp_path) == 5


def test_it_needs_nothing_but_python():
    """Without installed packages (-S), a fresh clone can say how it is called."""
    words = [sys.executable, "-S", "-m", "featlab", "lab", "--help"]
    assert without_make.start(words, without_make.CLONE) == 0
