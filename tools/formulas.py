"""LaTeX formulas as MathML, made once when the pages are made: no script, no font and no network when they are read."""

import re

from latex2mathml.converter import convert


def mathml(source: str, *, block: bool = False) -> str:
    """One formula; its LaTeX stays as the text for those who do not see it."""
    source = source.replace(r"\arg", r"\operatorname{arg}").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    drawn = convert(source.strip(), display="block" if block else "inline")
    if left := re.search(r">\\([A-Za-z]+)", drawn):
        raise ValueError(f"the formula {source!r} has \\{left[1]}, which the pages cannot draw: say it with simpler commands")
    return drawn
