"""LaTeX formulas as MathML, made once when the pages are made: no script,
no font and no network when they are read.
"""

import re
import unicodedata
from contextlib import suppress

from latex2mathml.converter import convert

STYLES = {"script": "SCRIPT", "double-struck": "DOUBLE-STRUCK", "bold": "BOLD", "fraktur": "FRAKTUR"}


def letter(style: str, plain: str) -> str:
    """A letter of a mathematical alphabet: browsers draw these, but know no `mathvariant`."""
    for form in ("MATHEMATICAL {} CAPITAL {}", "{} CAPITAL {}", "MATHEMATICAL {} SMALL {}", "{} SMALL {}"):
        if ("CAPITAL" in form) == plain.isupper():
            with suppress(KeyError):
                return unicodedata.lookup(form.format(STYLES[style], plain.upper()))
    return plain


def mathml(source: str, *, block: bool = False) -> str:
    """One formula; its LaTeX stays as the text for those who do not see it."""
    source = (
        source.replace(r"\arg", r"\operatorname{arg}")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )
    drawn = convert(source.strip(), display="block" if block else "inline")
    if left := re.search(r">\\([A-Za-z]+)", drawn):
        raise ValueError(
            f"the formula {source!r} has \\{left[1]}, which the pages cannot draw: say it with "
            "simpler commands"
        )
    return re.sub(r'<mi mathvariant="([\w-]+)">(\w)</mi>', lambda m: f"<mi>{letter(m[1], m[2])}</mi>", drawn)
