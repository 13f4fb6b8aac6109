"""Graded assignments from the course's own exercises: python -m tools.assignment [FOLDER] [--seed N]

    FOLDER/nbgrader/source/LESSON/LESSON.ipynb    what `nbgrader generate_assignment LESSON` reads
    FOLDER/otter/LESSON/LESSON.ipynb              what `otter assign LESSON.ipynb dist` reads
    FOLDER/points.md                              what each exercise is worth

Both hold the folded solution between the marks of their tool, a visible check and a hidden one, whose cases
are drawn from the seed (tools/draws.py): another seed is another assignment. No widget and no figure is in
them.
"""

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import featlab as fl
from tools.draws import DRAWS, Call
from tools.notebook import EXERCISE, Exercise, course, exercises, read, title, write

POINTS = {"easy": (1, 1), "medium": (1, 3), "hard": (2, 4)}  # for the visible check, for the hidden one
CASES = (2, 6)
TOLERANCE = 1e-3  # and for what descends through a network, as processors round otherwise
LOOSE = {"invert": 0.05}
OPENING = """import numpy as np
import torch

import featlab as fl
from featlab.course import exercises
"""
NETWORK = '''

def network(seed):
    """A small network with random weights, for images of 8 x 8 pixels."""
    torch.manual_seed(seed)
    return fl.cnn(width=4, size=8)'''


@dataclass(frozen=True)
class Question:
    """One exercise as it is graded: its name, task, solution, points and cases, visible and hidden."""

    name: str
    task: str
    solution: str
    points: tuple[int, int]
    checks: tuple[str, str]


def literal(value: Any) -> str:
    """A value as Python writes it; numbers of tensors and arrays with six digits."""
    if isinstance(value, Call):
        return value.text
    if isinstance(value, torch.Tensor):
        return f"torch.tensor({_listed(value.tolist())})"
    if isinstance(value, np.ndarray):
        return f"np.array({_listed(value.tolist())})"
    return _listed(value.item() if isinstance(value, np.generic) else value)


def _listed(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_listed, value))}]"
    if isinstance(value, float):
        return 'float("inf")' if value == float("inf") else repr(float(f"{value:.6g}"))
    return repr(value)


def solved(solutions: list[str]) -> dict[str, Any]:
    """What the solutions of a lesson define, with what their opening imports."""
    names: dict[str, Any] = {"np": np, "torch": torch, "fl": fl}
    for solution in solutions:
        exec(compile(ast.parse(solution), "solution", "exec"), names)
    return names


def check_cell(name: str, function: Any, cases: list[tuple]) -> str:
    """A check of the reader's function on cases, with what the solution gives for them."""
    lines = []
    for arguments in cases:
        values = [a.value if isinstance(a, Call) else a for a in arguments]
        given = f"({', '.join(map(literal, arguments))},)"
        lines.append(f"    ({given}, {literal(function(*values))}),")
    end = f"], tolerance={LOOSE.get(name, TOLERANCE)})"
    return "\n".join([f"exercises.require({name}, [", *lines, end])


def questions(path: Path, seed: int) -> list[Question]:
    """The exercises of a lesson, with their cases."""
    number, found = path.name[:2], list(exercises(read(path)))
    functions = solved([e.solution for e in found])
    return [_question(e, number, functions[e.name], seed) for e in found]


def _question(e: Exercise, number: str, function: Any, seed: int) -> Question:
    draw = DRAWS[number][e.name]
    open_ones = np.random.default_rng([0, int(number)])
    hidden_ones = np.random.default_rng([1 + seed, int(number)])
    checks = [
        check_cell(e.name, function, [draw(rng) for _ in range(n)])
        for rng, n in zip((open_ones, hidden_ones), CASES, strict=True)
    ]
    points = POINTS[EXERCISE.search(e.text)[2]]
    return Question(e.name, _task(e.text), e.solution, points, (checks[0], checks[1]))


