"""Text that becomes HTML, or what plotly reads as HTML in titles, names and labels: here, and nowhere else,
it is escaped.

Whatever a reader brings (names of classes, files, folders, models and presets, messages of exceptions) is
text. `escaped` makes markup of it that shows just that text; `written` does the same for titles and labels,
in which a few tags without attributes may stand.
"""

import re

# numbers for the marks that plotly does not know by name; $ because plotly hands text between two of them to
# MathJax where that is loaded
MARKS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "$": "&#36;"})
_KEPT = re.compile(r"&lt;(/?(?:b|i|sup|sub)|br)&gt;")


class Markup(str):
    """Text that is markup already: what is foreign in it has been escaped."""


def escaped(text: object) -> Markup:
    """Anything as markup that shows its text; markup stays as it is."""
    if isinstance(text, Markup):
        return text
    sendable = str(text).encode("utf-8", "replace").decode()  # names of files may hold bytes that no page can
    return Markup(sendable.translate(MARKS))


def written(text: object) -> Markup:
    """A title or a label: escaped but for <br>, <b>, <i>, <sup> and <sub>,
    which carry no attributes and so can only set type.
    """
    return text if isinstance(text, Markup) else Markup(_KEPT.sub(r"<\1>", escaped(text)))
