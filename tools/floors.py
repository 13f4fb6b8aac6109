"""The oldest version of each package that pyproject.toml admits, as pip's requirements:
python -m tools.floors
"""

import re

from tools.links import PYPROJECT


def floors() -> list[str]:
    """anywidget==0.9.13, ...; of the tools around the library (Jupyter, pytest) the newest are taken."""
    text = PYPROJECT.read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[(.*?)^\]", text, re.MULTILINE | re.DOTALL)[1]
    return [f"{name}=={version}" for name, version in re.findall(r'"([\w-]+)>=([\d.]+)"', block)]


if __name__ == "__main__":
    print(*floors())
