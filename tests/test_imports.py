"""Imports point one way, importing costs nothing, there is one gradient loop, and every list of dependencies says the same."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import featlab

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "featlab"

# a room may import from lower floors only
FLOORS = [
    {"types", "alt"},
    {"engine", "files", "architectures"},
    {"memory", "graphs", "parallel"},
    {"data", "models", "attacks", "gaussian", "recipes", "clock"},
    {"features", "training", "speed"},
    {"constructed", "transfer", "debate", "bounds"},
    {"results", "claims", "exercises", "spectrum", "presets"},
    {"reproduce", "plots"},
    {
        "page",
        "runs",
        "teachers",
        "appendix",
        "sweep",
        "scale",
        "spectra",
        "doubts",
        "widgets",
        "plots_gaussian",
        "plots_features",
        "plots_debate",
        "figure3",
        "plots_transfer",
        "plots_scale",
        "health",
    },
    {"plots_theorems", "converse"},
    {"widgets_gaussian", "widgets_scale", "widgets_debate", "widgets_transfer", "widgets_predict", "__main__"},
    {"widgets_features"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ROOMS = sorted(
    {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"} | {path.parent.name for path in PACKAGE.glob("*/*.py")} - {"embedded"}
)


def tree(room: str) -> ast.Module:
    """The code of a room: one file, or all files of its folder."""
    paths = sorted((PACKAGE / room).glob("*.py")) or [PACKAGE / f"{room}.py"]
    return ast.parse("\n".join(path.read_text() for path in paths))


def imported(room: str) -> set[str]:
    """Full names of all that a room imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(tree(room)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{room} has a relative import; the rooms import each other by their full names"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_of(names: set[str]) -> set[str]:
    """The rooms among them; `from featlab import __version__` is none."""
    rooms = {name.split(".")[1] for name in names if name.startswith("featlab.")}
    return rooms - {"__version__", "embedded"}


def libraries_of(room: str) -> set[str]:
    return {name.split(".")[0] for name in imported(room)}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    assert room in FLOOR, f"{room} needs a floor in this test and a line in the list of rooms"
    upward = {other for other in rooms_of(imported(room)) if FLOOR[other] >= FLOOR[room] and other != room}
    assert not upward, f"{room} imports {upward}, which do not lie below it"


def test_the_rooms_that_must_not_know_each_other():
    assert "models" not in rooms_of(imported("attacks"))  # a model is a callable
    assert "attacks" not in rooms_of(imported("training"))  # an attack is a callable
    assert all(room.startswith("widgets") for room in ROOMS if "widgets" in rooms_of(imported(room)))
    assert "torch" not in libraries_of("gaussian")


def test_each_library_is_known_to_the_rooms_that_need_it_only():
    users = lambda library: {room for room in ROOMS if library in libraries_of(room)}  # noqa: E731
    assert users("ipywidgets") <= {room for room in ROOMS if room.startswith("widgets")}
    drawing = {room for room in ROOMS if room.startswith(("plots", "widgets"))}
    assert users("plotly") <= {*drawing, "page"}
    assert users("safetensors") <= {"files"}
    assert users("pickle") == set()


def calls(of: str) -> list[str]:
    """Where featlab calls a function with this dotted name."""
    nodes = ((room, node) for room in ROOMS for node in ast.walk(tree(room)) if isinstance(node, ast.Call))
    return [f"{room}:{node.lineno}" for room, node in nodes if ast.unparse(node.func).endswith(of)]


def test_there_is_one_gradient_with_respect_to_pixels():
    assert len(calls("autograd.grad")) == 1 and calls("autograd.grad")[0].startswith("attacks:")
    assert [place.split(":")[0] for place in calls(".backward")] == ["training"]


def said_by(script: str) -> list[str]:
    return subprocess.check_output([sys.executable, "-c", script], text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}).split()


def test_importing_featlab_loads_nothing_heavy():
    heavy = {"torch", "plotly", "ipywidgets", "numpy", "scipy"}
    assert said_by(f"import featlab, sys; dir(featlab); print(*{heavy} & set(sys.modules))") == []


def test_a_first_cell_loads_what_it_needs_and_no_more():
    slow = {"scipy.stats", "rfc3987_syntax", "torch.utils.flop_counter"}  # half a second, up to five, and 75 MB
    assert said_by(f"from featlab import figure3, plots, widgets; import sys; print(*{slow} & set(sys.modules))") == []


def test_every_public_name_exists_and_an_unknown_one_is_refused_with_the_known():
    for name in featlab.__all__:
        assert getattr(featlab, name) is not None and name in dir(featlab)
    with pytest.raises(AttributeError, match=r"no 'pgd'.*PGD"):
        featlab.pgd  # noqa: B018


# dependencies

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def listed(environment: Path) -> tuple[set[str], set[str]]:
    """What an environment.yml asks of conda, without python and pip, and what it asks of pip."""
    lines = environment.read_text().split("dependencies:")[1].splitlines()
    conda = {m.group(1) for line in lines if (m := re.fullmatch(r"  - ([\w.<>=-]+)", line))}
    pip = {m.group(1) for line in lines if (m := re.fullmatch(r"      - (.+)", line))}
    return conda, pip


@pytest.mark.parametrize("name", ["environment.yml", "binder/environment.yml"])
def test_conda_is_asked_for_what_pip_is_asked_for(name):
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["lab"], *extras["test"]]
    conda, pip = listed(ROOT / name)
    pythons = {package for package in conda if package.startswith("python=")}
    assert conda - pythons - {"pip"} == {re.sub(r"^torch>", "pytorch>", package) for package in wanted}
    assert len(pythons) == 1 and "pip" in conda
    assert pip == (set() if "binder" in name else {"--editable ."})


def test_dependencies_have_floors_and_no_ceilings():
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", package) for packages in lists for package in packages)


def test_binder_can_run_its_script():
    assert os.access(ROOT / "binder" / "postBuild", os.X_OK)


def test_every_library_imported_is_asked_for():
    asked = {re.split(r"[>=]", package)[0] for package in PROJECT["dependencies"]}
    used = set().union(*(libraries_of(room) for room in ROOMS)) - set(sys.stdlib_module_names) - {"featlab"}
    carried = {"PIL", "IPython"}  # by torchvision, by ipywidgets
    assert used - carried <= asked
