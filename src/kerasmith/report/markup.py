"""Text that goes into HTML or SVG: escaped unless it says that it is markup already."""

import html
import re

# XML 1.0 has no way to write these, not even as references; a chart must parse whatever a series is called.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """A string that is HTML already and is not escaped again."""

    __slots__ = ()


def escape(text):
    """`text` safe inside an element and inside a quoted attribute; `Markup` passes unchanged."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", str(text)), quote=True))


def element(tag, *children, **attributes):
    """One element. Attribute names lose a trailing underscore and write `_` as `-`; None leaves an attribute out.

    >>> element("text", "a < b", x=3, text_anchor="end")
    '<text x="3" text-anchor="end">a &lt; b</text>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_compact(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{tag}{written}>{inside}</{tag}>" if inside else f"<{tag}{written}/>")


def _compact(value):
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return value
