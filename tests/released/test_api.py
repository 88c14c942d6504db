"""No public name or parameter of a released version is gone, and what is new says since when."""

import json
import pathlib
import re
import warnings

import pytest

from tests.released.api import find, parameters, public_api

RELEASED = sorted(pathlib.Path(__file__).parent.glob("*/api.json"), key=lambda path: path.parent.name)

pytestmark = pytest.mark.host("reads the source, or the signatures")


def since(text, name=None):
    """Whether a docstring says since which version a parameter, or the whole, is there: "(since 0.2)"."""
    if name is not None:
        entry = re.search(rf"^ *{re.escape(name)}\b.*?(?=^ *\w+[\w, ]*:|\Z)", text, re.MULTILINE | re.DOTALL)
        text = entry.group() if entry else ""
    return re.search(r"\bsince \d+\.\d+", text, re.IGNORECASE) is not None


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.parent.name)
def test_nothing_that_was_public_is_gone(path):
    gone = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, known in json.loads(path.read_text()).items():
            now = parameters(find(name))
            gone += [f"{name}({parameter})" for parameter in known if parameter not in now]
    assert not gone


def test_what_is_new_says_since_when():
    released, unsaid = json.loads(RELEASED[-1].read_text()), []
    for name, now in public_api().items():
        text = find(name).__doc__ or ""
        if name not in released:
            unsaid += [] if since(text) else [name]
        else:
            unsaid += [f"{name}({p})" for p in now if p not in released[name] and not since(text, p)]
    assert not unsaid, f"Write `(since X.Y)` into the docstring of {unsaid}"


def test_since_is_read_from_the_entry_of_the_parameter():
    text = "Args:\n    a: a number.\n    b: a number\n        of more (since 0.2).\n    c: another.\n"
    assert [since(text, name) for name in "abc"] == [False, True, False]
