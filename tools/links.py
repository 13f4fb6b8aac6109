"""The one address of the course, and everything that repeats it: first cells, README badges and table.

    python -m tools.links                                    bring them in line with pyproject.toml
    python -m tools.links https://github.com/you/featlab     change the address first

The address stands in pyproject.toml ([project.urls] Repository) and nowhere else by hand.
"""

import re
import sys
from pathlib import Path

from tools.notebook import COURSE, ROOT, course, read, tags, title, write

PYPROJECT, README = ROOT / "pyproject.toml", ROOT / "README.md"
ADDRESS = re.compile(r'^Repository = "(.+)"$', re.MULTILINE)
BOOT = """import sys

if "google.colab" in sys.modules:  # fetch the course; Colab's own torch stays
    %pip install -q --no-deps git+{address}
"""
BOOTED = re.compile(r'\Aimport sys\n\nif "google\.colab" in sys\.modules:.*?\n(?=\n)', re.DOTALL)


def address() -> str:
    """The public repository."""
    return ADDRESS.search(PYPROJECT.read_text(encoding="utf-8"))[1]


def first_cell(source: str, where: str) -> str:
    """A first cell that also works on a bare Colab: fetch the package there, import, set up."""
    rest = BOOTED.sub("", source).strip().removesuffix("fl.setup()").strip()
    if "import featlab as fl" not in rest:
        rest = re.sub(r"^(?=from featlab)", "import featlab as fl\n", rest, count=1, flags=re.MULTILINE)
    return f"{BOOT.format(address=where)}\n{rest}\n\nfl.setup()"


def tells(cell: dict) -> bool:
    """Whether a cell's code holds the answer to the question that it asks."""
    return (
        cell["cell_type"] == "code" and cell["source"].startswith("Predict(") and "answer=" in cell["source"]
    )


def prepare(notebook: dict, where: str) -> dict:
    """The notebook with its first code cell in order, and the code folded that would tell the answer of a
    prediction.

    What the first cell prints names the machine, so nbval is told not to compare it.
    """
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell["source"] = first_cell(cell["source"], where)
    cell["metadata"]["tags"] = sorted({*tags(cell), "nbval-ignore-output"})
    for cell in notebook["cells"]:
        if tells(cell):
            # for JupyterLab, for Colab
            cell["metadata"] |= {"jupyter": {"source_hidden": True}, "cellView": "form"}
    return notebook


def badges(path: Path, where: str) -> str:
    """Binder and Colab for one notebook."""
    relative, place = path.relative_to(ROOT).as_posix(), where.removeprefix("https://github.com/")
    binder = f"https://mybinder.org/v2/gh/{place}/main?urlpath=lab/tree/{relative}"
    colab = f"https://colab.research.google.com/github/{place}/blob/main/{relative}"
    pictures = (
        "https://mybinder.org/badge_logo.svg",
        "https://colab.research.google.com/assets/colab-badge.svg",
    )
    return f"[![open on Binder]({pictures[0]})]({binder}) [![open in Colab]({pictures[1]})]({colab})"


def row(path: Path, where: str) -> str:
    """One notebook in the README's table: number, question, place in the paper, minutes to read,
    where to open it.
    """
    notebook = read(path)
    number, name = title(notebook).split(" · ", 1)
    paper = re.search(r"^\| Paper \| (.+?) \|$", notebook["cells"][0]["source"], re.MULTILINE)[1]
    paper = re.sub(r"^.*\(NeurIPS 2019\), |;.*$", "", paper)
    minutes = re.search(
        r"^\| Time \| (\d+)(?: to (\d+))? minutes", notebook["cells"][0]["source"], re.MULTILINE
    )
    minutes = "–".join(filter(None, minutes.groups()))
    return (
        f"| [{number}]({path.relative_to(ROOT).as_posix()}) | {name} | {paper} | {minutes} | "
        f"{badges(path, where)} |"
    )


def table(where: str) -> str:
    """The README's table of notebooks."""
    rows = "\n".join(row(path, where) for path in course())
    return (
        "<!-- course -->\n| | question | paper | minutes | open it "
        f"|\n|---|---|---|---:|---|\n{rows}\n<!-- /course -->"
    )


def readme(text: str, where: str) -> str:
    """The README with its table as it should be."""
    return re.sub(r"<!-- course -->.*<!-- /course -->", lambda _: table(where), text, flags=re.DOTALL)


def main(words: list[str]) -> None:
    if words:
        said = f'Repository = "{words[0].rstrip("/").removesuffix(".git")}"'
        PYPROJECT.write_text(ADDRESS.sub(said, PYPROJECT.read_text(encoding="utf-8")), encoding="utf-8")
    for path in sorted(COURSE.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            write(path, prepare(read(path), address()))
    README.write_text(readme(README.read_text(encoding="utf-8"), address()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
