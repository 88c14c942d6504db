"""A call of another library, as data."""

import ast
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Argument:
    """An argument of a call that was read.

    Attributes:
        name: its name there.
        text: its source text.
        given: whether it was written, rather than left at its default.
    """

    name: str
    text: str
    given: bool

    @functools.cached_property
    def literal(self) -> bool:
        """Whether the text is a number, a text, a list of such; also in `torch.tensor(...)` or `np.array(...)`."""
        return self._read is not None

    @property
    def value(self) -> Any:
        """The value of a literal."""
        if self._read is None:
            raise ValueError(f"{self.text!r} is no literal")
        return self._read[0]

    @functools.cached_property
    def _read(self) -> tuple[Any] | None:
        node = ast.parse(self.text, mode="eval").body
        if (
            isinstance(node, ast.Call)
            and len(node.args) == 1
            and ast.unparse(node.func).endswith(("tensor", "array", "Tensor"))
        ):
            node = node.args[0]
        try:
            return (ast.literal_eval(node),)
        except ValueError:
            return None


# Writes what an argument becomes into a `Line`.
Rule = Callable[[Any, Argument], None]


@dataclass(frozen=True)
class Call:
    """A callable of another library and how it is written here.

    Attributes:
        path: its full name, `monai.losses.DiceLoss`.
        parameters: its parameters with their defaults, as in a `def`.
        ours: our part, "losses.Dice", or several in braces, "{losses.CrossEntropy} + {losses.Dice}"; "" if there is none.
        rules: what becomes of each parameter; one without a rule has no counterpart.
        notes: what differs whatever the arguments are.
        column: the key of the result that is its number, where ours is a dict.
        finish: called last with the line and all arguments.
    """

    path: str
    parameters: str
    ours: str
    rules: Mapping[str, Rule] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    column: str | None = None
    finish: Callable[[Any, Mapping[str, Argument]], None] | None = None

    @functools.cached_property
    def defaults(self) -> dict[str, str | None]:
        """{parameter: text of its default, or None where it must be given}."""
        arguments = ast.parse(f"def f({self.parameters}): pass").body[0].args
        positional = [*arguments.posonlyargs, *arguments.args]
        missing = [None] * (len(positional) - len(arguments.defaults))
        pairs = [*zip(positional, [*missing, *arguments.defaults]), *zip(arguments.kwonlyargs, arguments.kw_defaults)]
        return {one.arg: None if default is None else ast.unparse(default) for one, default in pairs}
