"""Draws the points of an equation anew where its residual is large."""

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np

from kerasmith._types import Contract, Logs
from kerasmith.base.arguments import check_integer, check_number
from kerasmith.callbacks.copies import Copyable
from kerasmith.data.index_permutation import key_of
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call
from kerasmith.physics import Domain, PointBatches
from kerasmith.physics.residual_values import residual_terms, residual_values


class RefinePoints(Copyable, keras.callbacks.Callback):
    """Draws the training points anew every few epochs, more of them where the residual is large (since 0.2).

    p(x) ~ |r(x)|^k / mean(|r|^k) + c

    At the end of such an epoch the residual r is computed at `candidates` uniform points of the domain, and as many of them as
    there are training points are drawn without replacement with these probabilities. All points are replaced. r(x)^2 is the
    sum of the squared residuals of the model's equations, each times its present weight; conditions keep their own points.

    `fit` must train on a `physics.PointBatches`. The points are saved and resumed with the data by `callbacks.Resume`.

    Args:
        every: epochs from one drawing to the next.
        start: epochs before the first drawing; `every` by default.
        k: >= 0; larger ones draw little but the largest residuals, 0 draws uniformly.
        c: >= 0; the part that is drawn uniformly: c of 1 + c.
        candidates: number of points whose residuals are compared; ten times the training points by default, at least 1000.
        domain: where they are drawn; the domain that the training points were drawn from by default.
        batch_size: candidates at a time.
        seed: whole number >= 0.

    Residuals that are NaN or infinite count as the largest finite one, with a warning; if all are, the points stay.

    Attributes:
        drawn: how many times the points were drawn.

    Raises:
        TypeError: when training begins, for other data than `PointBatches`.
        ValueError: when training begins, for a model without a `Residual`; for a domain with other axes than the points, or
            none; for training points outside of it.

    Example:

    >>> from kerasmith import Model, Objective
    >>> from kerasmith.physics import Box, Residual
    >>> def advection(f):
    ...     return f.d("t") + f.d("x")
    >>> data = PointBatches(Box([0, 0], [1, 1], names="xt").uniform(32))
    >>> inputs = keras.Input((2,))
    >>> model = Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(4, activation="tanh")(inputs)))
    >>> model.compile("adam", Objective([Residual(advection)]))
    >>> before, refine = data.points, RefinePoints(every=2)
    >>> _ = model.fit(data, epochs=4, verbose=0, callbacks=[refine])
    >>> refine.drawn, bool((data.points.x != before.x).any())
    (2, True)

    Reference: Wu, Zhu, Tan, Kartha and Lu, "A comprehensive study of non-adaptive and residual-based adaptive sampling for
    physics-informed neural networks", 2023 (RAD).
    """

    of_one_fit: ClassVar[dict[str, Callable[[], Any]]] = {"_data": lambda: None, "_domain": lambda: None}
    shared: ClassVar[tuple[str, ...]] = ("domain",)

    every: int
    start: int
    k: float
    c: float
    candidates: int | None
    domain: Domain | None
    batch_size: int
    seed: int
    drawn: int

    kerasmith_contract: Contract = {"observer": False}

    def __init__(
        self,
        every: int = 100,
        *,
        start: int | None = None,
        k: float = 1.0,
        c: float = 1.0,
        candidates: int | None = None,
        domain: Any = None,
        batch_size: int = 4096,
        seed: int = 0,
    ) -> None:
        check_integer("every", every, minimum=1)
        check_integer("start", every if start is None else start, minimum=1)
        check_number("k", k, minimum=0)
        check_number("c", c, minimum=0)
        check_integer("candidates", 1 if candidates is None else candidates, minimum=1)
        check_integer("batch_size", batch_size, minimum=1)
        check_integer("seed", seed, minimum=0)
        if domain is not None and not isinstance(domain, Domain):
            raise TypeError(
                "`domain` must be a kerasmith.physics domain, such as Box([0, 0], [1, 1]). "
                f"Received: domain={domain!r} of type {type(domain).__name__}"
            )
        super().__init__()
        self.every, self.start, self.k, self.c = every, start or every, k, c
        self.candidates, self.domain, self.batch_size, self.seed = candidates, domain, batch_size, seed
        self.drawn = 0
        self._data, self._domain = None, None

    def on_train_begin(self, logs: Logs = None) -> None:
        call = fit_call.find()
        data = None if call is None else call.x
        if not isinstance(data, PointBatches):
            raise TypeError(
                "RefinePoints puts new points into the data that `fit` trains on, a kerasmith.physics.PointBatches: "
                f"`data = PointBatches(points, batch_size=...)`, `model.fit(data)`. Received: {type(data).__name__}"
            )
        domain = self.domain if self.domain is not None else data.points.domain
        if domain is None:
            raise ValueError(
                "RefinePoints needs to know where points may be drawn. Write RefinePoints(..., domain=Box(low, high)), or "
                "train on points that a domain has drawn, as Box(low, high).uniform(1000)."
            )
        domain.points(data.points)  # refuses other axes, and points outside
        if self.candidates is not None and self.candidates < len(data.points):
            raise ValueError(
                f"`candidates` must be at least the number of training points, {len(data.points)}. "
                f"Received: candidates={self.candidates}"
            )
        residual_terms(self.model)
        self._data, self._domain = data, domain

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        done = epoch + 1 - self.start
        if done >= 0 and done % self.every == 0:
            self.refine()

    def refine(self) -> None:
        """Draws the points anew, within `fit`."""
        count = len(self._data.points)
        candidates = self._domain.uniform(self.candidates or max(10 * count, 1000), key_of(self.seed, "points", self.drawn))
        residuals = residual_values(self.model, candidates.x, self.batch_size)
        self.drawn += 1
        finite = np.isfinite(residuals)
        if not finite.any():
            warn("RefinePoints: no candidate has a finite residual; the points stay as they are.", stacklevel=2)
            return
        if not finite.all():
            worst = int(np.argmin(finite))
            warn(
                f"RefinePoints: {np.sum(~finite)} of {len(finite)} residuals are not finite, the first that at "
                f"{candidates.x[worst].tolist()}. They count as the largest finite one.",
                stacklevel=2,
            )
            residuals = np.where(finite, residuals, residuals[finite].max())
        rng = np.random.default_rng(key_of(self.seed, "choice", self.drawn))
        self._data.set_points(candidates[np.sort(drawn_by(refinement_weights(residuals, self.k, self.c), count, rng))])

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on; the points themselves come back with the data."""
        return {"drawn": self.drawn}

    def load_state_dict(self, state: Any) -> None:
        """Goes on where the callback was that gave `state`."""
        self.drawn = int(state["drawn"])


def refinement_weights(residuals: np.ndarray, k: float, c: float) -> np.ndarray:
    """|r|^k / mean(|r|^k) + c of each point; equal ones where all residuals are 0.

    Example:

    >>> refinement_weights(np.array([0.0, 1.0, 3.0, 0.0]), k=1, c=1).tolist()
    [1.0, 2.0, 4.0, 1.0]
    """
    largest = np.abs(residuals).max()
    if largest == 0:
        return np.ones(len(residuals))
    powers = (np.abs(residuals) / largest) ** k
    return powers / powers.mean() + c


def drawn_by(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of `count` points drawn one after another, each in proportion to the weights of those that are left.

    Points of weight 0 come last.

    Reference: Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006.
    """
    with np.errstate(divide="ignore"):
        keys = rng.exponential(size=len(weights)) / weights
    return np.argsort(keys, kind="stable")[:count]
