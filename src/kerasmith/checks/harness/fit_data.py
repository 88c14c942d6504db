"""The batches that `fit` would draw of its data, drawn so that the data stay where they are."""

import contextlib
import itertools
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import CannotCheck
from kerasmith.checks.engine.lazy_keras import keras, ops
from kerasmith.checks.engine.messages import describe_error

Batch = tuple[Any, Any, Any]
# Samples of the arrays that are looked through for the first batch have this order where `fit` would shuffle.
_SEED = 7
# Numbers of a sparse matrix that are written out.
_MOST_DENSE = 20_000_000


class FitData:
    """`x`, `y` and `sample_weight` of a `fit`, as batches of NumPy arrays.

    Args:
        x, y, sample_weight: as `fit` takes them.
        batch_size: of arrays; Keras' default of 32 with None.
        shuffle: whether arrays are shuffled: then the batches are, with a seed.
        class_weight: becomes weights of the samples as in Keras.
        seen: batches of a generator that were drawn before, which come first.

    Attributes:
        kind: "arrays", "PyDataset", "tf.data.Dataset", "DataLoader", "generator" or "grain".
        drawn: how many batches were drawn so far.
        lost: what the data have lost by it, as text: batches of a generator; "" where they do not notice.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        shuffle: bool = False,
        class_weight: dict[int, float] | None = None,
        seen: list[Any] | None = None,
    ) -> None:
        self.kind: str = kind_of(x)
        self.drawn: int = 0
        self._moved_order = False
        self._x, self._seen, self._shuffle, self._class_weight = x, list(seen or ()), shuffle, class_weight
        self.batch_size: int = int(batch_size or 32)
        self.arrays: Batch | None = None
        if self.kind == "arrays":
            self._sliced: Batch = tuple(as_arrays(part) for part in (x, y, sample_weight))
            self._length = common_length(self._sliced)
            # A large sparse matrix is drawn from, and not looked at whole.
            self.arrays = None if any(is_sparse(leaf) for leaf in leaves_of(self._sliced)) else self._sliced
        elif y is not None or sample_weight is not None:
            name = "y" if y is not None else "sample_weight"
            raise CannotCheck(
                f"`{name}` is part of the data where they are a {self.kind}: it gives (x, y) or (x, y, sample_weight). Leave "
                f"`{name}` out. Received: x={type(x).__name__}, {name}={type(y if y is not None else sample_weight).__name__}"
            )
        self._batches: list[Batch] = []
        self._iterator: Iterator[Any] | None = None

    @property
    def lost(self) -> str:
        if self.kind == "generator":
            batches = f"{self.drawn} batch{'es' * (self.drawn != 1)}"
            return f"{batches} drawn, which it does not give again: make it anew before `fit`"
        return "its shuffled order has moved on by one epoch" if self._moved_order else ""

    def first(self) -> Batch:
        """(x, y, sample_weight) of the first batch.

        Raises:
            CannotCheck: if there is none.
        """
        found = self.batches(1)
        if not found:
            raise CannotCheck(f"The data hold no batch. Received: x={type(self._x).__name__}")
        return found[0]

    def batches(self, count: int) -> list[Batch]:
        """The first `count` batches, fewer where there are not so many; each is drawn once."""
        while len(self._batches) < count:
            try:
                if self._iterator is None:
                    self._iterator = self._draw()
                drawn = next(self._iterator, None)
                if drawn is None:
                    break
                self.drawn += 1
                self._batches.append(self._unpacked(drawn))
            except CannotCheck:
                raise
            except Exception as error:
                if self._batches:
                    break  # what there is has to do
                raise CannotCheck(f"The first batch cannot be drawn from the {self.kind}: {describe_error(error)}") from error
        return self._batches[:count]

    def _draw(self) -> Iterator[Any]:
        from kerasmith.keras_internals import data_copies

        if self.kind == "arrays":
            return self._slices()
        if self.kind == "PyDataset":
            length = self._x.num_batches
            return (self._x[index] for index in (itertools.count() if length is None else range(length)))
        if self.kind == "generator":
            return itertools.chain(self._seen, self._x)
        if self.kind == "tf.data.Dataset":
            alike = data_copies.without_its_counter(self._x)
            self._moved_order = alike is self._x and data_copies.changing_order(alike) is not None
            return iter(alike)
        return iter(data_copies.in_this_process(self._x) if self.kind == "DataLoader" else self._x)

    def _slices(self) -> Iterator[Batch]:
        order = np.arange(self._length)
        if self._shuffle:
            np.random.default_rng(_SEED).shuffle(order)
        for start in range(0, self._length, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield map_leaves(lambda leaf, chosen=chosen: _as_floatx(dense(leaf[chosen])), self._sliced)

    def _unpacked(self, drawn: Any) -> Batch:
        drawn = tuple(drawn) if isinstance(drawn, list) else drawn
        x, y, sample_weight = (as_arrays(part) for part in keras.utils.unpack_x_y_sample_weight(drawn))
        if sample_weight is not None and self.kind == "arrays" and is_nested(y) and not is_nested(sample_weight):
            sample_weight = map_leaves(lambda leaf: sample_weight, y)
        if self._class_weight is not None and sample_weight is None and y is not None and not is_nested(y):
            from kerasmith.keras_internals.fit_weights import of_classes

            with contextlib.suppress(Exception):  # labels that are no numbers: a question of its own
                sample_weight = of_classes(y, self._class_weight)
        return x, y, sample_weight


def kind_of(x: Any) -> str:
    """What Keras takes `x` for: see `FitData.kind`.

    Raises:
        CannotCheck: for what `fit` does not take.
    """
    if isinstance(x, keras.utils.PyDataset):
        return "PyDataset"
    tf, torch = sys.modules.get("tensorflow"), sys.modules.get("torch")
    if tf is not None and isinstance(x, (tf.data.Dataset, getattr(tf.distribute, "DistributedDataset", ()))):
        return "tf.data.Dataset"
    if torch is not None and isinstance(x, torch.utils.data.DataLoader):
        return "DataLoader"
    if any(cls.__module__.partition(".")[0] == "grain" for cls in type(x).__mro__):
        return "grain"
    if isinstance(x, types.GeneratorType):
        return "generator"
    leaves = keras.tree.flatten(x)
    if leaves and all(leaf is None or hasattr(leaf, "shape") for leaf in leaves):
        return "arrays"
    what = "nothing" if not leaves else type(x).__name__
    listed = isinstance(x, (list, tuple)) and all(isinstance(leaf, (int, float, str, bool)) for leaf in leaves)
    example = " Make an array of it: `np.array(x)`." if listed else ""
    raise CannotCheck(
        "`x` must be what `fit` takes: an array, a list, tuple or dict of arrays, a PyDataset, a tf.data.Dataset, a "
        f"DataLoader or a generator (Keras refuses an iterator that is no generator, too).{example} Received: {what}"
    )


def as_arrays(data: Any) -> Any:
    """The same structure with NumPy arrays in place of tensors and data frames; what cannot become one stays."""
    return None if data is None else map_leaves(_array, data)


def _array(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        return leaf
    if hasattr(leaf, "row_splits"):
        raise CannotCheck(
            "Ragged tensors cannot be checked: give padded ones, `x.to_tensor()`, with a `Masking` layer or `mask_zero=True` "
            f"in the model. Received: {type(leaf).__name__} of shape {tuple(leaf.shape)}"
        )
    if is_sparse(leaf):
        return dense(leaf) if int(np.prod(leaf.shape)) <= _MOST_DENSE else _by_rows(leaf)
    with contextlib.suppress(Exception):
        if hasattr(leaf, "numpy") and "tensorflow" in type(leaf).__module__:
            return leaf.numpy()
        if ops.is_tensor(leaf) or hasattr(leaf, "detach"):
            leaf = leaf.detach().cpu() if hasattr(leaf, "detach") else leaf
            return np.asarray(ops.convert_to_numpy(leaf))
        return np.asarray(leaf)
    return leaf


def is_sparse(leaf: Any) -> bool:
    """Whether `leaf` is a sparse matrix of SciPy or a sparse tensor of TensorFlow or JAX."""
    return any(hasattr(leaf, name) for name in ("tocsr", "dense_shape", "todense"))


def dense(leaf: Any) -> Any:
    """A sparse matrix or tensor as an array; anything else as it is."""
    if hasattr(leaf, "tocsr"):
        return leaf.toarray()
    if hasattr(leaf, "dense_shape"):
        import tensorflow as tf

        return tf.sparse.to_dense(tf.sparse.reorder(leaf)).numpy()
    return np.asarray(leaf.todense()) if hasattr(leaf, "todense") else leaf


def _by_rows(leaf: Any) -> Any:
    """A large sparse matrix in a form whose rows can be taken."""
    if not hasattr(leaf, "tocsr"):
        raise CannotCheck(
            "A sparse tensor of this size cannot be checked as it is: give a part of it, `tf.sparse.slice`, or a matrix of "
            f"SciPy. Received: {type(leaf).__name__} of shape {tuple(leaf.shape)}"
        )
    return leaf.tocsr()


def _as_floatx(leaf: Any) -> Any:
    """Floats as Keras' floats, which it makes of those in arrays."""
    return leaf.astype(keras.config.floatx()) if getattr(leaf.dtype, "kind", "") == "f" else leaf


