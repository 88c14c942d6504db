"""Data inside of a page, for its script and for whoever reads the file."""

import json
from typing import Any

from kerasmith.report.templating import Markup


def script_json(value: Any) -> Markup:
    """Strict JSON that can stand in a `<script type="application/json">`: no text of it ends the element.

    >>> script_json({"name": "</script>"})
    '{"name":"\\\\u003c/script>"}'
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
