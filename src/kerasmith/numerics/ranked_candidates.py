"""Ranks of candidates within their queries, and the scores of ranked lists that are made of them.

Rows are candidates of many queries, one behind the other. Sums are taken over runs of sorted rows, so that queries may have
different numbers of candidates, and work is that of sorting.
"""

import math
from typing import Any, NamedTuple

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.numerics import safe

LAST_QUERY = 2**31 - 1  # an id that no query has


class Candidates(NamedTuple):
    """One row for each candidate, (N,) each.

    Attributes:
        query: int32 ids.
        score: float32; the highest is ranked first.
        relevance: float32, >= 0; above 0 is relevant.
        weight: float32; 0 is a row that does not exist.
        unknown: float32, 1 where score or relevance was NaN, which has no place in an order and stands as 0.
    """

    query: Any
    score: Any
    relevance: Any
    weight: Any
    unknown: Any

    @property
    def exists(self) -> Tensor:
        return self.weight > 0


def as_candidates(query: Tensor, score: Tensor, relevance: Tensor, weight: Tensor) -> Candidates:
    """`Candidates` of rows (N,), and one row more that does not exist, behind all others: no array is empty."""
    unknown = ops.logical_or(score != score, relevance != relevance)
    score, relevance = (ops.where(unknown, 0.0, x) for x in (score, relevance))
    rows = Candidates(query, score, relevance, weight, ops.cast(unknown, "float32"))
    return Candidates(
        *(ops.concatenate([x, ops.ones((1,), x.dtype) * end], axis=0) for x, end in zip(rows, (LAST_QUERY, 0, 0, 0, 0)))
    )


class Ranking(NamedTuple):
    """Sorted candidates, (N,) each.

    Attributes:
        candidates: `Candidates`, by query and falling score.
        place: int32 number of the query, from 0, and rank of the candidate among all of its query, from 1.
        rank: see `place`.
        tie: int32 number of the run of equal scores.
        last: the largest rank of the run.
        hits: relevant candidates of the query down to the end of the run.
    """

    candidates: Any
    place: Any
    rank: Any
    tie: Any
    last: Any
    hits: Any


def ranked(candidates: Candidates) -> Ranking:
    """The `Ranking` of `Candidates`."""
    order = ops.argsort(-candidates.score)
    # Sorting is stable: scores keep falling within a query.
    order = ops.take(order, ops.argsort(ops.take(candidates.query, order)))
    candidates = Candidates(*(ops.take(x, order) for x in candidates))
    new_query = _changes(candidates.query)
    place = ops.cumsum(new_query) - 1
    tie = ops.cumsum(ops.maximum(new_query, _changes(candidates.score))) - 1
    exists = ops.cast(candidates.exists, "int32")
    relevant = exists * ops.cast(candidates.relevance > 0, "int32")
    before = _before(exists, place)
    last, hits = (_through(x, tie) - _before(x, place) for x in (exists, relevant))
    return Ranking(candidates, place, ops.cumsum(exists) - before, tie, last, hits)


def _changes(x):
    """1 where a value differs from the one before, int32; the first is 0 or 1, which shifts all numbers of runs alike."""
    first = ops.ones_like(x[:1], dtype="int32")
    return ops.concatenate([first, ops.cast(ops.not_equal(x[1:], x[:-1]), "int32")], axis=0)


def over_runs(x: Tensor, run: Tensor) -> Tensor:
    """The sum of each run of rows, (N,): entry i is that of run i, 0 where there is none."""
    if keras.backend.backend() == "torch" and x.device.type == "meta":  # where Keras infers shapes, and its sum does not run
        return ops.zeros_like(x)
    return ops.segment_sum(x, run, num_segments=ops.shape(x)[0])


def _through(x, run):
    """The sum of all rows down to the end of the own run."""
    return ops.take(ops.cumsum(over_runs(x, run)), run)


def _before(x, run):
    """The sum of all rows before the own run."""
    total = over_runs(x, run)
    return ops.take(ops.cumsum(total) - total, run)


