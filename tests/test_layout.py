"""Every module that defines anything has its test file: featlab/A/B.py has tests/A/test_B.py.

The definitions of a package's __init__ are tested under the name of the package: those of featlab/A in
tests/A/test_A.py, those of featlab itself in tests/test_featlab.py; those of __main__ in tests/test_main.py.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "featlab"


def defines(source: str) -> bool:
    """Whether a module has functions or classes: one that only imports names has nothing to test."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return any(isinstance(node, kinds) for node in ast.parse(source).body)


def named_for(module: Path) -> Path:
    """The test file of a module, both relative: engine/files.py -> engine/test_files.py."""
    package = module.parent.name or PACKAGE.name
    name = package if module.stem == "__init__" else module.stem.strip("_")
    return module.parent / f"test_{name}.py"


MODULES = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]


def test_every_module_that_defines_anything_has_its_test_file():
    defining = [module for module in MODULES if defines((PACKAGE / module).read_text(encoding="utf-8"))]
    wanted = {named_for(module) for module in defining}
    missing = sorted(str(path) for path in wanted if not (TESTS / path).exists())
    assert not missing, f"tests/ lacks {', '.join(missing)}"


@pytest.mark.parametrize(
    "module, expected",
    [
        ("balls.py", "test_balls.py"),
        ("engine/files.py", "engine/test_files.py"),
        ("engine/__init__.py", "engine/test_engine.py"),
        ("__init__.py", "test_featlab.py"),
        ("__main__.py", "test_main.py"),
    ],
)
def test_a_test_file_is_named_after_its_module_and_an_init_after_its_package(module, expected):
    assert named_for(Path(module)) == Path(expected)


@pytest.mark.parametrize("source", ["def f(): ...", "async def f(): ...", "class A: ...", "@g\ndef f(): ..."])
def test_a_function_or_a_class_defines(source):
    assert defines(source)


@pytest.mark.parametrize("source", ["", '"""Words."""', "from a import b", "A = 3", "__all__ = ['b']"])
def test_words_imports_and_constants_define_nothing(source):
    assert not defines(source)
