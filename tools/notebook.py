"""Notebooks as plain data: reading, writing, their code, their exercises."""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COURSE = ROOT / "notebooks"
SOLUTIONS = COURSE / "solutions"
EXERCISE = re.compile(r"\*\*Exercise (\d+)\*\* \((easy|medium|hard), (\d+) minutes\)")
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def course() -> list[Path]:
    """The notebooks, in order."""
    return sorted(COURSE.glob("*.ipynb"))


def read(path: Path) -> dict:
    """A notebook whose cells have their source as one text."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def write(path: Path, notebook: dict) -> None:
    """Write a notebook as Jupyter does, each line of source by itself."""
    cells = [{**cell, "source": cell["source"].splitlines(keepends=True)} for cell in notebook["cells"]]
    path.parent.mkdir(exist_ok=True)
    text = json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def plain(source: str) -> str:
    """Code without IPython's magics, so that Python can read it: a line that begins with % or !

    becomes `pass`.
    """
    return re.sub(r"^( *)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def tags(cell: dict) -> list[str]:
    return cell["metadata"].get("tags", [])


def title(notebook: dict) -> str:
    """The first heading, without its mark."""
    return notebook["cells"][0]["source"].splitlines()[0].lstrip("# ")


@dataclass(frozen=True)
class Exercise:
    """An exercise: the cell that checks it, the function asked for, the lines of its stub, the solution,
    the text before it.
    """

    cell: int
    name: str
    stub: tuple[int, int]
    solution: str | None
    text: str


def exercises(notebook: dict) -> Iterator[Exercise]:
    """Every call of `check` in the notebook, with what belongs to it."""
    solved = {}
    for i, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "markdown":
            blocks = [block.strip() for block in BLOCK.findall(cell["source"])]
            solved |= {match[1]: block for block in blocks if (match := re.match(r"def (\w+)", block))}
            continue
        for node in ast.walk(ast.parse(plain(cell["source"]))):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) in ("check", "exercises.check")
                and isinstance(node.args[0], ast.Name)
            ):
                name = node.args[0].id
                yield Exercise(
                    i, name, _stub(cell["source"], name), solved.get(name), notebook["cells"][i - 1]["source"]
                )


def _stub(source: str, name: str) -> tuple[int, int]:
    """First and last line of the function `name`, counted from 0; the last not included."""
    for node in ast.parse(plain(source)).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node.lineno - 1, node.end_lineno
    raise ValueError(
        f"an exercise checks {name}, but its cell has no function of that name: put the stub into "
        "the cell of the check"
    )
