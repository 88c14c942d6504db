"""A training run written out in NumPy: totals as plain functions of the weights, gradients by central differences."""

import keras
import numpy as np
from keras import ops

SIZE = 3  # samples in a batch; 7 samples leave a ragged last one


def samples(*shapes, seed=0):
    """Float32 arrays between -1 and 1, and one generator for all."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape).astype("float32") for shape in shapes]


def weights_of(model):
    """The trainable weights in float64."""
    return [np.asarray(ops.convert_to_numpy(v.value), "float64") for v in model.trainable_variables]


def batches(*arrays, size=SIZE):
    """Slices of nests of arrays, as `fit` cuts them without shuffling."""
    count = _count(arrays[0])
    for start in range(0, count, size):
        part = slice(start, start + size)
        yield [
            None if nest is None else keras.tree.map_structure(lambda a: np.asarray(a[part], "float64"), nest)  # noqa: B023
            for nest in arrays
        ]


def slope(function, weights, step=1e-5):
    """The gradient of a number by a list of arrays, central differences."""
    found = [np.zeros_like(w) for w in weights]
    for w, out in zip(weights, found, strict=True):
        for at in np.ndindex(w.shape):
            kept = w[at]
            ends = []
            for shift in (step, -step):
                w[at] = kept + shift
                ends.append(function(weights))
            w[at] = kept
            out[at] = (ends[0] - ends[1]) / (2 * step)
    return found


class SGD:
    def __init__(self, rate):
        self.rate = rate

    def __call__(self, weights, gradients):
        return [w - self.rate * g for w, g in zip(weights, gradients, strict=True)]


class Adam:
    """Kingma and Ba 2015, section 2, with the epsilon where Keras has it."""

    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-7):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self.count, self.m, self.v = 0, 0.0, 0.0

    def __call__(self, weights, gradients):
        if not self.count:
            self.m, self.v = [0 * g for g in gradients], [0 * g for g in gradients]
        self.count += 1
        self.m = [self.beta1 * m + (1 - self.beta1) * g for m, g in zip(self.m, gradients, strict=True)]
        self.v = [self.beta2 * v + (1 - self.beta2) * g * g for v, g in zip(self.v, gradients, strict=True)]
        rate = self.rate * np.sqrt(1 - self.beta2**self.count) / (1 - self.beta1**self.count)
        return [w - rate * m / (np.sqrt(v) + self.epsilon) for w, m, v in zip(weights, self.m, self.v, strict=True)]


def epoch_mean(rows):
    """Means of dicts weighed with the samples of each batch; rows are (samples, dict)."""
    total = sum(count for count, _ in rows)
    return {key: sum(count * row[key] for count, row in rows) / total for key in rows[0][1]}


def evaluated(columns, weights, data, step, size=SIZE):
    """What `evaluate` should report; see `trained`."""
    return epoch_mean(
        [(_count(batch[0]), columns(weights, *batch, step=step, training=False)) for batch in batches(*data, size=size)]
    )


def _count(nest):
    return len(keras.tree.flatten(nest)[0])


def trained(columns, weights, data, optimizer, epochs=1, validation=None, first_step=0, size=SIZE):
    """(weights, history) that `fit(shuffle=False)` should give.

    Args:
        columns: (weights, *batch, step, training) -> {column: number}, "loss" among them, in plain NumPy.
        data, validation: tuples of nests of arrays.
    """
    step, history, weights = first_step, {}, [w.copy() for w in weights]
    for _ in range(epochs):
        rows = []
        for batch in batches(*data, size=size):
            here = dict(step=step, training=True)
            rows.append((_count(batch[0]), columns(weights, *batch, **here)))
            gradients = slope(lambda w: columns(w, *batch, **here)["loss"], weights)  # noqa: B023
            weights = [np.asarray(w) for w in optimizer(weights, gradients)]  # scalars stay arrays
            step += 1
        row = epoch_mean(rows)
        if validation is not None:
            row |= {f"val_{key}": value for key, value in evaluated(columns, weights, validation, step, size).items()}
        for key, value in row.items():
            history.setdefault(key, []).append(value)
    return weights, history


def close(got, expected, rtol=2e-5, atol=2e-6):
    """Two dicts of columns, or two lists of weights, agree."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys(), sorted(got.keys() ^ expected.keys())
        for key, value in expected.items():
            np.testing.assert_allclose(got[key], value, rtol=rtol, atol=atol, err_msg=key)
        return
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def assert_trains_as(model, columns, data, *, validation=None, epochs=2, rate=0.1, size=SIZE, optimizer=None, atol=2e-6):
    """`fit` and `evaluate` of a compiled model give the weights and every column of a NumPy run.

    Args:
        model: compiled with plain SGD of `rate`, or with what `optimizer` says in NumPy.
        columns: see `trained`; gets x, y and the sample weights where there are any.
    """
    before = weights_of(model)
    expected, history = trained(columns, before, data, optimizer or SGD(rate), epochs, validation, size=size)
    close(fit(model, data, validation=validation, epochs=epochs, size=size), history, atol=atol)
    close(weights_of(model), expected, atol=atol)
    x, y, *weight = validation or data
    report = model.evaluate(x, y, batch_size=size, verbose=0, return_dict=True, sample_weight=weight[0] if weight else None)
    steps = epochs * -(-_count(data[0]) // size)
    close(report, evaluated(columns, expected, validation or data, steps, size), atol=atol)
    assert int(model.objective.step) == steps


def fit(model, data, *, validation=None, epochs=1, size=SIZE, **kwargs):
    """History of `fit` in the order of the data, as a dict."""
    x, y, *weight = data
    history = model.fit(
        x,
        y,
        sample_weight=weight[0] if weight else None,
        batch_size=size,
        epochs=epochs,
        validation_data=validation,
        shuffle=False,
        verbose=0,
        **kwargs,
    )
    return history.history
