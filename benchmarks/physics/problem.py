"""What a problem is: an equation, conditions, points and the solution, without a library."""

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Given(NamedTuple):
    """Values, or values of a derivative, that are known at points.

    Attributes:
        name: of the term.
        points: (N, D).
        values: (N,).
        output: name of the output.
        derivative: as in `f.d("t")`, or None.
    """

    name: str
    points: np.ndarray
    values: np.ndarray
    output: str
    derivative: str | None = None


@dataclasses.dataclass(frozen=True)
class Problem:
    """A boundary value problem, or an inverse one.

    Attributes:
        names: of the axes.
        outputs: of the unknown functions.
        pde: a function of a field, with `f.d("xx")` and the like, and of the unknown coefficients; returns what has to be 0,
            or a list.
        points: (N, D) where the equation is asked.
        conditions: what is known besides.
        exact: (M, D) -> (M, outputs), the solution.
        test: (M, D) where it is compared.
        unknowns: {name: (first value, true value)}.
        hidden: widths of the layers, tanh.
        outputs_compared: how many outputs are compared; a pressure is fixed up to a number only.
        seed: of the first weights.
    """

    names: str
    outputs: tuple[str, ...]
    pde: Callable[..., Any]
    points: np.ndarray
    conditions: tuple[Given, ...]
    exact: Callable[[np.ndarray], np.ndarray]
    test: np.ndarray
    unknowns: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    hidden: tuple[int, ...] = (20, 20, 20)
    outputs_compared: int | None = None
    seed: int = 0

    def error(self, predicted: np.ndarray) -> float:
        """The relative L2 error of a prediction at the points of `test`."""
        exact = np.asarray(self.exact(self.test), "float64").reshape(len(self.test), -1)
        there = slice(0, self.outputs_compared)
        predicted = np.asarray(predicted, "float64").reshape(exact.shape)
        return float(np.linalg.norm((predicted - exact)[:, there]) / np.linalg.norm(exact[:, there]))

    def first_weights(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(kernel, bias) of each layer, Glorot uniform: the same for every library."""
        rng = np.random.default_rng(self.seed)
        widths = (len(self.names), *self.hidden, len(self.outputs))
        found = []
        for inside, out in itertools.pairwise(widths):
            limit = np.sqrt(6 / (inside + out))
            found.append((rng.uniform(-limit, limit, (inside, out)).astype("float32"), np.zeros(out, "float32")))
        return found
