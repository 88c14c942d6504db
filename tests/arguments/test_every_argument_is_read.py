"""Every argument of a public constructor is read: where an effect takes a training to show, by its source."""

import ast
import functools
import inspect
import pathlib
import textwrap

import pytest

import kerasmith
from kerasmith import callbacks, data, layers, losses, metrics, multitask, objectives, schedules

pytestmark = pytest.mark.host("reads the source of constructors")

MODULES = (callbacks, data, layers, losses, metrics, multitask, objectives, schedules)
SOURCES = {path: ast.parse(path.read_text()) for path in pathlib.Path(kerasmith.__file__).parent.rglob("*.py")}


def _classes():
    names = [(module, name) for module in MODULES for name in dir(module) if not name.startswith("_")]
    found = {getattr(module, name) for module, name in names if inspect.isclass(getattr(module, name))}
    return sorted((c for c in found if c.__module__.startswith("kerasmith.")), key=lambda c: (c.__module__, c.__name__))


def _own_constructor(cls):
    """The tree of the constructor; None where that is not ours."""
    owner = next(c for c in cls.__mro__ if "__init__" in vars(c))
    if not owner.__module__.startswith("kerasmith.") or not hasattr(owner.__init__, "__code__"):
        return None
    if pathlib.Path(owner.__init__.__code__.co_filename) not in SOURCES:
        return None  # that of a dataclass
    return ast.parse(textwrap.dedent(inspect.getsource(owner.__init__))).body[0]


@functools.cache
def _attributes_read():
    """Names of attributes that any line reads, and of those that `getattr(self, name)` reads by a text."""
    nodes = [node for tree in SOURCES.values() for node in ast.walk(tree)]
    read = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)}
    return read | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _unread(constructor, attributes):
    """Arguments of a constructor that nothing reads, other than a check or a store that nothing reads."""
    used, stored = set(), {}
    for statement in constructor.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            name = getattr(statement.value.func, "id", "")
            if name.startswith(("check_", "_check")):
                continue
        if (
            isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], ast.Attribute)
            and isinstance(statement.value, ast.Name)
        ):
            stored[statement.value.id] = statement.targets[0].attr
            continue
        used |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    names = [a.arg for a in [*constructor.args.args[1:], *constructor.args.kwonlyargs]]
    return [name for name in names if name not in used and stored.get(name) not in attributes]


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: f"{cls.__module__.split('.')[1]}-{cls.__name__}")
def test_every_argument_is_read(cls):
    constructor = _own_constructor(cls)
    if constructor is None:
        pytest.skip("constructor of Keras, of Python or of a dataclass")
    assert _unread(constructor, _attributes_read()) == []


def test_an_argument_without_effect_is_found():
    source = "def __init__(self, a, b, c):\n    check_number('a', a)\n    self.b = b\n    self.seen = c\n"
    assert _unread(ast.parse(source).body[0], {"seen"}) == ["a", "b"]
