"""The program of a page is one text: what it imports is in it, once, and nothing of it is fetched."""

import re

import pytest

from featlab.portable import program

NAMES = sorted(path.stem for path in (program.HERE / "javascript").glob("*.mjs"))


@pytest.mark.parametrize("name", NAMES)
def test_a_module_comes_after_all_that_it_imports(name):
    order = program.needed(name)
    assert order[-1] == name and len(set(order)) == len(order)
    for i, one in enumerate(order):
        imported = re.findall(r'from "\./(\w+)\.mjs"', program.source(one))
        assert set(imported) <= set(order[:i])


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_imports_and_exports_nothing(name):
    text = program.bundle(name, "")
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_imported_is_exported_there(name):
    for names, other in re.findall(r'^import \{ (.+) \} from "\./(\w+)\.mjs";', program.source(name), re.M):
        exported = set(
            re.findall(r"^export (?:async )?(?:function\*?|const) (\w+)", program.source(other), re.M)
        )
        assert {one.split(" as ")[0] for one in names.split(", ")} <= exported


@pytest.mark.parametrize("name", NAMES)
def test_no_module_asks_for_anything_or_makes_markup_or_code_of_text(name):
    text = program.source(name)
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
    ):
        assert word not in text, word
    assert "http" not in text


def test_no_program_can_end_its_script():
    with pytest.raises(ValueError, match="end of a script"):
        program.bundle("kernel", "'</script>'")


def test_the_compiled_product_is_small_and_web_assembly():
    import base64

    raw = base64.b64decode(program.product())
    assert raw[:4] == b"\0asm" and len(raw) < 2000
    assert ".explorer" in program.style("explorer")
