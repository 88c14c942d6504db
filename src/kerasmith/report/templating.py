"""Templates that become HTML. Jinja2 escapes every value that is no markup already."""

import re
from typing import Any

import jinja2

from kerasmith.report import palette

# XML 1.0 has no way to write these, not even as references; a page must parse whatever a series is called.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """A string that is HTML already and is not escaped again."""

    # Not the class of markupsafe, which escapes what is added to it: "<p>" + report.table(...) has always been HTML.
    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def render_template(name: str, **values: Any) -> Markup:
    """The text of a file in `templates` with these values.

    >>> '<tr><th scope="row">a &lt; b</th><td>7</td></tr>' in render_template("pairs.html", pairs=[("a < b", "7")])
    True
    """
    return Markup(_TEMPLATES.get_template(name).render(values))


def _printable(value: Any) -> Any:
    """A value as a template writes it: floats with two decimals, no characters that XML forbids, nothing for None."""
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else _FORBIDDEN.sub("\ufffd", str(value))


_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("kerasmith.report"),
    autoescape=True,
    finalize=_printable,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals.update(LIGHT=palette.LIGHT, DARK=palette.DARK)
