"""Running a metric and reading its result."""

import keras
import numpy as np
from keras import ops


def read(metric):
    """The result as a dict of floats, a scalar under the name of the metric."""
    result = metric.result()
    result = result if isinstance(result, dict) else {metric.name: result}
    return {key: float(ops.convert_to_numpy(value)) for key, value in result.items()}


def run(metric, *batches):
    """The result after some (y_true, y_pred[, sample_weight]) batches."""
    for batch in batches:
        metric.update_state(*batch)
    return read(metric)


def value_of(make, y_true, y_pred, sample_weight=None):
    """The result of a new metric after one batch."""
    return run(make(), (y_true, y_pred, sample_weight))


def assert_equal(got, expected, rtol=1e-5, atol=1e-6):
    """Two dicts of numbers agree, NaN included."""
    assert got.keys() == expected.keys()
    np.testing.assert_allclose([got[k] for k in expected], list(expected.values()), rtol=rtol, atol=atol)


def fresh(metric):
    """A metric of the same configuration, without data."""
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))


def evaluated(metric, y_true, y_pred, *, weighted_by=None, batch_size=5, jit_compile=False):
    """What `model.evaluate` reports for a model that returns its input."""
    inputs = keras.Input(y_pred.shape[1:])
    model = keras.Model(inputs, keras.layers.Activation("linear")(inputs))
    kind = "metrics" if weighted_by is None else "weighted_metrics"
    model.compile(loss=_no_loss, **{kind: [metric]}, jit_compile=jit_compile)
    result = model.evaluate(y_pred, y_true, sample_weight=weighted_by, batch_size=batch_size, verbose=0, return_dict=True)
    return {key: float(value) for key, value in result.items() if key != "loss"}


def _no_loss(y_true, y_pred):
    """Keras on PyTorch wants a loss."""
    return 0.0 * ops.sum(y_pred, axis=tuple(range(1, len(y_pred.shape))))
