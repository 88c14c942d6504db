"""What every page and every picture of the report must satisfy, read with parsers of the standard library."""

import html.parser
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
_VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(html.parser.HTMLParser):
    """The parsed page: all tags with their attributes, all text; fails on tags that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def text(self, tag=None):
        return " ".join(data for inside, data in self.texts if tag in (None, inside))

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def assert_loads_nothing(text):
    """No address that a browser would fetch from elsewhere, no script, no imported style."""
    page = Page(text)
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "action", "poster", "srcset", "data"):
            assert "//" not in (attrs.get(name) or "").split(",")[0], (tag, attrs)
        assert "url(" not in (attrs.get("style") or "")
    assert "@import" not in text
    assert "url(" not in page.text("style")
    return page


def svg(text):
    """The chart as an XML tree."""
    root = ET.fromstring(text)
    assert root.tag == SVG + "svg"
    return root


def curve_points(path):
    """[[(x, y), ...], ...], the connected pieces of a path of M and L."""
    pieces = []
    for word in path.get("d").replace("M", " M ").replace("L", " L ").split("M"):
        numbers = [float(n) for n in word.replace("L", " ").split()]
        if numbers:
            pieces.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
    return pieces
