"""What the documents tell a reader to type runs: the snippets of how-do-i, and an example of each name."""

import doctest
import re

import pytest

import featlab as fl
from tools import reference
from tools.notebook import ROOT

PAGE = (ROOT / "docs" / "how-do-i.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_twenty_five_short_answers():
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\. \.\.\. ", PAGE, re.MULTILINE)]
    assert numbers == list(range(1, 26)) and len(SNIPPETS) == 26
    assert max(len(snippet.splitlines()) for snippet in SNIPPETS) <= 6


def test_every_snippet_runs(tmp_path, monkeypatch, capsys):
    few = [part[:300] for part in fl.load("fashion-mnist", device="cpu")]
    monkeypatch.setattr(fl, "load", lambda name: few, raising=False)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for number, snippet in enumerate(SNIPPETS):
        try:
            exec(compile(snippet, f"how-do-i, answer {number}", "exec"), names)
        except Exception as error:
            pytest.fail(f"answer {number}: {type(error).__name__}: {error}\n{snippet}")


def test_every_public_name_has_its_example():
    assert list(reference.examples()) == fl.__all__


@pytest.mark.parametrize("name", fl.__all__)
def test_the_example_of_a_public_name_is_true(name):
    found = doctest.DocTestParser().get_doctest(
        f"{reference.preamble()}\n{reference.examples()[name]}", {}, name, "tools/examples.md", 0
    )
    said: list[str] = []
    doctest.DocTestRunner(verbose=False).run(found, out=said.append)
    assert not said, "".join(said)
