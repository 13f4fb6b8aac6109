"""Graded assignments: from the course's exercises, without an answer in what a student gets; nbgrader and
otter themselves give a right solution all points, a half-right one some, an empty one none.

The commands are asked where they are installed: make test-assignment.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from featlab.course import exercises
from tools import assignment, draws
from tools import notebook as notebooks
from tools.notebook import ROOT, course

LESSON = "00-bug-or-feature"
PATH = ROOT / "notebooks" / f"{LESSON}.ipynb"
EACH = pytest.mark.parametrize("path", course(), ids=lambda path: path.stem)


def test_every_exercise_of_the_course_has_its_draw():
    wanted = {path.name[:2]: [e.name for e in notebooks.exercises(notebooks.read(path))] for path in course()}
    assert {number: list(found) for number, found in draws.DRAWS.items()} == wanted


@EACH
def test_every_solution_passes_its_checks_and_an_empty_or_a_wrong_one_does_not(path):
    for q in assignment.questions(path, seed=5):
        names = assignment.solved([other.solution for other in assignment.questions(path, seed=5)])
        names |= {"exercises": exercises, "network": draws.network}
        for check in q.checks:
            exec(check, names)
            for wrong in (lambda *a: None, lambda *a: 0.123, lambda *a: torch.full((2, 2), 7.0)):
                with pytest.raises(AssertionError):
                    exec(check, {**names, q.name: wrong})


@EACH
def test_hidden_cases_follow_the_seed_and_visible_ones_do_not(path):
    one, same, other = (assignment.questions(path, seed) for seed in (1, 1, 2))
    assert one == same
    for a, b in zip(one, other, strict=True):
        assert a.checks[0] == b.checks[0] and a.checks[1] != b.checks[1] and a.checks[0] != a.checks[1]


def released(cells: list[dict]) -> str:
    """What is left when solutions and hidden tests are taken out, as both tools do."""
    text = "\n".join(cell["source"] for cell in cells if cell["cell_type"] != "raw")
    marks = r"( *)#+ BEGIN (SOLUTION|HIDDEN TESTS)\n.*?#+ END \2"
    text = re.sub(marks, "", text, flags=re.DOTALL)
    return re.sub(r'""" # BEGIN TEST CONFIG\nhidden: true.*?tolerance=[\d.]+\)', "", text, flags=re.DOTALL)


@EACH
def test_no_answer_no_hint_no_widget_and_no_output_is_in_it(path):
    asked = assignment.questions(path, seed=0)
    for cells in (assignment.for_nbgrader, assignment.for_otter):
        made = list(cells("# T", asked))
        shown = released(made)
        for q in asked:
            first, *body = q.solution.splitlines()
            assert first in shown and q.checks[0] in shown and q.checks[1] not in shown
            assert not [line for line in body if len(line.strip()) > 12 and line in shown]
        assert not re.search(r"details>|Solution|Hint|widget|plotly|(?<!\\)lambda|reference", shown)
        assert not [cell for cell in made if cell.get("outputs") or cell.get("execution_count")]
        assert "widgets" not in assignment.notebook(iter(made))["metadata"]


def test_points_follow_the_difficulty():
    asked = assignment.questions(PATH, seed=0)
    assert {q.name: q.points for q in asked} == {"length": (1, 1), "climb": (1, 3), "breaking_point": (1, 3)}


VALUES = [
    1,
    0.5,
    float("inf"),
    [True, 0.25],
    torch.tensor([[1.0, -2.5]]),
    torch.tensor([True]),
    np.array([1e-7, 3]),
]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_literal_means_its_value(value):
    back = eval(assignment.literal(value), {"torch": torch, "np": np})
    assert type(back) is type(value) and str(back) == str(value)


def test_the_first_cell_makes_the_network_that_the_cases_were_drawn_with():
    names = {}
    exec(assignment.OPENING + assignment.NETWORK, names)
    mine, its = names["network"](3), draws.network(3)
    assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), its.parameters(), strict=True))


# with the tools themselves

BESIDE = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
)  # alembic is there too


def program(name: str) -> str:
    """A command that stands beside this Python, or the test is skipped."""
    found = Path(sys.executable).parent / name
    if not found.exists():
        pytest.skip(f"{name} is not installed here: make test-assignment")
    return str(found)


def run(folder: Path, *words: str) -> None:
    environment = {**os.environ, "PATH": BESIDE, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr


def seen_only(q: assignment.Question) -> str:
    """A solution that knows the visible cases by heart."""
    cases = q.checks[0][q.checks[0].index("[") : q.checks[0].rindex("]") + 1]
    return (
        f"seen = {cases}\n"
        f"def {q.name}(*given):\n    return next(right for case, right in seen if str(case) == str(given))"
    )


ASKED = assignment.questions(PATH, seed=3)
LENGTH, CLIMB, BREAKING = ASKED
ANSWERS = {  # what a student writes, and the points for it
    "right": ({q.name: q.solution for q in ASKED}, 10),
    "half": ({"length": LENGTH.solution, "climb": seen_only(CLIMB)}, 3),
    "empty": ({}, 0),
}


def handed_in(released: Path, target: Path, answers: dict[str, str]) -> None:
    """A released notebook with a student's answers in place of the stubs."""
    made = notebooks.read(released)
    for cell in made["cells"]:
        if cell["cell_type"] == "code" and (stub := re.match(r"def (\w+)", cell["source"])):
            cell["source"] = answers.get(stub[1], cell["source"])
    target.parent.mkdir(parents=True)
    notebooks.write(target, made)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("assignment")
    assignment.make(made, seed=3)
    return made


def test_nbgrader_gives_full_part_and_no_points(folder, monkeypatch):
    monkeypatch.setenv("PATH", BESIDE)
    nbgrader, home = program("nbgrader"), folder / "nbgrader"
    run(home, nbgrader, "generate_assignment", LESSON)
    student = home / "release" / LESSON / f"{LESSON}.ipynb"
    assert not [q.name for q in ASKED if q.checks[1] in student.read_text(encoding="utf-8")]
    for name, (answers, _) in ANSWERS.items():
        handed_in(student, home / "submitted" / name / LESSON / student.name, answers)
    run(home, nbgrader, "autograde", LESSON)
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{home / 'gradebook.db'}") as book:
        got = {name: book.find_submission(LESSON, name).score for name in ANSWERS}
    assert got == {name: points for name, (_, points) in ANSWERS.items()}


def test_otter_gives_full_part_and_no_points(folder):
    otter, home = program("otter"), folder / "otter" / LESSON
    run(home, otter, "assign", f"{LESSON}.ipynb", "dist")
    student = home / "dist" / "student" / f"{LESSON}.ipynb"
    shown = student.read_text(encoding="utf-8")
    assert LENGTH.solution.splitlines()[1].strip() not in shown and "exercises.require(length" in shown
    (zipped,) = (home / "dist" / "autograder").glob("*.zip")
    got = {}
    for name, (answers, _) in ANSWERS.items():
        target = folder / "handed in" / name / student.name
        handed_in(student, target, answers)
        run(target.parent, otter, "run", target.name, "-a", str(zipped), "-o", ".")
        results = json.loads((target.parent / "results.json").read_text(encoding="utf-8"))
        got[name] = sum(test["score"] for test in results["tests"] if "score" in test)
    assert got == {name: points for name, (_, points) in ANSWERS.items()}
