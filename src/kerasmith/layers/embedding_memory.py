"""Embeddings of past batches, as partners for the anchors of an embedding loss."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.base import register
from kerasmith.base.arguments import check_integer
from kerasmith.base.keywords import KnowsKeywords
from kerasmith.numerics.inputs import as_tensor


@register
class EmbeddingMemory(KnowsKeywords, keras.layers.Layer):
    """The last embeddings that a model gave and their class ids: a cross-batch memory (since 0.2).

    An embedding loss finds few hard pairs in a small batch. Embeddings change slowly, so those of the last batches are nearly
    what the model would give now, and cost no forward pass. As a term of an `Objective`,
    `Term(Triplet(), memory=EmbeddingMemory(4096, 128))`, the loss compares each batch with what is stored
    (`losses.EmbeddingLoss.against`), and a training step stores the batch over the oldest entries. The state belongs to the
    objective: it is saved and resumed, and `evaluate` compares with it and adds nothing.

    Args:
        capacity: how many embeddings are kept.
        dimension: D, of one embedding.
        name, dtype: see `keras.layers.Layer`.

    Under several replicas each compares with what the first one stored.

    Example:

    >>> memory = EmbeddingMemory(3, 2)
    >>> memory.add([5, 6], [[0.0, 1.0], [2.0, 3.0]])
    >>> ids, vectors, valid = memory.references()
    >>> [int(i) for i in ids], [bool(v) for v in valid]
    ([5, 6, 0], [True, True, False])

    Reference: Wang, Zhang, Huang and Scott, "Cross-batch memory for embedding learning", 2020.
    """

    def __init__(self, capacity: int, dimension: int, **kwargs: object) -> None:
        check_integer("capacity", capacity, minimum=1)
        check_integer("dimension", dimension, minimum=1)
        super().__init__(**{"trainable": False, "autocast": False, **kwargs})
        self.capacity = capacity
        self.dimension = dimension
        fixed = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica", "autocast": False}
        self.vectors = self.add_weight(shape=(capacity, dimension), dtype="float32", name="vectors", **fixed)
        # As wide as the labels can be: JAX has made 32 bits of them before they come here.
        self.ids = self.add_weight(shape=(capacity,), dtype=_widest(), name="ids", **fixed)
        self.seen = self.add_weight(shape=(), dtype="int32", name="seen", **fixed)
        self.built = True

    def references(self) -> tuple[Tensor, Tensor, Tensor]:
        """(capacity,) ids, (capacity, D) embeddings, and (capacity,) booleans: whether an entry is filled."""
        filled = ops.arange(self.capacity, dtype="int32") < ops.convert_to_tensor(self.seen)
        # Copies: PyTorch overwrites variables where they lie.
        return ops.copy(self.ids), ops.copy(self.vectors), filled

    def add(self, ids: Tensor, embeddings: Tensor) -> None:
        """Stores a batch over the oldest entries.

        Args:
            ids: (B,) or (B, 1) class ids, whole numbers.
            embeddings: (B, D), stored as constants.
        """
        ids, embeddings = as_tensor(ids, "ids"), as_tensor(embeddings, "embeddings")
        ids, vectors = ops.reshape(ids, (-1,))[-self.capacity :], ops.stop_gradient(embeddings)[-self.capacity :]
        number, seen = ops.shape(vectors)[0], ops.convert_to_tensor(self.seen)
        # Full, it counts on from `capacity`, so that the number of a step never overflows.
        places = ops.reshape((seen + ops.arange(number, dtype="int32")) % self.capacity, (-1, 1))
        self.vectors.assign(ops.scatter_update(self.vectors.value, places, ops.cast(vectors, "float32")))
        self.ids.assign(ops.scatter_update(self.ids.value, places, ops.cast(ids, self.ids.dtype)))
        after = seen + number
        self.seen.assign(ops.where(after >= 2 * self.capacity, after % self.capacity + self.capacity, after))

    def call(self, inputs: Tensor) -> Tensor:
        """`inputs`, as they are: a memory changes nothing that passes it."""
        return inputs

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "capacity": self.capacity, "dimension": self.dimension}


def _widest():
    return "int32" if keras.backend.backend() == "jax" else "int64"
