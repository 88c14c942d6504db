"""R-precision of embeddings."""

from keras import ops

from kerasmith._types import DType, Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_integer
from kerasmith.keras_internals.tensors import is_concrete
from kerasmith.metrics.retrieval_metric import RetrievalMetric
from kerasmith.numerics import retrieval


@register
class RPrecision(RetrievalMetric):
    """R-precision of embeddings: the share of the same class among the R nearest vectors.

    R is the number of other vectors of the class of the query, so that 1 can be reached.

    Every sample is a query, and all others of the data set are its gallery, whatever the batch size. Vectors as near as
    another (within rounding) rank against the metric: those of other classes first.

    Args:
        max_relevant: the largest R: the samples of the largest class, minus 1.
        capacity: how many vectors the state holds, at least the size of the evaluated data set. It takes
            4 * capacity * (D + 2 max_relevant) bytes.
        similarity: "cosine", or "euclidean": the nearest by distance.
        absent: a query whose class no other vector has: "skip": it is left out of the mean; "zero": it counts as 0.
        name, dtype: see `kerasmith.base.Metric`.

    Call arguments:
        y_true: class ids (B,) or (B, 1).
        y_pred: embeddings (B, D).
        sample_weight: (B,) weighs queries; vectors of weight 0 are not in the gallery either.

    Returns:
        A dict `<name>` and `<name>_cases`, the number of queries in the mean. NaN without data and for NaN embeddings.

    Raises:
        ValueError: for more vectors than `capacity`, a class with more than `max_relevant` others (compiled: when the result
            is read after the loop), or one-hot labels.
        RuntimeError: on several replicas.

    Example:

    >>> metric = RPrecision(max_relevant=2, capacity=100)
    >>> metric.update_state([0, 0, 1, 1], [[1.0, 0.0], [0.9, 0.1], [0.7, 0.6], [0.0, 1.0]])
    >>> float(metric.result()["r_precision"])
    0.75

    Reference: Musgrave et al., "A metric learning reality check", 2020.
    """

    def __init__(
        self,
        max_relevant: int = 100,
        capacity: int = 10_000,
        *,
        similarity: str = "cosine",
        absent: str = "skip",
        name: str = "r_precision",
        dtype: DType = None,
    ) -> None:
        check_integer("max_relevant", max_relevant, minimum=1)
        check_integer("capacity", capacity, minimum=2)
        if max_relevant >= capacity:
            raise ValueError(
                "`max_relevant` must be smaller than `capacity`: a query is not in its own gallery. "
                f"Received: max_relevant={max_relevant}, capacity={capacity}"
            )
        super().__init__(max_relevant, capacity, similarity, absent, name=name, dtype=dtype)
        self.max_relevant = max_relevant

    def result(self) -> dict[str, Tensor]:
        """A dict of scalars."""
        if self._rows is None:
            nothing = ops.convert_to_tensor(float("nan"), self.dtype)
            return {self.key(): nothing, self.key("cases"): ops.zeros((), self.dtype)}
        relevant = ops.where(ops.convert_to_tensor(self._rows.weights) > 0, ops.convert_to_tensor(self._rows.relevant), 0)
        largest = ops.max(relevant)
        if is_concrete(largest) and int(largest) > self.max_relevant:
            raise ValueError(
                f"{self.name} keeps {self.max_relevant} neighbours of each vector, and a class has {int(largest)} others. "
                f"Write `{type(self).__name__}(max_relevant={int(largest)})`: the samples of the largest class, minus 1."
            )
        value, cases = self.scored(retrieval.r_precision, largest <= self.max_relevant)
        return {self.key(): value, self.key("cases"): cases}
