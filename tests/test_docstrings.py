"""Docstrings say what a reader needs to call a function: shapes where tensors pass, units where a length in
pixels does; and those of the public names what is refused.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import featlab

PACKAGE = Path(featlab.__file__).parent
TENSORS = re.compile(r"\b(Tensor|ndarray)\b")
DIMENSION = r"(?:[a-z]+|\d+|\.\.\.|[a-z0-9]+ [*/+-] [a-z0-9]+)"
SHAPE = re.compile(rf"\({DIMENSION},\)|\({DIMENSION}(?:, {DIMENSION})+\)|any shape|a scalar")
LENGTHS = {"eps", "radius", "radii"}
UNITS = re.compile(r"pixels? of \[0, 1\]|in pixels|like the points|inf\b|squared|\|\|delta\|\|")


@dataclass(frozen=True)
class Function:
    """A public function, method or property, with the docstring of its class where it is called by that."""

    name: str
    node: ast.FunctionDef
    docstring: str

    @property
    def arguments(self) -> dict[str, str]:
        a = self.node.args
        return {one.arg: _text(one.annotation) for one in (*a.posonlyargs, *a.args, *a.kwonlyargs)}

    @property
    def passes_tensors(self) -> bool:
        types = [*self.arguments.values(), _text(self.node.returns)]
        return any(TENSORS.search(one) and "Callable" not in one for one in types)


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else ""


def functions(body: list, where: str, docstring: str = "") -> list[Function]:
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += functions(node.body, f"{where}.{node.name}", ast.get_docstring(node) or "")
        called = isinstance(node, ast.FunctionDef) and node.name in ("__call__", "forward")
        if called or (isinstance(node, ast.FunctionDef) and not node.name.startswith("_")):
            own = ast.get_docstring(node) or (docstring if called else "")
            found.append(Function(f"{where}.{node.name}", node, own))
    return found


ALL = [
    function
    for path in sorted(PACKAGE.rglob("*.py"))
    for function in functions(
        ast.parse(path.read_text(encoding="utf-8")).body,
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts),
    )
]


@pytest.mark.parametrize("function", [f for f in ALL if f.passes_tensors], ids=lambda f: f.name)
def test_a_function_of_tensors_gives_their_shapes(function):
    assert SHAPE.search(function.docstring), f"give shapes such as (n, c, h, w): {function.docstring!r}"


@pytest.mark.parametrize("function", [f for f in ALL if LENGTHS & f.arguments.keys()], ids=lambda f: f.name)
def test_a_function_of_a_radius_says_what_it_is_measured_in(function):
    assert UNITS.search(function.docstring), f"pixels of [0, 1], or like the points: {function.docstring!r}"


REFUSED = re.compile(r"\b(\w+Error|refuse[sd]?|warning)\b")


@pytest.mark.parametrize("name", [name for name in featlab.__all__ if callable(getattr(featlab, name))])
def test_a_public_name_says_what_it_refuses_or_whom_to_ask(name):
    assert REFUSED.search(getattr(featlab, name).__doc__ or ""), getattr(featlab, name).__doc__


def test_the_rule_sees_what_it_is_about():
    assert len([f for f in ALL if f.passes_tensors]) > 200
    assert SHAPE.search("x (n, c, h, w)") and SHAPE.search("(n,)") and SHAPE.search("(n, ...) -> (n,)")
    assert not SHAPE.search("PGD (section 2)") and not SHAPE.search("robust (adversarially)")
