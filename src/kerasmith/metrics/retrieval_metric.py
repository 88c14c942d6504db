"""The core of the retrieval metrics: the nearest neighbours of every vector among all of a data set."""

import math
from collections.abc import Callable

import keras
from keras import ops

from kerasmith._moved import renamed
from kerasmith._types import DType, Function, Tensor
from kerasmith.base import Metric
from kerasmith.base.arguments import check_choice, check_integer
from kerasmith.base.label_message import warn_of_wrong_labels
from kerasmith.base.weights import split_sample_weight
from kerasmith.distribution import replica_count
from kerasmith.keras_internals.tensors import is_concrete, keras_mask
from kerasmith.labels.label_check import check_labels, id_dtype
from kerasmith.labels.label_domain import WEIGHTS, LabelDomain, whole_id_domain
from kerasmith.labels.label_watch import running_watch
from kerasmith.numerics import safe
from kerasmith.numerics.inputs import as_tensor
from kerasmith.numerics.pairwise_distances import unit_length
from kerasmith.numerics.retrieval import Neighbours, include
from kerasmith.numerics.tensors import compatible, static_shape

__getattr__: Function = renamed(__name__, {"Gallery": "RetrievalMetric"})


class RetrievalMetric(Metric):
    """Base of metrics on the nearest neighbours of each vector. A subclass calls `scored` in its `result`.

    The gallery of a query is all that was seen since the last reset, without the query itself: never just its batch. The
    vectors are kept in a state of `capacity` rows, and each batch costs one product with all of them.

    Args:
        nearest: how many neighbours are kept of each vector.
        capacity: how many vectors the state holds, at least the size of the evaluated data set.
        similarity: "cosine" or "euclidean".
        absent: a query whose class no other vector has: "skip": it is left out of the mean; "zero": it counts as 0.
        name, dtype: see `kerasmith.base.Metric`.
    """

    kerasmith_contract: dict[str, bool] = {"weights_repeat": False, "replicas": False}

    directions: dict[str, str | None] = {"cases": None}

    def __init__(
        self, nearest: int, capacity: int, similarity: str, absent: str, *, name: str | None = None, dtype: DType = None
    ) -> None:
        check_integer("capacity", capacity, minimum=2)
        check_choice("similarity", similarity, ("cosine", "euclidean"))
        check_choice("absent", absent, ("skip", "zero"))
        super().__init__(name=name, dtype=dtype)
        self.capacity = capacity
        self.similarity = similarity
        self.absent = absent
        self._nearest = nearest
        self._rows = None
        # What ids and weights had to be where a compiled program could only count those that were not.
        self._domains: tuple[LabelDomain, ...] = ()
        # Rows in use, and how many vectors held NaN.
        self._seen = self.add_variable((2,), initializer="zeros", dtype="int32", name="seen")

    def _build(self, size):
        shapes = Neighbours((size,), (), (), (self._nearest,), (self._nearest,), ())
        kinds = Neighbours("float32", id_dtype(), "float32", "float32", "int32", "int32")
        self._rows = Neighbours(
            *(
                self.add_variable((self.capacity, *shape), initializer="zeros", dtype=kind, name=name)
                for name, shape, kind in zip(Neighbours._fields, shapes, kinds)
            )
        )

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Adds a batch: class ids (B,) or (B, 1), vectors (B, D), and weights (B,)."""
        if replica_count() > 1:
            raise RuntimeError(
                f"{type(self).__name__} compares all vectors of a data set with each other and cannot be split over replicas. "
                f"Received: {replica_count()} replicas. Evaluate on one device."
            )
        mask = keras_mask(y_pred)
        y_true, y_pred = as_tensor(y_true, "y_true"), as_tensor(y_pred, "y_pred")
        weights = split_sample_weight(sample_weight, mask, static_shape(y_pred, "y_pred")[:1]).effective_sample
        watch = running_watch()
        if weights is not None:
            check_labels(weights, WEIGHTS)
            watch.sample = weights
        labels, size = _checked(y_true, y_pred)
        if self._rows is None:
            self._build(size)
        elif self._rows.vectors.shape[1] != size:
            raise ValueError(
                f"{self.name} holds vectors of {self._rows.vectors.shape[1]} numbers. Received: y_pred of {size} numbers."
            )
        vectors = ops.stop_gradient(ops.cast(y_pred, "float32"))
        batch = ops.shape(vectors)[0]
        weights = ops.ones((batch,), "float32") if weights is None else weights * ops.ones((batch,), "float32")
        spoiled = ops.any(vectors != vectors, axis=-1)
        if watch.doubts:
            self._domains = watch.domains
            spoiled = ops.logical_or(spoiled, watch.bad())
        spoiled = ops.logical_and(spoiled, weights != 0)
        vectors = ops.where(ops.logical_or(spoiled, weights == 0)[:, None], 0.0, vectors)
        if self.similarity == "cosine":
            # Keras takes no maximum of an empty batch on PyTorch: one more row for the moment.
            vectors = unit_length(ops.concatenate([vectors, ops.zeros((1, size))], axis=0))[:-1]
        seen = ops.convert_to_tensor(self._seen)
        added = ops.stack([ops.cast(batch, "int32"), ops.sum(ops.cast(spoiled, "int32"))])
        if is_concrete(seen) and is_concrete(added):
            self._check_capacity(int(seen[0]) + int(added[0]))
        known = Neighbours(*(ops.convert_to_tensor(variable) for variable in self._rows))
        for variable, value in zip(self._rows, include(known, seen[0], vectors, labels, weights)):
            variable.assign(value)
        self._seen.assign(seen + added)

    def scored(self, score: Callable[..., Tensor], when_valid: Tensor = True) -> tuple[Tensor, Tensor]:
        """(mean of a score over queries, number of queries in the mean).

        Args:
            score: function of (codes, relevant) that gives one number a row.
            when_valid: False makes the mean NaN.
        """
        seen = ops.convert_to_tensor(self._seen)
        used = seen[0]
        if is_concrete(used):  # asked of `seen`, TensorFlow would say yes in a graph: it is a variable
            self._check_capacity(int(used))
        rows = Neighbours(*(ops.convert_to_tensor(variable) for variable in self._rows))
        weight = rows.weights
        if self.absent == "skip":
            weight = ops.where(rows.relevant > 0, weight, 0.0)
        mean = safe.ratio(ops.sum(weight * score(rows.codes, rows.relevant)), ops.sum(weight), when_empty=math.nan)
        right = ops.logical_and(used <= self.capacity, seen[1] == 0)
        if self._domains and is_concrete(used) and int(seen[1]):
            warn_of_wrong_labels(self.name, self._domains, ", or a vector was NaN")
        mean = ops.where(ops.logical_and(right, when_valid), mean, math.nan)
        return ops.cast(mean, self.dtype), ops.cast(ops.sum(ops.cast(weight > 0, "float32")), self.dtype)

    def vector_count(self) -> Tensor:
        """How many vectors there are, int32."""
        return ops.sum(ops.cast(ops.convert_to_tensor(self._rows.weights) > 0, "int32"))

    def _check_capacity(self, seen):
        if seen > self.capacity:
            raise ValueError(
                f"{self.name} has room for {self.capacity} vectors and received {seen}. "
                f"Write `{type(self).__name__}(..., capacity={seen})` or more: the size of the evaluated data set."
            )


def _checked(y_true, y_pred):
    """Class ids (B,) and the length of the vectors."""
    shape_true, shape_pred = static_shape(y_true, "y_true"), static_shape(y_pred, "y_pred")
    if len(shape_pred) != 2 or shape_pred[1] is None:
        raise ValueError(f"y_pred must hold one vector a sample, (B, D). Received: y_pred of shape {shape_pred}")
    whole = shape_true if len(shape_true) == 1 else shape_true[:-1] if shape_true[-1:] == (1,) else ()
    if len(whole) != 1 or not compatible(whole, shape_pred[:1]):
        raise ValueError(
            f"y_true must hold one class id a sample, {(shape_pred[0],)} or {(shape_pred[0], 1)}. Received: y_true of shape "
            f"{shape_true}. Write `keras.ops.argmax(y_true, axis=-1)` for one-hot labels."
        )
    bits, kind = 64 if id_dtype() == "int64" else 32, keras.backend.standardize_dtype(y_true.dtype)
    ids = check_labels(ops.reshape(y_true, (-1,)), whole_id_domain("Class ids", bits, kind))
    return ops.cast(ids, id_dtype()), shape_pred[1]
