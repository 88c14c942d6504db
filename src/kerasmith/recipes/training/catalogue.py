"""The losses, metrics, schedules and callbacks that a configuration can name, and their arguments.

Read from the source of the packages: importing them would load Keras, which a plan does without.
"""

import ast
import dataclasses
import functools
import importlib.util
import re
from pathlib import Path

OF_MASKS = "from_logits"
"""The argument of a loss or metric that reads masks and the logits of a network."""

ALIASES: dict[str, dict[str, str]] = {
    "losses": {"ce": "cross_entropy", "bce": "cross_entropy", "cldice": "centerline_dice"},
    "metrics": {"dice": "dice_score", "confusion": "confusion_matrix"},
    "schedules": {"cosine": "cosine_restarts"},
    "callbacks": {},
}


@dataclasses.dataclass(frozen=True)
class Part:
    """A class of kerasmith.

    Attributes:
        name: as a configuration writes it: `dice_score`.
        class_name: `DiceScore`.
        package: "losses", "metrics", "schedules" or "callbacks".
        arguments: {name: whether it has to be given}, those of the base classes behind its own.
        positional: names of the arguments that may come without a name, in order.
        bases: names of all base classes.
    """

    name: str
    class_name: str
    package: str
    arguments: dict[str, bool]
    positional: tuple[str, ...]
    bases: frozenset[str]


def names(package: str) -> tuple[str, ...]:
    """All names of a package, without aliases, in order.

    >>> "dice" in names("losses"), "dice_score" in names("metrics"), "DiceScore" in names("metrics")
    (True, True, False)
    """
    return tuple(sorted(_classes(package)))


def part(package: str, name: str) -> Part | None:
    """The part of that name or alias, None if there is none.

    >>> part("losses", "ce").class_name
    'CrossEntropy'
    """
    name = ALIASES[package].get(name, name)
    result = _classes(package).get(name)
    if result is None:
        return None
    arguments, positional, bases = _constructor(*result)
    return Part(name, result[1], package, arguments, positional, bases)


def snake(name: str) -> str:
    """The name of a class in small letters.

    >>> [snake(name) for name in ("DiceScore", "IoU", "AUC", "MSSSIM", "NTXent", "ReduceOnPlateau", "FindLR", "DiceIoU")]
    ['dice_score', 'iou', 'auc', 'ms_ssim', 'nt_xent', 'reduce_on_plateau', 'find_lr', 'dice_iou']
    """
    for whole, text in (("IoU", "Iou"), ("MSSSIM", "MsSsim"), ("NTXent", "NtXent")):
        name = name.replace(whole, text)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@functools.cache
def _classes(package: str) -> dict[str, tuple[str, str]]:
    """{name: (module, class)} of what a package exports; of losses only those with a function, the others are bases."""
    exported = _imports(f"kerasmith.{package}")
    classes = {snake(name): (module, origin) for name, (module, origin) in exported.items() if name[:1].isupper()}
    if package == "losses":
        return {name: where for name, where in classes.items() if name in exported}
    return classes


@functools.cache
def _constructor(module: str, class_name: str) -> tuple[dict[str, bool], tuple[str, ...], frozenset[str]]:
    """({argument: required}, positional arguments, base classes)."""
    result = _definition(module, class_name)
    if result is None:
        return {}, (), frozenset()
    where, definition = result
    parents = [_resolved(where, base.id) for base in definition.bases if isinstance(base, ast.Name)]
    inherited = [(name, _constructor(place, name)) for place, name in filter(None, parents)]
    bases = frozenset(name for name, _ in inherited).union(*(parent[2] for _, parent in inherited))
    own = next((one for one in definition.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    if own is None:
        first = next((parent for _, parent in inherited if parent[0]), ({}, (), frozenset()))
        return first[0], first[1], bases
    names = [one.arg for one in own.args.args[1:]]
    needed = len(names) - len(own.args.defaults)
    arguments = {name: i < needed for i, name in enumerate(names)}
    arguments |= {one.arg: default is None for one, default in zip(own.args.kwonlyargs, own.args.kw_defaults, strict=True)}
    if own.args.kwarg is not None:
        for _, parent in inherited:
            # What a base class needs, a class with arguments of its own has given it.
            more = parent[0] if not arguments else {name: False for name in parent[0] if name not in arguments}
            arguments = {**arguments, **more}
    return arguments, tuple(names), bases


def _definition(module: str, name: str) -> tuple[str, ast.ClassDef] | None:
    for statement in _tree(module).body:
        if isinstance(statement, ast.ClassDef) and statement.name == name:
            return module, statement
    again = _imports(module).get(name)
    return None if again is None else _definition(*again)


def _resolved(module: str, name: str) -> tuple[str, str] | None:
    """(module, name) where a base class is defined; None outside of kerasmith."""
    if any(isinstance(one, ast.ClassDef) and one.name == name for one in _tree(module).body):
        return module, name
    return _imports(module).get(name)


@functools.cache
def _imports(module: str) -> dict[str, tuple[str, str]]:
    """{name: (module, name there)} of the imports from kerasmith."""
    return {
        alias.asname or alias.name: (statement.module, alias.name)
        for statement in _tree(module).body
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("kerasmith.")
        for alias in statement.names
    }


@functools.cache
def _tree(module: str) -> ast.Module:
    root = Path(importlib.util.find_spec("kerasmith").origin).parent
    path = root.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))
