"""Names that would do harm if they were taken for markup, and the tags that a browser would see."""

from html.parser import HTMLParser

SCRIPT = "<img src=x onerror=\"window.owned='yes'\">"
HOSTILE = (
    SCRIPT,
    "</script><script>owned()</script>",
    "<a href='javascript:owned()'>click</a>",
    '"><svg onload=owned()> & $\\alpha$<sup>2</sup>',
)


class Tags(HTMLParser):
    """The tags that a browser would see."""

    def __init__(self, text: str):
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found |= {tag, *(name for name, _ in attributes if name.startswith("on") or name == "href")}
