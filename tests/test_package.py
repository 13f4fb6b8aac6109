"""A wheel holds everything that an installed featlab needs: every package, the embedded images,
the measured tables, the licence.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import featlab

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_package_is_listed():
    listed = set(
        re.findall(
            r'"(featlab[\w.]*)"', re.search(r"^packages = \[(.*?)\]", PYPROJECT, re.MULTILINE | re.DOTALL)[1]
        )
    )
    folders = {path.parent for path in (ROOT / "featlab").rglob("*.py")}
    assert listed == {".".join(folder.relative_to(ROOT).parts) for folder in folders}


def test_one_version():
    assert re.search(r'^version = "(.+)"', PYPROJECT, re.MULTILINE)[1] == featlab.__version__
    assert f"## {featlab.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


TEXTS = {"read_text", "write_text", "open", "fdopen"}
SOURCES = [
    *(ROOT / "featlab").rglob("*.py"),
    *(ROOT / "tools").glob("*.py"),
    *(ROOT / "benchmarks").glob("*.py"),
]


def unnamed(code: str) -> list[int]:
    """The lines in which a text is read or written in whatever encoding the system has."""
    found = []
    for node in ast.walk(ast.parse(code)):
        name = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
        if name not in TEXTS or ast.unparse(node.func) in ("Image.open", "os.open", "tarfile.open"):
            continue
        words = [word.value for word in node.args if isinstance(word, ast.Constant)]
        words += [word.value.value for word in node.keywords if word.arg == "mode"]
        binary = "open" in name and any(
            isinstance(word, str) and re.fullmatch("[rwxa]b[+]?", word) for word in words
        )
        named = {word.arg: ast.unparse(word.value) for word in node.keywords}.get("encoding")
        if not binary and named != "'utf-8'":
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", [*SOURCES, ROOT / "results" / "draw.py"], ids=lambda path: path.name)
def test_every_text_is_read_and_written_in_utf_8_whatever_the_system_has(path):
    assert not unnamed(path.read_text(encoding="utf-8")), f'say encoding="utf-8" in {path}'


def test_a_text_without_an_encoding_is_found():
    bare = (
        "p.read_text()",
        "p.write_text(a)",
        "open(p)",
        'open(p, "w")',
        'p.open("a")',
        'p.read_text(encoding="latin-1")',
    )
    good = (
        'open(p, "rb")',
        'p.open(mode="wb")',
        'p.open("w", encoding="utf-8")',
        "Image.open(p)",
        "p.read_bytes()",
        "urlopen(p)",
    )
    assert unnamed("\n".join(bare)) == [1, 2, 3, 4, 5, 6] and not unnamed("\n".join(good))


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What a package is built from, in a folder named as people clone it."""
    pytest.importorskip("setuptools", minversion="77")
    tree = tmp_path_factory.mktemp("home") / "featlab"
    for name in ("featlab", "results", "notebooks"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "own"))
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "LICENSE-CONTENT.md"):
        shutil.copy(ROOT / name, tree)
    return tree


def built(clone: Path, out: Path, kind: str) -> Path:
    """A wheel, or an editable one, as pip asks for it."""
    build = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=clone, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(clone, tmp_path_factory):
    return built(clone, tmp_path_factory.mktemp("out"), "wheel")


def test_the_wheel_carries_code_images_tables_notebooks_and_licence(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "featlab").rglob("*.py")}
    tables = {f"featlab/measured/{path.name}" for path in (ROOT / "results").glob("*.json")}
    lessons = {f"featlab/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    others = {"featlab/py.typed", "featlab/embedded/fashion_mnist.npz", "featlab/embedded/README.md"}
    assert names >= code | tables | lessons | others
    assert any(name.endswith("LICENSE") for name in names) and not [
        name for name in names if name.startswith(("tests", "tools"))
    ]


def test_a_script_in_the_clones_parent_folder_imports_what_is_installed(clone, tmp_path):
    """The folder that holds the clone, itself named featlab, looks to Python like an empty package."""
    zipfile.ZipFile(built(clone, tmp_path, "editable")).extractall(tmp_path / "site")
    script = clone.parent / "script.py"
    script.write_text(
        f"import site; site.addsitedir({str(tmp_path / 'site')!r})\n"
        "import featlab as fl; print(fl.PGD(fl.L2(1)))",
        encoding="utf-8",
    )
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said = subprocess.run(
        [sys.executable, script], cwd=clone.parent, env=alone, capture_output=True, text=True
    )
    assert said.stdout == "PGD(L2(1), steps=20)\n", said.stderr


ALONE = """
import featlab as fl, sys
train, test = fl.load("fashion-mnist")
assert len(train) == 10_000 and len(test) == 2_000, "the embedded images"
assert len(fl.measured("fashion-mnist-laptop")) == 3, "the measured tables"
print(fl.__file__)
fl.doctor()
"""


def test_an_installed_wheel_works_alone(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")  # what pip does with a wheel of Python files
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "site"),
        "FEATLAB_CACHE": str(tmp_path / "cache"),
    }
    said = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    where, *findings = said.splitlines()
    assert Path(where).is_relative_to(tmp_path / "site") and len(findings) > 8
