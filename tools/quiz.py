"""The quiz without answers, and as a notebook: python -m tools.quiz

Both are made from docs/quiz.md: docs/quiz-sheet.md to print, notebooks/quiz/quiz.ipynb to be run.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from tools import links
from tools.notebook import COURSE, ROOT, write

QUIZ, SHEET = ROOT / "docs" / "quiz.md", ROOT / "docs" / "quiz-sheet.md"
NOTEBOOK = COURSE / "quiz" / "quiz.ipynb"
OPENING = """# Quiz

Eight questions on mistakes that students and published replications make. Answer before the course,
and again after it: your answers are remembered, and each is held against the right one. Nothing waits for an
answer."""
IMPORTS = "import featlab as fl\nfrom featlab.widgets.predict import Predict"


@dataclass(frozen=True)
class Item:
    """A question, what may be answered, which of it is right, and why."""

    asks: str
    choices: tuple[str, ...]
    right: str
    because: str


def items() -> list[Item]:
    """The questions of docs/quiz.md."""
    parts = re.split(r"^## \d+\. ", QUIZ.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [_item(part) for part in parts]


def _item(part: str) -> Item:
    asks, rest = part.split("\n", 1)
    lines = re.findall(r"^- (.+)$", rest, re.MULTILINE)
    (right,) = (line.strip("*") for line in lines if line.startswith("**"))
    because = re.search(r"^> (.+)$", rest, re.MULTILINE)[1]
    return Item(asks, tuple(line.strip("*") for line in lines), right, because)


def sheet() -> str:
    """The questions alone, to print."""
    asked = [
        f"**{k}.** {item.asks}\n\n" + "\n".join(f"- [ ] {choice}" for choice in item.choices)
        for k, item in enumerate(items(), 1)
    ]
    return "# Quiz\n\nName or sign:\n\n" + "\n\n".join(asked) + "\n"


def cells() -> list[dict]:
    """The cells of the notebook, which were not run."""
    first = links.first_cell(IMPORTS, links.source(links.address(), links.on_pypi()))
    made = [_cell("markdown", OPENING), _cell("code", first, tags=["nbval-ignore-output"])]
    for k, item in enumerate(items(), 1):
        made.append(_cell("markdown", f"**{k}.** {item.asks}"))
        fields = (f"    {item.asks!r},", f"    {list(item.choices)!r},", f"    answer={item.right!r},")
        source = "\n".join(["Predict(", *fields, f"    because={item.because!r},", ")"])
        made.append(_cell("code", source, jupyter={"source_hidden": True}, cellView="form"))
    return [{**cell, "id": f"q{k}"} for k, cell in enumerate(made)]


def _cell(kind: str, source: str, **metadata: object) -> dict:
    ran = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": metadata, "source": source, **ran}


def main(notebook: Path = NOTEBOOK) -> None:
    SHEET.write_text(sheet(), encoding="utf-8")
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    write(notebook, {"cells": cells(), "metadata": about, "nbformat": 4, "nbformat_minor": 5})


if __name__ == "__main__":
    main()
