"""Executed notebooks as they are committed: python -m tools.stored

A live widget's view is left out where its twin is there: the view is empty without the kernel that made it,
and would hide the twin from everyone who opens the notebook before running it. What nbstripout removes
(widget state, the machine's Python) it removes afterwards.
"""

from featlab.course.alt import SPOKEN
from tools.notebook import COURSE, read, write

VIEW = "application/vnd.jupyter.widget-view+json"
TWINS = {"application/vnd.plotly.v1+json", "text/html"}


def storable(output: dict) -> bool:
    """Whether anything is left to show once the view is gone; takes it out."""
    data = output.get("data", {})
    if "".join(data.get("text/html", "")) == SPOKEN:  # names figures once the notebook runs
        return False
    was_live = data.pop(VIEW, None) is not None
    return not was_live or bool(TWINS & set(data))


def settle(notebook: dict) -> dict:
    """The notebook with outputs that need no kernel."""
    for cell in notebook["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if storable(output)]
    return notebook


if __name__ == "__main__":
    for path in sorted(COURSE.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            write(path, settle(read(path)))