def reciprocal_rank(ranking: Ranking, k: int | None) -> tuple[Tensor, Tensor]:
    """1 / rank of the first relevant candidate, 0 if it is below rank `k`; and which queries have one, (N,) of the queries."""
    relevant = _relevant(ranking)
    # The run that holds the first relevant candidate is the one whose hits are all its own.
    first = ops.logical_and(
        relevant, ops.equal(ranking.hits, ops.take(over_runs(ops.cast(relevant, "int32"), ranking.tie), ranking.tie))
    )
    value = ops.where(ops.logical_and(first, _within(ranking.last, k)), 1.0 / _positive(ranking.last), 0.0)
    # Each of several in that run has the same value.
    value = value / _positive(ranking.hits)
    return over_runs(value, ranking.place), over_runs(ops.cast(relevant, "float32"), ranking.place) > 0


def average_precision(ranking: Ranking, k: int | None) -> tuple[Tensor, Tensor]:
    """Mean of the precisions at relevant candidates down to rank `k`; and which queries have a relevant one."""
    relevant = _relevant(ranking)
    counted = ops.logical_and(relevant, _within(ranking.last, k))
    precision = ops.where(counted, ops.cast(ranking.hits, "float32") / _positive(ranking.last), 0.0)
    total = over_runs(ops.cast(relevant, "float32"), ranking.place)
    reachable = total if k is None else ops.minimum(total, float(k))
    return safe.ratio(over_runs(precision, ranking.place), reachable, when_empty=0.0), total > 0


def recall(ranking: Ranking, k: int, hit: bool) -> tuple[Tensor, Tensor]:
    """Share of the relevant candidates that have a rank <= k, or 1 if one has; and which queries have a relevant one."""
    relevant = ops.cast(_relevant(ranking), "float32")
    total = over_runs(relevant, ranking.place)
    hits = over_runs(relevant * ops.cast(_within(ranking.last, k), "float32"), ranking.place)
    return (ops.minimum(hits, 1.0) if hit else safe.ratio(hits, total, when_empty=0.0)), total > 0


def precision(ranking: Ranking, k: int | None) -> tuple[Tensor, Tensor]:
    """Relevant candidates of rank <= k, divided by k; k = None: the relevant ones of the query. And which queries have any."""
    relevant = ops.cast(_relevant(ranking), "float32")
    total = over_runs(relevant, ranking.place)
    bound = ops.take(total, ranking.place) if k is None else float(k)
    hits = over_runs(relevant * ops.cast(ops.cast(ranking.last, "float32") <= bound, "float32"), ranking.place)
    return safe.ratio(hits, total if k is None else ops.ones_like(total) * float(k), when_empty=0.0), total > 0


def discounted_gain(ranking: Ranking, gain: Tensor, k: int | None) -> Tensor:
    """sum over ranks r <= k of gain / log2(r + 1), with the mean discount of their ranks for equal scores, by query."""
    exists = ops.cast(ranking.candidates.exists, "float32")
    counts = ops.cast(_within(ranking.rank, k), "float32") * exists
    discount = counts * math.log(2.0) / ops.log(1.0 + _positive(ranking.rank))
    shared = safe.ratio(over_runs(discount, ranking.tie), over_runs(exists, ranking.tie), when_empty=0.0)
    return over_runs(ops.take(shared, ranking.tie) * gain * exists, ranking.place)


def normalized_gain(ranking: Ranking, k: int | None, exponential: bool) -> tuple[Tensor, Tensor]:
    """`discounted_gain` divided by that of the best order; and which queries have a relevant candidate."""

    def of(ranking):
        relevance = ranking.candidates.relevance
        return discounted_gain(ranking, 2.0**relevance - 1.0 if exponential else relevance, k)

    ideal = of(ranked(ranking.candidates._replace(score=ranking.candidates.relevance)))
    return safe.ratio(of(ranking), ideal, when_empty=0.0), ideal > 0


def _relevant(ranking):
    return ops.logical_and(ranking.candidates.relevance > 0, ranking.candidates.exists)


def _within(rank, k):
    return ops.ones_like(rank, dtype="bool") if k is None else rank <= k


def _positive(rank):
    return ops.cast(ops.maximum(rank, 1), "float32")
