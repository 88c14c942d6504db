"""Equations and conditions, and a small network that is asked with them."""

import contextlib
import functools
from typing import Any

import numpy as np

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.engine.subject import SourceSubject, Subject
from kerasmith.checks.engine.target import parts_of_problem
from kerasmith.checks.harness import fields

BATCH = 64
# Where equations and conditions are computed; what matters for none of these networks matters for none.
NETWORKS = 3


class ProblemCase(Case):
    """See `Case`. Nothing is given to it: equations and conditions bring their points.

    Attributes:
        equations, conditions: the terms.
        names: of the coordinates, () where nothing says them.
        domains: those that points were drawn from, of the equations if they know one.
    """

    kind: str | None = "problem"

    def __init__(self, subject: Subject | SourceSubject, contract: Contract, seed: int = 7) -> None:
        super().__init__(subject, contract, seed)
        self.equations: list[Any]
        self.conditions: list[Any]
        self.equations, self.conditions = parts_of_problem(subject.component)
        terms = [*self.equations, *self.conditions]
        self.names: tuple[str, ...] = next((tuple(term.names) for term in terms if term.names is not None), ())
        of_equations = [term.domain for term in self.equations if term.domain is not None]
        self.domains: list[Any] = of_equations or [term.domain for term in self.conditions if term.domain is not None]

    @property
    def is_whole(self) -> bool:
        """Whether it is an objective of equations and conditions alone, so that points are all that it needs."""
        terms = getattr(self.objective, "terms", None)
        return terms is None or len(terms) == len(self.equations) + len(self.conditions)

    @property
    def objective(self) -> Any:
        """The objective, or the condition alone."""
        return getattr(self.subject.component, "objective", self.subject.component)

    @property
    def is_alone(self) -> bool:
        """Whether it is a condition without an objective."""
        return not hasattr(self.objective, "quantities")

    def lines(self, *body: str, inputs: bool = True, draw: int = 0) -> str:
        # What shows a fault of an equation stands on its own.
        return "\n".join(body) if body and body[0].startswith("import os;") else super().lines(*body, inputs=inputs, draw=draw)

    def text_of(self, term: Any) -> str:
        """How a reproducer reaches a term."""
        if self.is_alone:
            return "problem"
        holder = "problem" if self.objective is self.subject.component else "problem.objective"
        return f"{holder}.terms[{[one is term for one in self.objective.terms].index(True)}]"

    @functools.cached_property
    def answers(self) -> list[dict[str, float]]:
        """{term: number} for each of some networks."""
        return [self._answer(seed) for seed in range(NETWORKS)]

    def _answer(self, seed):
        if self.is_alone:
            objective = keras.saving.get_registered_object("kerasmith>Objective")([self._fresh(self.objective)])
        else:
            objective = self._fresh(self.objective)
        attached = objective.attach(self._network(seed), "sgd", run_eagerly=True)
        labels = np.random.default_rng(3).uniform(0.5, 1.5, (BATCH, 1)).astype("float32")
        found = attached.evaluate(self._batch, labels, batch_size=BATCH, verbose=0, return_dict=True)
        return {name: float(value) for name, value in found.items()}

    @staticmethod
    def _fresh(part):
        return type(part).from_config(part.get_config())

    @functools.cached_property
    def _axes(self):
        known = [term.points.shape[1] for term in (*self.conditions, *self.equations) if term.points is not None]
        return (known or [len(self.names) or len(self._recorded[0]) or 2])[0]

    @functools.cached_property
    def _recorded(self):
        """(coordinates, named outputs, outputs by position) that the equations ask for."""
        coordinates, named, positions = [], [], 1
        for equation in self.equations:
            recorder = fields.Recorder(BATCH, equation.names or "xt")
            unknowns = {name: ops.ones((BATCH,)) for name in equation.takes}
            with contextlib.suppress(Exception):  # what was asked until then is known
                equation.pde(recorder, **unknowns, **equation.fixed)
            coordinates += recorder.coordinates
            named += recorder.named
            positions = max(positions, recorder.positions)
        return list(dict.fromkeys(coordinates)), list(dict.fromkeys(named)), positions

    @functools.cached_property
    def _batch(self):
        """Points in the box around all points that are known."""
        known = [term.points for term in (*self.conditions, *self.equations) if term.points is not None]
        low, high = np.zeros(self._axes), np.ones(self._axes)
        if known:
            together = np.concatenate(known)
            low, high = together.min(axis=0), together.max(axis=0)
        high = np.where(high > low, high, low + 1)
        return np.random.default_rng(2).uniform(low, high, (BATCH, self._axes)).astype("float32")

    def _network(self, seed):
        """A network with the outputs that are asked for: columns of one tensor, or a dict where nothing orders their names."""
        terms = [*self.equations, *self.conditions]
        _, named, positions = self._recorded
        asked = [condition.output for condition in self.conditions if condition.output is not None]
        listed = next((term.outputs for term in terms if term.outputs is not None), None)
        if listed is None:
            named = list(dict.fromkeys([*named, *(name for name in asked if isinstance(name, str))]))
        positions = max([positions, *(position + 1 for position in asked if isinstance(position, int))])
        count = len(listed) if listed is not None else len(named) or positions
        drawn = fields.random_weights(self._axes, count, seed)
        inputs = keras.Input((self._axes,))
        hidden = keras.layers.Dense(fields.HIDDEN, activation="tanh")
        features = hidden(inputs)
        hidden.set_weights([drawn.w, drawn.b])
        columns = []
        groups = [[k] for k in range(count)] if listed is None and named else [list(range(count))]
        for group in groups:
            head = keras.layers.Dense(len(group))
            columns.append(head(features))
            head.set_weights([drawn.a[:, group], np.full(len(group), fields.SHIFT, "float32")])
        outputs = dict(zip(named, columns, strict=True)) if listed is None and named else columns[0]
        return keras.Model(inputs, outputs)
