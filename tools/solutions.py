"""Solutions notebooks, made from the course: each exercise with its folded solution in place of the stub, and
only the cells it needs.

    python -m tools.solutions        write those of notebooks/solutions/*.ipynb that changed, not executed
                                     (make course runs them)

A test holds the stored notebooks to what is made here, so they cannot drift apart.
"""

import ast
import re
import symtable
from collections.abc import Iterator

from tools.notebook import SOLUTIONS, course, exercises, plain, read, tags, title, write


def uses_and_defines(source: str) -> tuple[set[str], set[str]]:
    """Names that a cell takes from cells before it, and names that it leaves to cells after it."""
    source = plain(source)
    top = symtable.symtable(source, "cell", "exec")
    defined = {
        s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    first_read, first_written = {}, {}
    for node in _outside_functions(ast.parse(source)):
        if isinstance(node, ast.Name):
            table = first_read if isinstance(node.ctx, ast.Load) else first_written
            table[node.id] = min(table.get(node.id, node.lineno), node.lineno)
    read_here = {
        name
        for name in _read(top)
        if name not in defined or first_read.get(name, 1e9) <= first_written.get(name, 0)
    }
    return read_here, defined


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """All parts of the code that run when the cell runs; what stands in a function runs later."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _outside_functions(child)


def _read(table: symtable.SymbolTable) -> set[str]:
    """Global names that a scope or a scope within it reads."""
    outermost = table.get_type() == "module"
    here = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (outermost or s.is_global())}
    return here.union(*(_read(child) for child in table.get_children()))


def needed(notebook: dict, solved: dict[int, str]) -> list[int]:
    """Which code cells the exercises need, and which show what the solved functions do;
    the first cell always.
    """
    code = [
        i
        for i, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and cell["source"].strip()
    ]
    names, written = {e.name for e in exercises(notebook)}, min(solved)
    wanted, chosen = set(), []
    for i in reversed(code):
        cell = notebook["cells"][i]
        used, defined = uses_and_defines(solved.get(i, cell["source"]))
        shows = i > written and used & names and "nbval-ignore-output" not in tags(cell)
        if i in solved or i == code[0] or shows or defined & wanted:
            chosen.append(i)
            wanted = wanted - defined | used
    return chosen[::-1]


def solve(notebook: dict, name: str) -> dict:
    """The solutions notebook of a notebook; `name` is its file's."""
    asked = list(exercises(notebook))
    missing = [e.name for e in asked if e.solution is None]
    if missing:
        raise ValueError(
            f"{name} has no folded solution (```python def {missing[0]}...) for "
            f"{', '.join(missing)}: write it under the hints"
        )
    solved = {}
    for e in asked:
        lines = solved.get(e.cell, notebook["cells"][e.cell]["source"]).splitlines()
        solved[e.cell] = "\n".join([*lines[: e.stub[0]], e.solution, *lines[e.stub[1] :]])
    texts = {e.cell: e.text for e in asked}
    cells = [_markdown(_opening(title(notebook), name))]
    for i in needed(notebook, solved):
        if i in texts:
            cells.append(_markdown(_without_folds(texts[i])))
        cell = notebook["cells"][i]
        cells.append(
            {**cell, "source": solved.get(i, cell["source"]), "outputs": [], "execution_count": None}
        )
    cells = [{**cell, "id": f"s{i}"} for i, cell in enumerate(cells)]
    return {
        "cells": cells,
        "metadata": {"kernelspec": notebook["metadata"]["kernelspec"]},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _opening(heading: str, name: str) -> str:
    return f"""# Solutions · {heading}

One solution of each exercise of [{heading}](../{name}), run and checked, with the cells that it needs.
Yours may look different and be as right: the check compares what comes out. This notebook is made from the other one (`make course`);
change it there."""


def _without_folds(text: str) -> str:
    text = text[text.index("**Exercise") :]
    text = re.sub(r"<details>.*?</details>\s*", "", text, flags=re.DOTALL).strip()
    return re.sub(r"\]\((?!https?:|#)", "](../", text)


def _markdown(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def sources(notebook: dict) -> list[tuple[str, str]]:
    """What a notebook says, without what came out."""
    return [(cell["cell_type"], cell["source"]) for cell in notebook["cells"]]


if __name__ == "__main__":
    for path in course():
        made, stored = solve(read(path), path.name), SOLUTIONS / path.name
        if not stored.exists() or sources(read(stored)) != sources(made):
            write(stored, made)
            print(f"wrote {stored}, to be run")
