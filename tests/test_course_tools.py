"""Solutions, first cells and links are made from the course, stored, and still what would be made now."""

import importlib.util
import re
import sys
import types

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tools import links, solutions
from tools.notebook import EXERCISE, ROOT, SOLUTIONS, course, exercises, plain, read

COURSE = pytest.mark.parametrize("path", course(), ids=lambda path: path.stem)


@COURSE
def test_every_exercise_has_difficulty_minutes_hint_and_solution(path):
    for e in exercises(read(path)):
        assert EXERCISE.search(e.text), (
            f"{e.name}: begin the text before the stub with **Exercise N** (easy|medium|hard, M minutes)"
        )
        assert "<summary>Hint" in e.text and e.solution, (
            f"{e.name}: fold a hint and a solution (```python def {e.name}...) under the text"
        )
    assert 2 <= len(list(exercises(read(path)))) <= 4


@COURSE
def test_the_solutions_notebook_is_what_is_made_from_the_notebook(path):
    made, stored = solutions.solve(read(path), path.name), read(SOLUTIONS / path.name)
    assert solutions.sources(stored) == solutions.sources(made), "run: make course"


@COURSE
def test_every_solution_passed_its_check(path):
    said = [
        text
        for cell in read(SOLUTIONS / path.name)["cells"]
        for out in cell.get("outputs", [])
        for text in out.get("text", [])
    ]
    passed = [line.split(":")[0] for line in said if ": passed, " in line]
    assert passed == [e.name for e in exercises(read(path))]
    assert not [line for line in said if "not written" in line or "wrong" in line]


@COURSE
def test_the_notebooks_own_stubs_are_not_written_yet(path):
    notebook = read(path)
    for e in exercises(notebook):
        said = "".join(text for out in notebook["cells"][e.cell]["outputs"] for text in out.get("text", []))
        assert f"{e.name}: not written yet" in said


def cell(source, tags=()):
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}}


def test_a_solution_needs_what_it_reads_and_nothing_else():
    text = (
        "**Exercise 1** (easy, 5 minutes).\n<details>```python\ndef f(x):\n    return "
        "helper(x)\n```</details>"
    )
    sources = [
        "import a",
        "helper = len",
        "data = slow()",
        "data = [[1], [2]]",
        "data = [row for row in data]",
        None,
        "print(f([3]))",
    ]
    cells = [cell(s) if s else {"cell_type": "markdown", "source": text} for s in sources]
    cells.insert(6, cell("def f(x):\n    ...\n\nf = check(f, len, [(d,) for d in data])"))
    notebook = {"cells": [{"cell_type": "markdown", "source": "# T"}, *cells], "metadata": {"kernelspec": {}}}
    made = [c["source"] for c in solutions.solve(notebook, "t.ipynb")["cells"] if c["cell_type"] == "code"]
    solved = "def f(x):\n    return helper(x)\n\nf = check(f, len, [(d,) for d in data])"
    assert made == ["import a", "helper = len", sources[3], sources[4], solved, "print(f([3]))"]


def test_names_are_read_and_defined_as_python_reads_them():
    used, defined = solutions.uses_and_defines(
        "total = start\nfor i in range(n):\n    total += g(i, k=lambda q: q + shift)\n%pip x"
    )
    assert {"start", "n", "g", "shift"} <= used and not {"total", "i", "q"} & used
    assert defined == {"total", "i"}


BOOT = links.source(links.address(), links.on_pypi())
PLACE = "https://github.com/a/b"


@pytest.mark.parametrize(
    "path", [*course(), *SOLUTIONS.glob("*.ipynb")], ids=lambda path: "/".join(path.parts[-2:])
)
def test_the_first_cell_is_the_common_one(path):
    notebook = read(path)
    before = [c["source"] for c in notebook["cells"]]
    assert before == [c["source"] for c in links.prepare(notebook, BOOT)["cells"]], "run: make course"


def test_a_first_cell_can_be_given_its_beginning_more_than_once():
    bare = "import numpy as np\n\nfrom featlab import gaussian as g"
    once = links.first_cell(bare, links.source(PLACE, False))
    assert links.first_cell(once, links.source(PLACE, False)) == once
    for boot in (links.source("https://github.com/c/d", False), links.source(PLACE, True), BOOT):
        moved = links.first_cell(once, boot)
        assert "a/b" not in moved and boot[1] in moved
        assert moved.count("import sys") == moved.count("find_spec(") == moved.count("fl.setup()") == 1
        assert moved.count("import featlab as fl") == 1 and links.first_cell(moved, boot) == moved


