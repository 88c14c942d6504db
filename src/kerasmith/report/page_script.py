"""The script that draws the charts of a page: uPlot and what we add to it, from the files in `browser`."""

import base64
import functools
import hashlib
from importlib import resources

from kerasmith.report.templating import Markup

_PACKAGE = "kerasmith.report", "browser"


@functools.cache
def script() -> Markup:
    """The text of the one script that a page runs; uPlot goes with its licence."""
    licence = _read("uPlot.LICENSE").strip()
    return Markup(f"/*! uPlot\n{licence}\n*/\n{_read('uPlot.iife.min.js').strip()}\n{_read('plots.js')}")


@functools.cache
def script_hash() -> Markup:
    """What a Content-Security-Policy calls the script by, so that a page runs this one and no other."""
    digest = hashlib.sha256(script().encode("utf-8")).digest()
    return Markup(f"sha256-{base64.b64encode(digest).decode('ascii')}")


@functools.cache
def style() -> Markup:
    """The style sheet of uPlot."""
    return Markup(_read("uPlot.min.css").strip())


def _read(name: str) -> str:
    package, folder = _PACKAGE
    return resources.files(package).joinpath(folder, name).read_text(encoding="utf-8")
