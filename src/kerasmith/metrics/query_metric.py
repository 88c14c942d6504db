"""The core of the metrics on queries: candidates of each query, ranked by their scores, and graded relevance."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import AdditiveMetric, Weights
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.base.configured import snake_case
from kerasmith.base.label_message import warn_of_wrong_labels
from kerasmith.distribution import replica_count
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.labels.label_domain import LabelDomain, last_exact, whole_id_domain
from kerasmith.labels.label_watch import running_watch
from kerasmith.numerics import safe
from kerasmith.numerics.ranked_candidates import LAST_QUERY, Ranking, as_candidates, over_runs, ranked
from kerasmith.numerics.tensors import compatible, is_float, repeat_each, static_shape

_ROWS = ("query", "score", "relevance", "weight")


class QueryMetric(AdditiveMetric):
    """Base of metrics on queries that have candidates of their own. A subclass implements `score_queries`.

    Labels and predictions come in one of two forms, told apart by their shapes:

    - a list for each query: y_true (B, L) relevance and y_pred (B, L) scores of its L candidates; relevance below 0 pads.
    - query ids: y_true (B, 2), the id of the query and the relevance of each candidate, and y_pred (B, 1) or (B,), its score.
      The candidates of a query may lie in different batches, so all of them are kept, in a state of `capacity` rows.

    Args:
        k: only the k highest scores count; None for all.
        capacity: with query ids, how many candidates the state holds: the size of the evaluated data set. 16 bytes each.
        absent: a query without a relevant candidate: "skip": it is left out of the mean; "zero": it counts as 0.
        name, dtype: see `kerasmith.base.Metric`; the name is the class's, with `_<k>`.
    """

    directions: dict[str, str | None] = {"cases": None}
    # The candidates of a process lie in rows that another one fills as well.
    sums_over_replicas: bool = False

    def __init__(
        self,
        k: int | None = None,
        *,
        capacity: int = 10_000,
        absent: str = "skip",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        if k is not None:
            check_integer("k", k, minimum=1)
        check_integer("capacity", capacity, minimum=2)
        check_choice("absent", absent, ("skip", "zero"))
        super().__init__(name=name or snake_case(type(self).__name__) + ("" if k is None else f"_{k}"), dtype=dtype)
        self.k = k
        self.capacity = capacity
        self.absent = absent
        self._domains: tuple[LabelDomain, ...] = ()
        self._rows = None

    def score_queries(self, ranking: Ranking) -> tuple[Tensor, Tensor]:
        """The score of each query, (N,), and whether it has a relevant candidate."""
        raise NotImplementedError(f"{type(self).__name__} must implement `score_queries`.")

    def element_shape(self, y_true: Tensor, y_pred: Tensor) -> tuple[int | None, ...]:
        shape = static_shape(y_pred, "y_pred")
        return shape[:1] if _has_ids(y_true, y_pred) else shape

    def statistics(self, y_true: Tensor, y_pred: Tensor, weights: Weights) -> dict[str, Tensor]:
        """Score of each list and whether it counts."""
        if _has_ids(y_true, y_pred):
            raise ValueError(
                f"{type(self).__name__} with query ids keeps all candidates and has no statistics of single samples. "
                "Give a list of candidates for each query, (B, L), to `Bootstrap` it."
            )
        batch, length = ops.shape(y_pred)[:2]
        exists = ops.cast(y_true >= 0, "float32")
        exists = ops.where(y_true != y_true, 1.0, exists)  # an unknown relevance is not padding: it shows
        for weight in (weights.pixel, weights.valid_pixel):
            if weight is not None:
                exists = exists * ops.cast(weight > 0, "float32")
        query = repeat_each(ops.arange(batch, dtype="int32"), length)
        flat = [query, *(ops.reshape(ops.cast(x, "float32"), (-1,)) for x in (y_pred, y_true, exists))]
        value, _, counts = self._values(*flat)
        return {"value": (value * counts)[:batch], "cases": counts[:batch]}

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Adds a batch: lists (B, L), or ids and relevance (B, 2) with scores (B, 1)."""
        given = y_true
        y_true, y_pred, weights = self.sorted_inputs(y_true, y_pred, sample_weight)
        if not _has_ids(y_true, y_pred):
            self._check_form(self._rows is None, "lists of candidates", "query ids")
            self.add_statistics(self.statistics(y_true, y_pred, weights), weights.effective_sample)
            return
        self._check_form(not self._totals, "query ids", "lists of candidates")
        if replica_count() > 1:
            raise RuntimeError(
                f"{type(self).__name__} with query ids ranks all candidates of a data set and cannot be split over replicas. "
                f"Received: {replica_count()} replicas. Evaluate on one device, or give a list of candidates for each query."
            )
        query, known, relevance = _read_ids(given, y_true)
        watch = running_watch()
        bad = watch.bad()  # weights that a compiled step could not refuse
        self._domains = (*watch.domains, whole_id_domain("Query ids"))
        known = known if bad is None else ops.logical_and(known, ops.logical_not(bad))
        self._add_rows(query, known, relevance, ops.reshape(y_pred, (-1,)), weights.effective_sample)

    def _check_form(self, right, this, other):
        if not right:
            raise ValueError(f"{self.name} has received {other} so far. Received: {this}. Use one metric for each form.")

    def _add_rows(self, query, known, relevance, score, weight):
        if self._rows is None:
            self._rows = tuple(
                self.add_variable((self.capacity,), initializer="zeros", dtype=kind, name=name)
                for name, kind in zip(_ROWS, ("int32", "float32", "float32", "float32"))
            )
            # Rows in use, and rows whose id could not be kept.
            self._seen = self.add_variable((2,), initializer="zeros", dtype="int32", name="seen")
        score, relevance = (ops.stop_gradient(ops.cast(x, "float32")) for x in (score, relevance))
        weight = ops.ones_like(score) if weight is None else weight * ops.ones_like(score)
        weight = ops.where(relevance < 0, 0.0, weight)
        exists = weight > 0
        score, relevance = (ops.where(exists, x, 0.0) for x in (score, relevance))
        lost = ops.sum(ops.cast(ops.logical_and(weight != 0, ops.logical_not(known)), "int32"))
        seen = ops.convert_to_tensor(self._seen)
        added = ops.stack([ops.cast(ops.shape(score)[0], "int32"), lost])
        if is_concrete(seen) and is_concrete(added):
            self._check_capacity(int(seen[0]) + int(added[0]))
        offset = ops.arange(self.capacity, dtype="int32") - seen[0]
        new = ops.logical_and(offset >= 0, offset < added[0])
        source = ops.where(new, offset, added[0])
        for variable, rows in zip(self._rows, (query, score, relevance, weight)):
            padded = ops.concatenate([rows, ops.zeros((1,), rows.dtype)], axis=0)
            variable.assign(ops.where(new, ops.take(padded, source), ops.convert_to_tensor(variable)))
        self._seen.assign(seen + added)

    def _check_capacity(self, seen):
        if seen > self.capacity:
            raise ValueError(
                f"{self.name} has room for {self.capacity} candidates and received {seen}. "
                f"Write `{type(self).__name__}(..., capacity={seen})` or more: the size of the evaluated data set."
            )

    def _values(self, query, score, relevance, weight):
        """By query, (N,): its score, the mean weight of its candidates, and 1 if it is in the mean."""
        ranking = ranked(as_candidates(query, score, relevance, weight))
        value, has_relevant = self.score_queries(ranking)
        exists = ops.cast(ranking.candidates.exists, "float32")
        size = over_runs(exists, ranking.place)
        spoiled = over_runs(ranking.candidates.unknown * exists, ranking.place) > 0
        counts = size > 0 if self.absent == "zero" else ops.logical_and(size > 0, ops.logical_or(has_relevant, spoiled))
        value = ops.where(spoiled, math.nan, value)
        weight = safe.ratio(over_runs(ranking.candidates.weight, ranking.place), size, when_empty=0.0)
        return ops.where(counts, value, 0.0), weight, ops.cast(counts, "float32")

    def combine(self, totals: dict[str, Tensor]) -> dict[str, Tensor]:
        """A dict of the mean over queries and their number."""
        if not totals:
            return {self.name: ops.convert_to_tensor(math.nan), self.key("cases"): ops.zeros(())}
        mean = safe.ratio(totals["value"], totals["cases"], when_empty=math.nan)
        return {self.name: mean, self.key("cases"): totals["cases"]}

    def result(self) -> dict[str, Tensor]:
        """A dict of scalars."""
        if self._rows is None:
            return super().result()
        seen = ops.convert_to_tensor(self._seen)
        if is_concrete(seen[0]):  # asked of `seen`, TensorFlow would say yes in a graph: it is a variable
            self._check_capacity(int(seen[0]))
        value, weight, counts = self._values(*(ops.convert_to_tensor(x) for x in self._rows))
        weight = weight * counts
        mean = safe.ratio(ops.sum(weight * value), ops.sum(weight), when_empty=math.nan)
        right = ops.logical_and(seen[0] <= self.capacity, seen[1] == 0)
        if self._domains and is_concrete(seen[1]) and int(seen[1]):
            warn_of_wrong_labels(self.name, self._domains)
        return self.cast_result({self.name: ops.where(right, mean, math.nan), self.key("cases"): ops.sum(counts)})


