"""One self-contained HTML page."""

import dataclasses
import math
import re

from kerasmith.report.markup import Markup, element, escape
from kerasmith.report.numbers import format_number
from kerasmith.report.style import STYLE


@dataclasses.dataclass(frozen=True)
class Section:
    """A part of the page under a heading.

    Attributes:
        title: plain text.
        html: what stands under it, HTML that goes in as it is.
        collapsed: only the heading is visible until the reader opens it.
        kind: a class name, such as "notes".
    """

    title: str
    html: str
    collapsed: bool = False
    kind: str = ""

    def __post_init__(self):
        if not isinstance(self.title, str) or not isinstance(self.html, str):
            raise ValueError(
                "A section is a title and a string of HTML; build it with `report.table`, `report.gallery` or "
                f"`report.line_chart`. Received: title={self.title!r}, html of type {type(self.html).__name__}"
            )


def render(title, sections, summary=None, *, lead=None, footer=None):
    """The page as text: a heading, tiles with the headline numbers, sections.

    It loads nothing: style, charts and pictures are inside. It follows the reader's light or dark mode.

    Args:
        title: plain text.
        sections: `Section`s in order.
        summary: {label: number, text, or a pair (value, remark)}, the tiles.
        lead: plain text under the title.
        footer: plain text, or `Markup`, at the end.

    Example:

    >>> html = render("A <b> run", [Section("Curves", "<p>none</p>")], {"dice": (0.949, "epoch 12")})
    >>> "A &lt;b&gt; run" in html and "epoch 12" in html
    True
    """
    tiles = "".join(_tile(label, value) for label, value in (summary or {}).items())
    used = set()
    body = "".join(
        [
            "<header>", element("h1", title), element("p", lead, class_="lead") if lead else "", "</header>\n",
            f'<dl class="tiles" style="--across:{_across(len(summary))}">{tiles}</dl>\n' if tiles else "",
            *(_section(section, used) for section in sections),
            element("footer", footer) if footer else "",
        ]
    )  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Whatever a section brings along, the browser loads nothing from elsewhere.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:; font-src data:; media-src data:">\n'
        f"{element('title', title)}\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _across(count):
    """Tiles in one row: full rows of equal length rather than one tile left over."""
    return math.ceil(count / math.ceil(count / 7))


def _tile(label, value):
    value, remark = value if isinstance(value, tuple) else (value, "")
    small = element("small", remark) if remark else ""
    return f'<div class="tile"><dt>{escape(label)}</dt><dd>{escape(format_number(value))}{small}</dd></div>'


def _section(section, used):
    anchor = re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-") or "section"
    while anchor in used:
        anchor += "-next"
    used.add(anchor)
    if section.collapsed:
        return (
            f'<details class="section" id="{anchor}"><summary>{escape(section.title)}</summary>'
            f"{Markup(section.html)}</details>\n"
        )
    kind = f' class="{escape(section.kind)}"' if section.kind else ""
    return f'<section id="{anchor}"{kind}>{element("h2", section.title)}{Markup(section.html)}</section>\n'