def map_leaves(function: Any, data: Any) -> Any:
    """`function` of each leaf of nested dicts, lists and tuples; None stays None."""
    if data is None:
        return None
    if isinstance(data, dict):
        return {key: map_leaves(function, part) for key, part in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(map_leaves(function, part) for part in data))
    if isinstance(data, (list, tuple)):
        return type(data)(map_leaves(function, part) for part in data)
    return function(data)


def is_nested(data: Any) -> bool:
    """Whether data are a dict, list or tuple."""
    return isinstance(data, (dict, list, tuple))


def common_length(parts: Any) -> int:
    """The number of samples of arrays.

    Raises:
        CannotCheck: where they differ, or there is none.
    """
    leaves = [(name, leaf) for name, part in zip(("x", "y", "sample_weight"), parts) for leaf in leaves_of(part)]
    scalars = [name for name, leaf in leaves if not getattr(leaf, "shape", ())]
    if scalars:
        raise CannotCheck(f"`{scalars[0]}` must hold samples along its first axis. Received: a single number")
    lengths = {int(leaf.shape[0]) for _, leaf in leaves}
    if len(lengths) != 1:
        listed = ", ".join(f"{name} {tuple(leaf.shape)}" for name, leaf in leaves)
        raise CannotCheck(f"All arrays must have as many samples, as `fit` demands. Received: {listed}")
    if 0 in lengths:
        raise CannotCheck("The data hold no sample. Received: " + ", ".join(f"{n} {tuple(leaf.shape)}" for n, leaf in leaves))
    return lengths.pop()


def leaves_of(data: Any) -> list[Any]:
    """The arrays of a structure, without None."""
    found: list[Any] = []
    map_leaves(found.append, data)
    return found


def cut(batch: Any, samples: int) -> Any:
    """The first samples of (x, y, sample_weight)."""
    return tuple(map_leaves(lambda leaf: leaf[:samples], part) for part in batch)
