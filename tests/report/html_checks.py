"""What every page of the report must satisfy, read with the parser of the standard library."""

import base64
import hashlib
import html.parser
import json
import re

EVIL = '<script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">&'
"""Text that must stay text."""

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
    """No address that a browser would fetch from elsewhere, no imported style, no script but the one that the page allows."""
    page = Page(text)
    for tag, attrs in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "action", "poster", "srcset", "data"):
            assert "//" not in (attrs.get(name) or "").split(",")[0], (tag, attrs)
        assert "url(" not in (attrs.get("style") or "")
    assert "@import" not in page.text("style")
    assert "url(" not in page.text("style")
    policies = [attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv") == "Content-Security-Policy"]
    run = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert len(run) <= 1
    assert len(page.all("script")) == len(run) + sum("type" in attrs for attrs in page.all("script"))
    for script in run:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert policies[0].endswith(f"script-src 'sha256-{digest}'")
    return page


def plots(text):
    """What the charts of a page are drawn from, in order."""
    found = re.findall(r'<figure class="plot".*?<script type="application/json">(.*?)</script>', text, flags=re.DOTALL)
    return [json.loads(data) for data in found]


def plot_named(text, title):
    """The one chart of a page with this title."""
    (found,) = [plot for plot in plots(text) if plot["title"] == title]
    return found


def values_of(plot, name):
    """The values of a curve."""
    (found,) = [one["values"] for one in plot["series"] if one["name"] == name]
    return found
