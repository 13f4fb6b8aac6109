"""What reviewers and lecturers look for: citation, licences, workflows, links, and the quiz as it is made."""

import json
import re

import pytest

import featlab
from tools import fourth, links, quiz
from tools.notebook import ROOT, read

yaml = pytest.importorskip("yaml", reason="JupyterLab brings it")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_is_valid_and_of_this_version():
    cited = yaml.safe_load(text("CITATION.cff"))
    assert cited["version"] == featlab.__version__ and cited["authors"] and cited["cff-version"] == "1.2.0"
    assert set(cited["license"]) == {"MIT", "CC-BY-4.0"}
    validator = pytest.importorskip("cffconvert", reason="pip install cffconvert")
    validator.Citation(text("CITATION.cff")).validate()


def test_every_key_of_the_paper_is_in_its_bibliography():
    keys = set(re.findall(r"@(\w+\d{4})", text("paper.md")))
    assert keys and keys <= set(re.findall(r"^@\w+\{(\w+),", text("paper.bib"), re.MULTILINE))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_there_is(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    for job in jobs.values():
        assert job["runs-on"] and all("uses" in step or "run" in step for step in job["steps"])
        for step in job["steps"]:
            for target in re.findall(r"make ([\w-]+)", step.get("run", "")):
                assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_tests_run_on_three_systems_with_the_oldest_python_admitted_and_a_new_one():
    matrix = yaml.safe_load(text(".github/workflows/tests.yml"))["jobs"]["tests"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    oldest = re.search(r'^requires-python = ">=(.+)"', text("pyproject.toml"), re.MULTILINE)[1]
    assert matrix["python"][0] == oldest and len(matrix["python"]) > 1


def test_issue_forms_ask_something_and_the_container_is_json():
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert form["name"] and form["description"] and all("attributes" in part for part in form["body"])
    assert json.loads(text(".devcontainer/devcontainer.json"))["image"]


def test_the_readme_fits_a_screen_or_two():
    assert len(text("README.md").splitlines()) < 90


def test_the_quiz_has_eight_questions_and_its_sheet_and_notebook_are_what_is_made_from_it():
    items = quiz.items()
    assert len(items) == 8 and all(item.right in item.choices and len(item.choices) == 3 for item in items)
    assert quiz.SHEET.read_text(encoding="utf-8") == quiz.sheet(), "make quiz"
    stored = [cell["source"] for cell in read(quiz.NOTEBOOK)["cells"]]
    assert stored == [cell["source"] for cell in quiz.cells()], "make quiz"


def test_the_sheet_tells_no_answer():
    for item in quiz.items():
        assert f"**{item.right}**" not in quiz.sheet() and item.because not in quiz.sheet()


def test_the_licence_of_the_content_is_named_where_it_is_asked_for():
    assert "CC BY 4.0" in text("LICENSE-CONTENT.md") and "LICENSE-CONTENT.md" in text("README.md")
    assert links.address() or "github.com" not in text("README.md")


def test_the_solved_example_shows_its_stored_table():
    page = text("docs/open-assignment.md")
    assert fourth.filled(page) == page, "python -m tools.fourth"
