"""The syntax trees of a class and of its bases, as far as they are not Keras' own."""

import ast
import functools
import inspect
import textwrap

# Bases from here are nobody's to repair.
_LIBRARIES = ("keras", "builtins", "abc", "tensorflow", "torch", "jax", "flax", "numpy")


@functools.lru_cache(maxsize=64)
def class_trees(cls) -> list[tuple[type, ast.ClassDef]]:
    """[(class, ast.ClassDef)] along the order of inheritance; classes without readable source are left out."""
    found = []
    for owner in cls.__mro__:
        if owner.__module__.partition(".")[0] in _LIBRARIES:
            continue
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
        except (OSError, TypeError, SyntaxError):
            continue
        if isinstance(tree.body[0], ast.ClassDef):
            found.append((owner, tree.body[0]))
    return found


def method(tree: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """The `ast.FunctionDef` of a method, None if the class does not define it."""
    return next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name), None)
