"""Reads a call that somebody typed. It is parsed, never run."""

import ast

from kerasmith.migration.call import Argument, Call


def read(text: str) -> tuple[str, list[str], dict[str, str]]:
    """(dotted name, texts of positional arguments, texts of keywords) of a call, or of a name alone.

    Raises:
        ValueError: if it is no call of a name.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(
            f"{text!r} is not Python: {error.msg}. Write a call, such as `monai.losses.DiceLoss(sigmoid=True)`."
        ) from None
    call = node if isinstance(node, ast.Call) else None
    name = node.func if call is not None else node
    if not _is_dotted(name):
        raise ValueError(f"{text!r} is no call of a name. Write one such as `monai.losses.DiceLoss(sigmoid=True)`.")
    if call is None:
        return ast.unparse(name), [], {}
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        raise ValueError(f"Arguments in {text!r} are unpacked (* or **), so that they cannot be read. Write each of them.")
    return (
        ast.unparse(name),
        [ast.unparse(one) for one in call.args],
        {one.arg: ast.unparse(one.value) for one in call.keywords if one.arg},
    )


def bind(call: Call, positional: list[str], keywords: dict[str, str]) -> dict[str, Argument]:
    """{parameter: Argument} of all parameters.

    Raises:
        ValueError: for an argument that the callable does not have, has twice, or misses.
    """
    names = list(call.defaults)
    if len(positional) > len(names):
        raise ValueError(f"{call.path} has {len(names)} parameters. Received: {len(positional)} without a name")
    given = dict(zip(names, positional))
    for name, text in keywords.items():
        if name not in call.defaults:
            raise ValueError(f"{call.path} has no argument `{name}`. It has: {', '.join(names) or 'none'}")
        if name in given:
            raise ValueError(f"{call.path} has `{name}` twice: {given[name]} and {text}")
        given[name] = text
    arguments = {}
    for name, default in call.defaults.items():
        if name not in given and default is None:
            raise ValueError(f"{call.path} needs `{name}`. It has: {', '.join(names)}")
        arguments[name] = Argument(name, given.get(name, default or ""), name in given)
    return arguments


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
