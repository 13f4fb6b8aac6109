"""The one address of the course, and everything that repeats it: first cells, README table and badges.

    python -m tools.links                                    bring them in line with pyproject.toml
    python -m tools.links https://github.com/you/featlab     change the address first
    python -m tools.links --pypi                             first cells install the package from PyPI

The address stands in pyproject.toml ([project.urls] Repository) and nowhere else by hand. While there is
none, nothing leads to it, and the first cells take a wheel on Colab.
"""

import re
import sys
from pathlib import Path

from tools.notebook import COURSE, ROOT, course, read, tags, title, write

PYPROJECT, README = ROOT / "pyproject.toml", ROOT / "README.md"
URLS = re.compile(r'^\[project\.urls\]\n(?:Repository = "(.+)"\n)?', re.MULTILINE)
PYPI = re.compile(r"^on-pypi = (true|false)$", re.MULTILINE)
BOOT = """import sys
from importlib.util import find_spec

if "google.colab" in sys.modules and not find_spec("featlab"):  # {how}; Colab's own torch stays
    %pip install -q --no-deps {what}
"""
FIND = r"(?:from importlib\.util import find_spec\n)?"
BOOTED = re.compile(rf'\Aimport sys\n{FIND}\nif "google\.colab" in sys\.modules.*?\n(?=\n)', re.DOTALL)


def address() -> str | None:
    """The public repository, or None while there is none."""
    return URLS.search(PYPROJECT.read_text(encoding="utf-8"))[1]


def on_pypi() -> bool:
    """Whether `pip install featlab` finds the package."""
    return PYPI.search(PYPROJECT.read_text(encoding="utf-8"))[1] == "true"


def source(where: str | None, pypi: bool) -> tuple[str, str]:
    """How the package comes to Colab, in words, and what pip is asked for there."""
    if pypi:
        return "fetch the course", "featlab"
    if where:
        return "fetch the course", f"git+{where}"
    return "first upload the file that `make wheel` writes", "featlab-*.whl"


def first_cell(source: str, boot: tuple[str, str]) -> str:
    """A first cell that also works on a bare Colab: bring the package there, import, set up."""
    rest = BOOTED.sub("", source).strip().removesuffix("fl.setup()").strip()
    if "import featlab as fl" not in rest:
        rest = re.sub(r"^(?=from featlab)", "import featlab as fl\n", rest, count=1, flags=re.MULTILINE)
    how, what = boot
    return f"{BOOT.format(how=how, what=what)}\n{rest}\n\nfl.setup()"


def tells(cell: dict) -> bool:
    """Whether a cell's code holds the answer to the question that it asks."""
    return (
        cell["cell_type"] == "code" and cell["source"].startswith("Predict(") and "answer=" in cell["source"]
    )


def prepare(notebook: dict, boot: tuple[str, str]) -> dict:
    """The notebook with its first code cell in order, and the code folded that would tell the answer of a
    prediction.

    What the first cell prints names the machine, so nbval is told not to compare it.
    """
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    cell["source"] = first_cell(cell["source"], boot)
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


def row(path: Path, where: str | None) -> str:
    """One notebook in the README's table: number, question, place in the paper, minutes to read, and where
    to open it if it stands anywhere.
    """
    notebook = read(path)
    number, name = title(notebook).split(" · ", 1)
    paper = re.search(r"^\| Paper \| (.+?) \|$", notebook["cells"][0]["source"], re.MULTILINE)[1]
    paper = re.sub(r"^.*\(NeurIPS 2019\), |;.*$", "", paper)
    minutes = re.search(
        r"^\| Time \| (\d+)(?: to (\d+))? minutes", notebook["cells"][0]["source"], re.MULTILINE
    )
    minutes = "–".join(filter(None, minutes.groups()))
    link = f"[{name}]({path.relative_to(ROOT).as_posix()})"
    return f"| {number} | {link} | {paper} | {minutes} |" + (f" {badges(path, where)} |" if where else "")


def table(where: str | None) -> str:
    """The README's table of notebooks."""
    rows = "\n".join(row(path, where) for path in course())
    head = "| | question | paper | minutes |" + (" open it |" if where else "")
    line = "|---|---|---|---:|" + ("---|" if where else "")
    return f"<!-- course -->\n{head}\n{line}\n{rows}\n<!-- /course -->"


def readme(text: str, where: str | None) -> str:
    """The README with its table as it should be."""
    return re.sub(r"<!-- course -->.*<!-- /course -->", lambda _: table(where), text, flags=re.DOTALL)


def told(project: str, words: list[str]) -> str:
    """pyproject.toml as the words want it: an address, --pypi, both or neither."""
    for word in words:
        if word == "--pypi":
            project = PYPI.sub("on-pypi = true", project)
        elif re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+/?", word):
            said = f'[project.urls]\nRepository = "{word.rstrip("/").removesuffix(".git")}"\n'
            project = URLS.sub(said, project)
        else:
            raise SystemExit(f"{word!r} is no address: say https://github.com/you/featlab, or --pypi")
    return project


def main(words: list[str]) -> None:
    PYPROJECT.write_text(told(PYPROJECT.read_text(encoding="utf-8"), words), encoding="utf-8")
    boot = source(address(), on_pypi())
    for path in sorted(COURSE.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            write(path, prepare(read(path), boot))
    README.write_text(readme(README.read_text(encoding="utf-8"), address()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