def _task(text: str) -> str:
    """The text of an exercise without hint and solution, and without links that lead out of the folder."""
    text = text[text.index("**Exercise") :]
    text = re.sub(r"<details>.*?</details>\s*", "", text, flags=re.DOTALL).strip()
    return re.sub(r"\[([^]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


def marked(solution: str, begin: str, end: str) -> str:
    """A solution whose body stands between two marks."""
    first, *body = solution.splitlines()
    return "\n".join([first, f"    {begin}", *body, f"    {end}"])


def opening(asked: list[Question]) -> str:
    """The first code cell: imports, and what the checks call."""
    needed = any("network(" in check for question in asked for check in question.checks)
    return OPENING.strip() + (f"\n{NETWORK}" if needed else "")


def preface(heading: str, asked: list[Question]) -> str:
    """What stands above the exercises."""
    worth = sum(sum(question.points) for question in asked)
    return f"""# {heading}

Write each function and run the check below it. The check that you see counts for a part of the points; the
same function is checked on further inputs when you hand in. {worth} points in all."""


def notebook(cells: Iterator[dict]) -> dict:
    """A notebook of these cells, with names for them."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    numbered = [{**cell, "id": f"a{k}"} for k, cell in enumerate(cells)]
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": numbered, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def cell(kind: str, source: str, **metadata: Any) -> dict:
    """A cell that was not run."""
    ran = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": source, **ran}


def for_nbgrader(heading: str, asked: list[Question]) -> Iterator[dict]:
    """The cells of nbgrader's source notebook."""

    def grade(name: str, **flags: Any) -> dict:
        standard = {"grade": False, "solution": False, "locked": False, "task": False}
        return {"schema_version": 3, "grade_id": name, "cell_type": "code", **standard, **flags}

    yield cell("markdown", preface(heading, asked))
    yield cell("code", opening(asked), nbgrader=grade("opening", locked=True))
    for q in asked:
        body = marked(q.solution, "### BEGIN SOLUTION", "### END SOLUTION")
        hidden = f"### BEGIN HIDDEN TESTS\n{q.checks[1]}\n### END HIDDEN TESTS"
        yield cell("markdown", q.task)
        yield cell("code", body, nbgrader=grade(q.name, solution=True))
        for part, check, points in zip(("seen", "hidden"), (q.checks[0], hidden), q.points, strict=True):
            about = grade(f"{q.name}-{part}", grade=True, locked=True, points=points)
            yield cell("code", f"# {q.name}: {points} of {sum(q.points)} points\n{check}", nbgrader=about)


def for_otter(heading: str, asked: list[Question]) -> Iterator[dict]:
    """The cells of otter's master notebook."""
    yield cell(
        "raw",
        "# ASSIGNMENT CONFIG\ninit_cell: true\nexport_cell: false\ngenerate: true\nsolutions_pdf: false",
    )
    yield cell("markdown", preface(heading, asked))
    yield cell("code", opening(asked))
    for q in asked:
        yield cell("raw", f"# BEGIN QUESTION\nname: {q.name}\npoints: {sum(q.points)}")
        yield cell("markdown", q.task)
        yield cell("raw", "# BEGIN SOLUTION")
        yield cell("code", marked(q.solution, "# BEGIN SOLUTION", "# END SOLUTION"))
        yield cell("raw", "# END SOLUTION")
        yield cell("raw", "# BEGIN TESTS")
        for check, points, hidden in zip(q.checks, q.points, ("false", "true"), strict=True):
            config = f'""" # BEGIN TEST CONFIG\nhidden: {hidden}\npoints: {points}\n""" # END TEST CONFIG'
            yield cell("code", f"{config}\n{check}")
        yield cell("raw", "# END TESTS")
        yield cell("raw", "# END QUESTION")


def make(folder: Path, seed: int) -> None:
    """Write every lesson's assignment for both tools, and the table of points."""
    rows = ["| lesson | exercise | visible | hidden |", "|---|---|---:|---:|"]
    for path in course():
        asked, heading = questions(path, seed), title(read(path))
        for place, cells in (("nbgrader/source", for_nbgrader), ("otter", for_otter)):
            target = folder / place / path.stem / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            write(target, notebook(cells(heading, asked)))
        rows += [f"| {path.stem} | {q.name} | {q.points[0]} | {q.points[1]} |" for q in asked]
    config = 'c = get_config()\nc.CourseDirectory.course_id = "featlab"\n'
    (folder / "nbgrader" / "nbgrader_config.py").write_text(config, encoding="utf-8")
    (folder / "points.md").write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"wrote the assignments of {len(course())} lessons to {folder}: docs/teaching.md says how to go on")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.assignment")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/assignment"))
    parser.add_argument("--seed", type=int, default=0, help="of the hidden cases")
    said = parser.parse_args()
    make(said.folder, said.seed)
