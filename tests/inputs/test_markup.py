"""Escaped text shows itself and nothing else; a title may set type."""

import html

import pytest
from hostile import HOSTILE, Tags

from featlab.inputs.markup import escaped, written


@pytest.mark.parametrize(
    "text", [*HOSTILE, "plain", "", "a < b & c", "&lt;", "\udcff", 3, None, KeyError("<b>")], ids=repr
)
def test_escaped_text_shows_itself_once_and_only_itself(text):
    marked = escaped(text)
    assert not Tags(marked).found and escaped(marked) is marked and written(marked) is marked
    assert html.unescape(marked) == str(text).replace("\udcff", "?")
    assert '"' not in marked and "'" not in marked and "$" not in marked


def test_a_title_may_set_type_and_nothing_else():
    assert written("10<sup>15</sup> a<br>b") == "10<sup>15</sup> a<br>b"
    assert all(
        Tags(written(name)).found <= {"b", "i", "sup", "sub", "br"}
        for name in (*HOSTILE, "<b onclick=owned()>x</b>", "<br/onload=x>")
    )