def _has_ids(y_true: Tensor, y_pred: Tensor) -> bool:
    """Whether a batch comes with query ids; raises ValueError if it has neither form."""
    shape_true, shape_pred = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if len(shape_true) == 2 and shape_true[1] == 2 and (len(shape_pred) == 1 or shape_pred[1:] == (1,)):
        if compatible(shape_true[:1], shape_pred[:1]):
            return True
    elif len(shape_pred) == 2 and shape_pred[1] != 1 and compatible(shape_true, shape_pred):
        return False
    raise ValueError(
        "Expected a list of candidates for each query, y_true and y_pred of one shape (B, L), or y_true (B, 2), the id of the "
        "query and the relevance of each candidate, with y_pred (B, 1). Received: y_true of shape "
        f"{shape_true} and y_pred of shape {shape_pred}. Write `np.stack([query, relevance], axis=-1)` for y_true."
    )


def _read_ids(given: Any, y_true: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query ids (B,) int32, whether each could be kept as it is, and relevance (B,)."""
    ids, relevance = y_true[:, 0], y_true[:, 1]
    bound = int(min(last_exact(keras.backend.standardize_dtype(ids.dtype)) + 1, LAST_QUERY))
    known = ops.logical_and(ids <= bound - 1, ids >= -bound)
    if is_float(ids):
        known = ops.logical_and(known, ops.equal(ids, ops.floor(ids)))
    # Of an array, what it held before a backend without int64 has narrowed it.
    whole = isinstance(given, np.ndarray) and given.dtype.kind in "iu"
    narrowed = whole and given.size and np.abs(given[:, 0].astype("float64")).max() >= bound
    if narrowed or (is_concrete(known) and not bool(ops.all(known))):
        raise ValueError(
            f"Query ids in an array of {given.dtype if whole else ids.dtype} must be whole numbers below {bound}, or some "
            "would be mixed up. Number the queries, `np.unique(query, return_inverse=True)[1]`, in an array of integers."
        )
    return ops.cast(ops.where(known, ids, ops.zeros_like(ids)), "int32"), known, relevance
