"""Recall at k of embeddings."""

from collections.abc import Sequence

from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.files.messages import warn
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.metrics.retrieval_metric import RetrievalMetric
from kerasmith.numerics import retrieval


@register
class RetrievalRecall(RetrievalMetric):
    """Recall@k of embeddings: how often one of the k nearest vectors is of the same class.

    Every sample is a query, and all others of the data set are its gallery, whatever the batch size. Vectors as near as
    another (within rounding) rank against the metric: those of other classes first.

    Args:
        k: a number of neighbours, or a list of them.
        capacity: how many vectors the state holds, at least the size of the evaluated data set. It takes
            4 * capacity * (D + 2 k) bytes.
        similarity: "cosine", or "euclidean": the nearest by distance.
        definition: "any": 1 if one of the k nearest is of the same class (metric learning); "share": the share of all vectors
            of that class that are among the k nearest (information retrieval).
        absent: a query whose class no other vector has: "skip": it is left out of the mean; "zero": it counts as 0.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: class ids (B,) or (B, 1).
        y_pred: embeddings (B, D).
        sample_weight: (B,) weighs queries; vectors of weight 0 are not in the gallery either.

    Returns:
        A dict `<name>_<k>` for each k, and `<name>_cases`, the number of queries in the mean. NaN while the gallery of a query
        holds less than k vectors (with a warning where values can be read), and for NaN embeddings.

    Raises:
        ValueError: for more vectors than `capacity` (compiled: when the result is read after the loop), `k` larger than the
            gallery can be, or one-hot labels.
        RuntimeError: on several replicas.

    Example:

    >>> metric = RetrievalRecall(k=[1, 2], capacity=100)
    >>> metric.update_state([0, 0, 1, 1], [[1.0, 0.0], [0.9, 0.1], [0.7, 0.6], [0.0, 1.0]])
    >>> {key: float(value) for key, value in metric.result().items()}
    {'retrieval_recall_1': 0.75, 'retrieval_recall_2': 0.75, 'retrieval_recall_cases': 4.0}

    Reference: Musgrave et al., "A metric learning reality check", 2020.
    """

    def __init__(
        self,
        k: int | Sequence[int] = 1,
        capacity: int = 10_000,
        *,
        similarity: str = "cosine",
        definition: str = "any",
        absent: str = "skip",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        depths = sorted(set(k)) if hasattr(k, "__len__") else [k]
        if not depths:
            raise ValueError(f"`k` must hold at least one number. Received: k={k!r}")
        for depth in depths:
            check_integer("k", depth, minimum=1)
        check_choice("definition", definition, ("any", "share"))
        check_integer("capacity", capacity, minimum=2)
        if depths[-1] >= capacity:
            raise ValueError(
                f"`k` must be smaller than `capacity`: a query is not in its own gallery. Received: k={k}, capacity={capacity}"
            )
        super().__init__(depths[-1], capacity, similarity, absent, name=name, dtype=dtype)
        self.k = k
        self.definition = definition
        self._depths = depths
        self._warned = False

    def result(self) -> dict[str, Tensor]:
        """A dict of scalars."""
        if self._rows is None:
            nothing = ops.convert_to_tensor(float("nan"), self.dtype)
            return {self.key(k): nothing for k in self._depths} | {self.key("cases"): ops.zeros((), self.dtype)}
        score = retrieval.hit_at_k if self.definition == "any" else retrieval.recall_at_k
        size = self.vector_count()
        self._warn_if_small(size)
        result = {}
        for k in self._depths:
            result[self.key(k)], cases = self.scored(lambda codes, relevant, k=k: score(codes, relevant, k), size > k)
        return result | {self.key("cases"): cases}

    def _warn_if_small(self, size):
        if self._warned or not is_concrete(size) or int(size) > self._depths[-1] or int(size) == 0:
            return
        self._warned = True
        warn(
            f"{self.name} has seen {int(size)} vectors so far, and the {self._depths[-1]} nearest of a query need "
            f"{self._depths[-1] + 1}: the result is NaN until then. Pass a smaller `k` if the data set has no more."
        )
