"""Imports point one way, importing costs nothing, there is one gradient loop,
and every list of dependencies says the same.
"""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import featlab

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "featlab"

# a room (a module, or a folder) may import from lower floors only: docs of the map are in featlab/__init__.py
FLOORS = [
    {"inputs", "gaussian"},
    {"engine", "recipes", "balls", "intervals"},
    {"types", "course"},
    {"doors", "data"},
    {"models", "attacks", "evaluation", "parts"},
    {"training", "transfer", "sanity"},
    {"constructed", "debate"},
    {"features"},
    {"experiments", "plots", "portable"},
    {"widgets", "command", "embedded"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent != PACKAGE or path.stem != "__init__"
}
ROOMS = sorted({name.split(".")[0] for name in MODULES})


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(module: str) -> set[str]:
    """Full names of all that a module imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{module} has a relative import; the rooms import each other by their full names"
            )
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules_of(names: set[str]) -> set[str]:
    """The modules of featlab among them: `featlab.engine.files` is one,
    and so is what holds `featlab.training.train`.
    """
    inside = {name.removeprefix("featlab.") for name in names if name.startswith("featlab.")}
    return {name if name in MODULES else name.rpartition(".")[0] for name in inside} - {""}


ARROWS = {name: modules_of(imported(name)) for name in MODULES}


def inside(room: str) -> set[str]:
    return {name for name in MODULES if name.split(".")[0] == room}


def rooms_of(room: str) -> set[str]:
    """The rooms from which a room imports, itself apart."""
    return {other.split(".")[0] for name in inside(room) for other in ARROWS[name]} - {room}


def libraries_of(room: str) -> set[str]:
    return {name.split(".")[0] for module in inside(room) for name in imported(module)}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    assert room in FLOOR, f"{room} needs a floor in this test"
    upward = {other for other in rooms_of(room) if FLOOR[other] >= FLOOR[room]}
    assert not upward, f"{room} imports {upward}, which do not lie below it"


def test_the_rooms_that_must_not_know_each_other():
    assert "models" not in rooms_of("attacks")  # a model is a callable
    assert "attacks" not in rooms_of("training")  # an attack is a callable
    assert not {"plots", "widgets", "command"} & rooms_of("experiments") and "experiments" not in rooms_of(
        "plots"
    )
    assert [room for room in ROOMS if {"widgets", "command"} & rooms_of(room)] == ["__main__"]
    assert "torch" not in libraries_of("gaussian")


def test_the_map_names_every_room_below_what_it_imports():
    lines = [line for line in featlab.__doc__.splitlines() if line.startswith("    ")]
    order = [name for line in lines for name in re.split(r"\s{2,}", line.strip())[0].split(", ")]
    assert set(order) == set(ROOMS) - {"__main__"}
    assert all(order.index(other) < order.index(room) for room in order for other in rooms_of(room))


def test_the_house_can_be_drawn_on_one_sheet():
    single = [room for room in ROOMS if inside(room) == {room} and MODULES[room].stem == room]
    assert len(single) <= 16 and len(ROOMS) <= 30
    assert sum(len(rooms_of(room)) for room in ROOMS) <= 131


@pytest.mark.parametrize("room", ROOMS)
def test_the_modules_of_a_room_import_each_other_in_one_direction(room):
    left = {name: ARROWS[name] & inside(room) - {name} for name in inside(room)}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert not left, "these modules import each other in a circle"


def defined(module: str) -> set[str]:
    """The public names that a module defines."""
    found = set()
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in found if not name.startswith("_")}


def test_a_public_name_is_defined_in_one_module_but_for_what_the_experiments_offer_alike():
    homes = Counter(name for module in MODULES for name in defined(module))
    shared = {name for name, modules in homes.items() if modules > 1}
    assert len(shared) <= 0.01 * len(homes), f"rename or make private: {shared}"


def test_each_library_is_known_to_the_rooms_that_need_it_only():
    users = lambda library: {room for room in ROOMS if library in libraries_of(room)}  # noqa: E731
    assert users("ipywidgets") | users("anywidget") <= {"widgets"}
    # and by its name alone, where it is loaded: course
    assert users("plotly") <= {"plots", "widgets", "command"}
    assert users("safetensors") <= {"engine"}
    assert users("pickle") == set()


def calls(of: str) -> list[str]:
    """Where featlab calls a function with this dotted name."""
    nodes = ((name, node) for name in MODULES for node in ast.walk(tree(name)) if isinstance(node, ast.Call))
    return [f"{name}:{node.lineno}" for name, node in nodes if ast.unparse(node.func).endswith(of)]


def test_there_is_one_gradient_with_respect_to_pixels():
    assert len(calls("autograd.grad")) == 1 and calls("autograd.grad")[0].startswith("attacks.descent:")
    assert [place.split(":")[0] for place in calls(".backward")] == ["training"]


def said_by(script: str) -> list[str]:
    return subprocess.check_output(
        [sys.executable, "-c", script], text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ).split()


def test_importing_featlab_loads_nothing_heavy():
    heavy = {"torch", "plotly", "ipywidgets", "numpy", "scipy"}
    assert said_by(f"import featlab, sys; dir(featlab); print(*{heavy} & set(sys.modules))") == []


def test_importing_gaussian_brings_neither_torch_nor_plotly():
    heavy = {"torch", "plotly", "ipywidgets"}
    assert said_by(f"import featlab.gaussian, sys; print(*{heavy} & set(sys.modules))") == []


FIRST_CELL = """
import contextlib, io, sys
import featlab as fl
from featlab import plots, widgets
from featlab.experiments import figure3
with contextlib.redirect_stdout(io.StringIO()):
    fl.setup()
"""


def test_a_first_cell_loads_what_it_needs_and_no_more():
    """Not what takes half a second, up to five, and 75 MB."""
    slow = {"scipy.stats", "rfc3987_syntax", "torch.utils.flop_counter"}
    assert said_by(f"{FIRST_CELL}print(*{slow} & set(sys.modules))") == []


PLOTTING = """
import plotly.io as pio
pio.renderers.default = "json"
import featlab.plots
print(pio.renderers.default)
"""


def test_importing_the_figures_leaves_the_renderer_of_plotly_as_it_was():
    assert said_by(PLOTTING)[0] == "json"


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
    # by torchvision, by ipywidgets, by JupyterLab, which asks for an export, by torch
    carried = {"PIL", "IPython", "nbconvert", "traitlets", "typing_extensions"}
    assert used - carried <= asked
