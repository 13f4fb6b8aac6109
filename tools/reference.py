"""The API reference as static pages: python -m tools.reference [FOLDER]

pdoc reads the package; every docstring is shown as it is written, its legend (a name, two spaces, what it
means) as a list. Nothing is fetched when a page is read.
"""

import inspect
import re
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path
from pkgutil import walk_packages
from unittest import mock

import pdoc
from pdoc import render
from pdoc.render_helpers import to_html

import featlab

EXAMPLES = Path(__file__).with_name("examples.md")
ENTRY = re.compile(r"([\w.*]+(?:, [\w.*]+)*) {2,}(\S.*)")


def legends(docstring: str) -> str:
    """The docstring as markdown: lines of a name, two spaces or more and what it means become a list.

    A further line of an entry is indented; formulas and programs are, by four, and stay as they are.
    """
    parts = re.split(r"\n\s*\n", docstring)
    return "\n\n".join(_listed(part.splitlines()) for part in parts)


def _listed(lines: list[str]) -> str:
    entries: list[str] = []
    for line in lines:
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        elif found := ENTRY.fullmatch(line):
            entries.append(f"- `{found[1]}`: {found[2]}")
        else:
            return "\n".join(lines)
    return "\n".join(entries)


def preamble() -> str:
    """What every example runs after."""
    return EXAMPLES.read_text(encoding="utf-8").partition("\n## ")[0].partition("\n\n")[2]


def examples() -> dict[str, str]:
    """An example of each public name, as a session of Python."""
    parts = EXAMPLES.read_text(encoding="utf-8").split("\n## ")[1:]
    return {name: text.strip() for name, _, text in (part.partition("\n") for part in parts)}


def _with_example(name: str) -> str:
    """The docstring of a public name with its example below."""
    session = examples()[name]
    return f"{inspect.getdoc(getattr(featlab, name))}\n\n**Example**\n\n```python\n{session}\n```"


def modules() -> list[str]:
    """All modules, but what the command line runs."""
    names = [name for _, name, _ in walk_packages(featlab.__path__, "featlab.")]
    return [name for name in names if not name.endswith("__main__")]


def write(folder: Path) -> None:
    """One page for each module; that of featlab shows the public names and leads to the rooms."""
    for name in featlab.__all__:  # loaded when first used: to pdoc a name is what is there
        setattr(featlab, name, getattr(featlab, name))
    inside = [name.removeprefix("featlab.") for name in modules()]
    rooms = [name for name in inside if "." not in name and hasattr(featlab, name)]
    render.configure(docformat="markdown", show_source=False)
    render.env.filters["to_html"] = lambda text: to_html(legends(text))
    with ExitStack() as changed:
        for name in featlab.__all__:
            changed.enter_context(mock.patch.object(getattr(featlab, name), "__doc__", _with_example(name)))
        changed.enter_context(mock.patch.object(featlab, "__all__", [*featlab.__all__, *rooms]))
        changed.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # the rooms are named twice
        pdoc.pdoc("featlab", *modules(), output_directory=folder)


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "site/reference"))
