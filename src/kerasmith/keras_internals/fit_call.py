"""What the running `fit` was called with; Keras tells its callbacks the model, the number of epochs and steps, and no more."""

import sys
from typing import Any, NamedTuple

import keras

_LOCALS = (
    "x",
    "y",
    "sample_weight",
    "class_weight",
    "batch_size",
    "epochs",
    "shuffle",
    "steps_per_epoch",
    "validation_data",
    "epoch_iterator",
)


class FitCall(NamedTuple):
    """The arguments of a running `Model.fit` and the two objects it made of them.

    Attributes:
        callbacks: the `keras.callbacks.CallbackList`, with Keras' own callbacks.
        epoch_iterator: what draws the batches; its `data_adapter` holds the data.
        x, y, sample_weight, class_weight, batch_size, epochs, shuffle, steps_per_epoch, validation_data: as in `fit`, after
            `validation_split` took its part.
    """

    callbacks: Any
    epoch_iterator: Any
    x: Any
    y: Any
    sample_weight: Any
    class_weight: Any
    batch_size: Any
    epochs: int
    shuffle: bool
    steps_per_epoch: Any
    validation_data: Any


def find() -> FitCall | None:
    """The innermost `fit` of Keras that is running in this thread, seen from a callback's hook; None outside of `fit`."""
    frame, callbacks = sys._getframe(1), None
    while frame is not None:
        if callbacks is None and isinstance(frame.f_locals.get("self"), keras.callbacks.CallbackList):
            callbacks = frame.f_locals["self"]
        if callbacks is not None and frame.f_code.co_name == "fit" and "epoch_iterator" in frame.f_locals:
            return FitCall(callbacks=callbacks, **{name: frame.f_locals.get(name) for name in _LOCALS})
        frame = frame.f_back
    return None


def is_running(callbacks: Any) -> bool:
    """Whether a `fit` with this `CallbackList` is running, in any thread of this process."""
    for frame in sys._current_frames().values():
        while frame is not None:
            if frame.f_code.co_name == "fit" and frame.f_locals.get("callbacks") is callbacks:
                return True
            frame = frame.f_back
    return False


def fingerprint(fit: Any) -> dict[str, int | None]:
    """{name: number or None} of what the position in the data depends on."""
    adapter = fit.epoch_iterator.data_adapter
    leaves = [leaf for leaf in keras.tree.flatten(fit.x) if hasattr(leaf, "shape")] if is_arrays(fit) else []
    return {
        "steps per epoch": fit.epoch_iterator.num_batches,
        "batch size": getattr(fit.x, "batch_size", None) if adapter.batch_size is None else adapter.batch_size,
        "samples": int(leaves[0].shape[0]) if leaves else None,
        "steps per execution": fit.epoch_iterator.steps_per_execution,
    }


def is_arrays(fit: Any) -> bool:
    """Whether `fit` was given arrays or tensors, whose order Keras draws itself."""
    return type(fit.epoch_iterator.data_adapter).__name__ == "ArrayDataAdapter"


def first_batch(fit: Any) -> tuple[Any, ...] | None:
    """(x, y, sample weights) of some batch, without moving the data on; None if that cannot be."""
    if isinstance(fit.x, keras.utils.PyDataset):
        batch = fit.x[0]
    elif is_arrays(fit):
        count = fit.epoch_iterator.data_adapter.batch_size
        batch = keras.tree.map_structure(lambda leaf: leaf[:count], (fit.x, fit.y, fit.sample_weight), none_is_leaf=False)
    elif hasattr(fit.x, "__iter__") and not hasattr(fit.x, "__next__"):
        batch = next(iter(fit.x))
    else:
        seen = seen_batches(fit)
        if not seen:
            return None
        batch = seen[0]
    return keras.utils.unpack_x_y_sample_weight(batch)


def seen_batches(fit: Any) -> list[Any]:
    """The first batches of a generator: Keras has looked at its beginning, and keeps it for the training."""
    return list(getattr(fit.epoch_iterator.data_adapter, "_first_batches", None) or ())
