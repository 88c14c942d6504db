"""A component together with the inputs it is checked on; each kind has its own with what "run it" means."""

import contextlib
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from kerasmith.checks.engine import registry
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.lazy_keras import ops, to_tensors
from kerasmith.checks.engine.spec import leaf_specs
from kerasmith.checks.engine.subject import SourceSubject, Subject

# The case of each kind; the rules of a kind bring it along.
CASES: dict[str | None, type["Case"]] = {}


class Case:
    """A subject, its inputs, and how to run it.

    Attributes:
        subject: the `Subject`.
        contract: its `Contract`.
        specs: {"y_true": Spec, ...}, nested as the component takes them; None until they are known.
        seed: of everything that is drawn.
        cache: what several checks need and one has found out.
        archetype: the name of the inputs that were found by trying, None if they were declared.
        declared: `like` as it was given, None where inputs are to be found (since 0.2).
    """

    kind: str | None = None
    archetypes: tuple[Any, ...] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        CASES[cls.kind] = cls

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        self.subject: Subject | SourceSubject = subject
        self.contract: Contract = contract
        self.seed: int = seed
        self.cache: dict[str, Any] = {}
        self.specs: Any = None
        self.archetype: str | None = None
        self.declared: Any = None

    def make(self, **changed: Any) -> Any:
        """A fresh component; see `Subject.make`."""
        return self.subject.make(**changed)

    def seed_of(self, name: str, draw: int = 0) -> int:
        """The seed of one input, so that `y_true` and `y_pred` are not the same draw."""
        return self.seed + 100 * draw + sorted(self.specs).index(name)

    def draw(self, draw: int = 0, batch: int | None = None) -> dict[str, Any]:
        """{"y_true": array, ...}: other values for each `draw`, `batch` samples instead of the declared number."""
        return {name: drawn(specs, self.seed_of(name, draw), batch) for name, specs in self.specs.items()}

    @property
    def inputs(self) -> dict[str, Any]:
        """The arrays of `draw(0)`, drawn anew each time: a component that writes into them harms nobody."""
        return self.draw()

    @property
    def batch(self) -> int:
        """The number of samples."""
        return leaf_specs(next(iter(self.specs.values())))[0].shape[0]

    def surroundings(self) -> AbstractContextManager[Any]:
        """A context in which every check runs; a kind whose components write files gives them a folder."""
        return contextlib.nullcontext()

    def around(self) -> AbstractContextManager[Any]:
        """A context around all checks together; a kind that is asked as it is, and no copy of it, is put back there."""
        return contextlib.nullcontext()

    def preferred(self) -> Iterable[Any]:
        """The archetypes in the order in which they are tried for this component."""
        return self.archetypes

    def outputs(self, component: Any) -> list[np.ndarray]:
        """[array]: the numbers that an observer sees of `component` on `inputs`. Used to compare two components.

        A fresh component is given; running it may change it.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `outputs`.")

    def try_inputs(self, specs: dict[str, Any]) -> None:
        """Runs a fresh component on inputs of these `specs`; raises whatever it raises, ValueError for an unusable output."""
        raise NotImplementedError(f"{type(self).__name__} must implement `try_inputs`.")

    def lines(self, *body: str, inputs: bool = True, draw: int = 0) -> str:
        """The lines of a reproducer that runs as it stands: imports, component, inputs, then `body`."""
        setup = self.subject.setup_lines()
        if inputs and self.specs is not None:
            setup += [f"{name} = {_code(specs, self.seed_of(name, draw))}" for name, specs in self.specs.items()]
        return "\n".join([*setup, *body])

    def describe(self) -> str:
        """The inputs as text: `y_true=int32[8]{0,4} y_pred=float32[8,5]simplex`."""
        return " ".join(f"{name}={_nested_text(specs)}" for name, specs in (self.specs or {}).items())

    def place_of(self, id: str) -> Any:
        """Where a finding of a check stands that does not say so, a `Place`; None for the place of the subject."""

    def tensors(self, draw: int = 0, batch: int | None = None) -> dict[str, Any]:
        """The inputs of `draw` as tensors of the backend."""
        return to_tensors(self.draw(draw, batch))

    def number(self, tensor: Any) -> np.ndarray:
        """A tensor as a NumPy array of float64 (integers and booleans too)."""
        return np.asarray(ops.convert_to_numpy(tensor), dtype="float64")


def case_of(subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> Case:
    """The `Case` of a subject's kind."""
    registry.load()
    return CASES[subject.kind](subject, contract, seed)


def _each(specs: Any, seed: int) -> list[tuple[Any, Any, int]]:
    """(key, part, seed) of a list or dict of specs: each leaf its own seed."""
    pairs = specs.items() if isinstance(specs, dict) else enumerate(specs)
    return [(key, part, seed + 10 * index) for index, (key, part) in enumerate(pairs)]


def drawn(specs: Any, seed: int, batch: int | None = None) -> Any:
    """Arrays in place of `Spec`s, each leaf of a list or dict with a seed of its own."""
    if isinstance(specs, dict):
        return {key: drawn(part, own, batch) for key, part, own in _each(specs, seed)}
    if isinstance(specs, list):
        return [drawn(part, own, batch) for _, part, own in _each(specs, seed)]
    return (specs if batch is None else specs.with_batch(batch)).draw(seed)


def _code(specs: Any, seed: int) -> str:
    if isinstance(specs, dict):
        return "{" + ", ".join(f"{key!r}: {_code(part, own)}" for key, part, own in _each(specs, seed)) + "}"
    if isinstance(specs, list):
        return "[" + ", ".join(_code(part, own) for _, part, own in _each(specs, seed)) + "]"
    return specs.code(seed)


def _nested_text(specs: Any) -> str:
    if isinstance(specs, dict):
        return "{" + ", ".join(f"{key}: {_nested_text(value)}" for key, value in specs.items()) + "}"
    if isinstance(specs, list):
        return "[" + ", ".join(_nested_text(value) for value in specs) + "]"
    return str(specs)