def test_colab_takes_the_released_package_else_the_repository_else_a_wheel():
    assert links.source(PLACE, True)[1] == links.source(None, True)[1] == "featlab"
    assert links.source(PLACE, False)[1] == f"git+{PLACE}"
    how, what = links.source(None, False)
    assert "make wheel" in how and what == "featlab-*.whl"


@pytest.mark.parametrize("where", ["elsewhere", "colab", "colab with featlab"])
@COURSE
def test_the_first_cell_fetches_on_a_bare_colab_only_and_leaves_torch_alone(path, where, monkeypatch, capsys):
    shell, asked, enabled = InteractiveShell.instance(), [], []
    shell.register_magic_function(asked.append, "line", "pip")
    if where != "elsewhere":
        output = types.SimpleNamespace(enable_custom_widget_manager=lambda: enabled.append(True))
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
        monkeypatch.setitem(sys.modules, "google.colab.output", output)
    if where == "colab":
        known = importlib.util.find_spec
        unknown = lambda name: None if name == "featlab" else known(name)  # noqa: E731
        monkeypatch.setattr(importlib.util, "find_spec", unknown)
    first = next(c for c in read(path)["cells"] if c["cell_type"] == "code")
    assert shell.run_cell(first["source"]).success
    assert asked == [f"install -q --no-deps {BOOT[1]}"] * (where == "colab")
    assert enabled == [True] * (where != "elsewhere")
    assert len(capsys.readouterr().out.splitlines()) == 2  # what `setup` says


def test_the_readme_shows_the_course_as_it_is():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert links.readme(text, links.address()) == text, "run: make course"
    badges = text.count("mybinder.org/v2/gh/"), text.count("colab.research.google.com/github/")
    assert badges == ((len(course()),) * 2 if links.address() else (0, 0))


def test_with_an_address_every_notebook_has_its_badges():
    made = links.readme("<!-- course --><!-- /course -->", PLACE)
    for path in course():
        assert f"/gh/a/b/main?urlpath=lab/tree/notebooks/{path.name})" in made
        assert f"/github/a/b/blob/main/notebooks/{path.name})" in made


def test_an_address_is_written_changed_and_refused():
    bare = "[project.urls]\n\n[tool.featlab]\non-pypi = false\n"
    once = links.told(bare, [PLACE + ".git"])
    assert links.URLS.search(once)[1] == PLACE and links.told(once, []) == once
    twice = links.told(once, ["https://github.com/c/d/", "--pypi"])
    assert links.URLS.search(twice)[1] == "https://github.com/c/d" and "on-pypi = true" in twice
    for word in ("github.com/a/b", "https://github.com/a", "--pip"):
        with pytest.raises(SystemExit, match="is no address"):
            links.told(bare, [word])


SHOWN = ("*.py", "*.md", "*.toml", "*.yml", "*.yaml", "*.ipynb", "*.cff", "Makefile")
LEFT_OUT = {"build", "dist", "site"}


def texts():
    """Every text of the repository that a reader may see."""
    for ending in SHOWN:
        for path in ROOT.rglob(ending):
            parts = path.relative_to(ROOT).parts
            if not LEFT_OUT & set(parts) and not any(p.startswith(".venv") or p == ".git" for p in parts):
                yield path


def test_no_text_leads_to_an_address_that_does_not_exist():
    owner = "OWN" + "ER"
    assert not [path for path in texts() if owner in path.read_text(encoding="utf-8")]


def test_the_address_is_repeated_only_where_make_links_writes_it():
    if where := links.address():
        allowed = {"pyproject.toml", "README.md"}
        others = (path for path in texts() if path.name not in allowed and path.suffix != ".ipynb")
        assert not [path for path in others if where.removeprefix("https://") in path.read_text("utf-8")]


def test_magics_are_hidden_from_python_only():
    assert plain("if x:\n    %pip install y\nz") == "if x:\n    pass\nz"
    assert re.search("%", plain("a % b"))
