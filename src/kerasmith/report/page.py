"""One self-contained HTML page."""

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kerasmith.report import page_script
from kerasmith.report.numbers import format_number
from kerasmith.report.plot_data import script_json
from kerasmith.report.templating import Markup, render_template


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

    def __post_init__(self) -> None:
        if not isinstance(self.title, str) or not isinstance(self.html, str):
            raise ValueError(
                "A section is a title and a string of HTML; build it with `report.table`, `report.image_grid` or "
                f"`report.line_chart`. Received: title={self.title!r}, html of type {type(self.html).__name__}"
            )


def render(
    title: str,
    sections: Iterable[Section],
    summary: Mapping[str, Any] | None = None,
    *,
    lead: str | None = None,
    footer: str | None = None,
    data: Any = None,
) -> Markup:
    """The page as text: a heading, tiles with the headline numbers, sections.

    It loads nothing: style, charts and pictures are inside, and no script runs but that of the charts. It follows the
    reader's light or dark mode.

    Args:
        title: plain text.
        sections: `Section`s in order.
        summary: {label: number, text, or a pair (value, remark)}, the tiles.
        lead: plain text under the title.
        footer: plain text, or `Markup`, at the end.
        data: plain data of JSON that the page carries along, in `<script type="application/json" id="data">` (since 0.2).

    Example:

    >>> html = render("A <b> run", [Section("Curves", "<p>none</p>")], {"dice": (0.949, "epoch 12")})
    >>> "A &lt;b&gt; run" in html and "epoch 12" in html
    True
    """
    sections = list(sections)
    anchors = _anchors(section.title for section in sections)
    tiles = [_tile(label, value) for label, value in (summary or {}).items()]
    return render_template(
        "page.html",
        title=title,
        lead=lead,
        footer=footer,
        tiles=tiles,
        across=_across(len(tiles)) if tiles else 0,
        sections=list(zip(sections, anchors, strict=True)),
        data=None if data is None else script_json(data),
        has_plots=any('<figure class="plot"' in section.html for section in sections),
        script=page_script.script,
        script_hash=page_script.script_hash,
        plot_style=page_script.style,
    )


def _across(count: int) -> int:
    """Tiles in one row: full rows of equal length rather than one tile left over."""
    return math.ceil(count / math.ceil(count / 7))


def _tile(label: str, value: Any) -> tuple[str, str, str]:
    value, remark = value if isinstance(value, tuple) else (value, "")
    return label, format_number(value), remark


def _anchors(titles: Iterable[str]) -> list[str]:
    anchors: list[str] = []
    for title in titles:
        anchor = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
        while anchor in anchors:
            anchor += "-next"
        anchors.append(anchor)
    return anchors
