"""Moving statistics of batch normalisation, measured anew for weights that were never trained with."""

import contextlib
import sys
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from kerasmith.keras_internals import random_state
from kerasmith.keras_internals.layers import all_layers


def batch_norms(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """The batch normalisations of a model, nested ones too, that update their statistics in training."""
    layers = all_layers(model, include_self=False)
    return [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]


def statistics(model: keras.Model) -> list[keras.Variable]:
    """The variables that `refresh` changes."""
    return [variable for layer in batch_norms(model) for variable in (layer.moving_mean, layer.moving_variance)]


def refresh(model: keras.Model, data: Any, batch_size: int = 32) -> None:
    """Sets the moving statistics to the mean over the batches of `data` of the batch statistics, as PyTorch's `update_bn`.

    The model runs as in training: each batch normalisation uses the statistics of the batch. (Their variance is Keras',
    divided by n; PyTorch's by n - 1.) Nothing else changes: other variables, seeds and random generators are as before.

    Args:
        model: a built model.
        data: an array, a dict of arrays, or batches to go over: `x`, `(x, y)` or `(x, y, sample_weight)`.
        batch_size: for arrays.

    Raises:
        ValueError: if `data` has no batch.
    """
    layers, changed = batch_norms(model), statistics(model)
    if not layers:
        return
    mine = {id(variable) for variable in changed}
    others = [variable for variable in model.non_trainable_variables if id(variable) not in mine]
    before = [np.array(ops.convert_to_numpy(variable)) for variable in others]
    generators, momenta = random_state.capture(), [layer.momentum for layer in layers]
    sums, count = [0.0] * len(changed), 0
    try:
        for layer in layers:
            # With momentum 0 the moving statistics are those of the last batch; what was in them could be NaN.
            layer.momentum = 0.0
            layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
            layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
        with _without_gradients():
            for x in _inputs(data, batch_size):
                model(x, training=True)
                sums = [s + ops.convert_to_numpy(v).astype("float64") for s, v in zip(sums, changed, strict=True)]
                count += 1
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for variable, value in zip(others, before, strict=True):
            variable.assign(value)
        random_state.restore(generators)
    if not count:
        raise ValueError("`update_batch_norm` has no batch to measure the statistics on.")
    for variable, total in zip(changed, sums, strict=True):
        variable.assign((total / count).astype("float32"))


def check_data(data: Any) -> None:
    """Raises ValueError for what can be gone over only once."""
    if data is not None and hasattr(data, "__next__"):
        raise ValueError(
            "`update_batch_norm` is gone over several times, an iterator only once. Pass an array, a list of batches, a "
            f"PyDataset or a tf.data.Dataset. Received: {type(data).__name__}"
        )


def _inputs(data, batch_size):
    if isinstance(data, dict) or (hasattr(data, "shape") and hasattr(data, "dtype")):
        length = len(tree.flatten(data)[0])
        for start in range(0, length, batch_size):
            yield tree.map_structure(lambda array: ops.convert_to_tensor(array[start : start + batch_size]), data)  # noqa: B023
        return
    batches = (data[i] for i in range(len(data))) if isinstance(data, keras.utils.PyDataset) else data
    for batch in batches:
        x = batch[0] if isinstance(batch, (tuple, list)) else batch
        yield tree.map_structure(ops.convert_to_tensor, x)


def _without_gradients():
    return sys.modules["torch"].no_grad() if keras.backend.backend() == "torch" else contextlib.nullcontext()
