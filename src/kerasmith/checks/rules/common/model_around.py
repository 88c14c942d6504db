"""A Functional model of one layer: what is saved as a `.keras` file."""

import numpy as np

from kerasmith.checks.engine.lazy_keras import keras, ops


def model_around(case, layer):
    """(model, [array]): a model whose inputs are the flattened inputs of the case, without a mask.

    Raises:
        Exception: whatever the layer raises on symbolic inputs.
    """
    arrays = {name: value for name, value in case.inputs.items() if name != "mask"}
    symbols = keras.tree.map_structure(lambda array: keras.Input(array.shape[1:], dtype=str(array.dtype)), arrays)
    given = dict(symbols)
    outputs = layer(given.pop("inputs") if "inputs" in given else given.pop(next(iter(given))), **given)
    flat = keras.tree.flatten(arrays)
    return keras.Model(keras.tree.flatten(symbols), outputs), flat


def spread_weights(model, seed=7):
    """Moves each weight of floats upwards by its own small step: a weight that loads as its initial value shows."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "float" in str(weight.dtype):
            values = np.asarray(ops.convert_to_numpy(weight), "float32")
            weight.assign(values + rng.uniform(0.02, 0.1, values.shape).astype("float32"))
