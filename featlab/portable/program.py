"""The JavaScript of featlab.portable as one text, which needs no other file: a page from a USB stick may not
fetch, nor import.
"""

import base64
import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
_IMPORT = re.compile(r'^import \{ (.+) \} from "\./(\w+)\.mjs";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const) (\w+)", re.MULTILINE)


def source(name: str) -> str:
    """A module of the folder `javascript` as it is written."""
    return (HERE / "javascript" / f"{name}.mjs").read_text(encoding="utf-8")


def needed(name: str) -> list[str]:
    """A module and all that it imports, each after what it needs."""
    order: list[str] = []
    for _, other in _IMPORT.findall(source(name)):
        order += [one for one in needed(other) if one not in order]
    return [*order, name]


def _enclosed(name: str) -> str:
    """A module as a function that gives what it exports; its imports are what others gave."""
    text = source(name)
    exported = ", ".join(found for _, found in _EXPORT.findall(text))
    taken = _IMPORT.sub(lambda m: f"const {{ {m[1].replace(' as ', ': ')} }} = of_{m[2]};\n", text)
    body = _EXPORT.sub(r"\1 \2", taken)
    return f"const of_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


@cache
def bundle(name: str, ending: str) -> str:
    """A module with all that it needs, then `ending`, in which `of_<name>` is what the module exports."""
    text = "".join(_enclosed(one) for one in needed(name)) + ending
    if "</script" in text.lower():
        raise ValueError("a program that stands in a page cannot hold the end of a script")
    return text


def product() -> str:
    """The matrix product in WebAssembly, in base64; `make product` compiles it."""
    return base64.b64encode((HERE / "compiled" / "product.wasm").read_bytes()).decode()


def style(name: str) -> str:
    """A style sheet of the folder `style`."""
    return (HERE / "style" / f"{name}.css").read_text(encoding="utf-8")
