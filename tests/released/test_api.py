"""No public name or parameter of a released version is gone, and what is new says since when."""

import json
import pathlib
import re
import warnings

import pytest

from tests.released.api import find, parameters, public_api

RELEASED = sorted(pathlib.Path(__file__).parent.glob("*/api.json"), key=lambda path: path.parent.name)

# Its signature showed keywords, its constructor refused each.
NEVER_TAKEN = {"multitask.Balancer(kwargs)"}

pytestmark = pytest.mark.host("reads the source, or the signatures")


def since(text, name=None):
    """Whether a docstring says since which version a parameter, or the whole, is there: "(since 0.2)"."""
    if name is not None:
        entries = rf"^ *(?:\w+, )*{re.escape(name)}\b.*?(?=^ *\w+[\w, ]*:|\Z)"
        text = "\n".join(re.findall(entries, text, re.MULTILINE | re.DOTALL))
    return re.search(r"\bsince \d+\.\d+", text, re.IGNORECASE) is not None


def docstrings(part):
    """Those of a class and of its bases, which explain what several have in common; or of a function and of its class."""
    cls = getattr(part, "as_loss", None)
    classes = part.__mro__ if isinstance(part, type) else cls.func.__mro__ if cls else ()
    return [part.__doc__ or "", *(base.__doc__ or "" for base in classes)]


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.parent.name)
def test_nothing_that_was_public_is_gone(path):
    gone = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, known in json.loads(path.read_text()).items():
            now = parameters(find(name))
            gone += [f"{name}({parameter})" for parameter in known if parameter not in now]
    assert not set(gone) - NEVER_TAKEN


def test_what_is_new_says_since_when():
    released, unsaid = json.loads(RELEASED[-1].read_text()), []
    for name, now in public_api().items():
        part = find(name)
        if name not in released:
            unsaid += [] if since(part.__doc__ or "") else [name]
        else:
            texts = docstrings(part)
            new = [p for p in now if p not in released[name]]
            unsaid += [f"{name}({p})" for p in new if not any(since(text, p) for text in texts)]
    assert not unsaid, f"Write `(since X.Y)` into the docstring of {unsaid}"


def test_since_is_read_from_the_entry_of_the_parameter():
    text = "Args:\n    a: a number.\n    b, d: numbers\n        of more (since 0.2).\n    c: another.\n"
    assert [since(text, name) for name in "abcd"] == [False, True, False, True]
