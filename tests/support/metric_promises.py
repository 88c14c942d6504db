"""What every metric on images promises, asked of one metric and one batch."""

import keras
import numpy as np
import pytest
from keras import ops


def read(metric):
    """The result as plain numbers."""
    return {key: float(ops.convert_to_numpy(value)) for key, value in metric.result().items()}


def value_of(make, y_true, y_pred, sample_weight=None):
    metric = make()
    metric.update_state(y_true, y_pred, sample_weight)
    return read(metric)


def same(got, expected, rel=1e-6):
    assert got == pytest.approx(expected, rel=rel, abs=1e-7, nan_ok=True)


def splits_do_not_matter(make, y_true, y_pred, seed=0, number=4):
    rng = np.random.default_rng(seed)
    expected = value_of(make, y_true, y_pred)
    for _ in range(number):
        metric = make()
        order = rng.permutation(len(y_true))
        for part in np.split(order, np.sort(rng.integers(0, len(order) + 1, 3))):
            if len(part):
                metric.update_state(y_true[part], y_pred[part])
        same(read(metric), expected)
    metric.reset_state()
    metric.update_state(y_true, y_pred)
    same(read(metric), expected)


def weights_repeat_and_delete(make, y_true, y_pred, seed=0):
    times = np.random.default_rng(seed).permutation(np.arange(len(y_true)) % 4)
    assert 0 in times
    for weight in (times.astype("float32"), times.astype("int32"), times[:, None].astype("float32")):
        same(value_of(make, y_true, y_pred, weight), value_of(make, np.repeat(y_true, times, 0), np.repeat(y_pred, times, 0)))
    nothing = value_of(make, y_true, y_pred, np.zeros(len(y_true)))
    same(nothing, no_data(make))


def no_data(make):
    """The result before any data: counts are 0, all else is NaN."""
    result = read(make())
    for key, value in result.items():
        count = key.rsplit("_", 1)[-1] in ("cases", "objects", "predictions", "classes") or "_objects_" in key
        count = count or "_predictions_" in key
        assert value == 0 if count else np.isnan(value), key
    return result


def config_round_trip(make):
    metric = make()
    config = keras.saving.serialize_keras_object(metric)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(metric)
    assert again.get_config() == metric.get_config()
    assert again.name == metric.name
    return again


def state_survives(make, y_true, y_pred):
    """Halfway through, the variables move to a metric made from the config."""
    half = len(y_true) // 2
    metric = make()
    metric.update_state(y_true[:half], y_pred[:half])
    again = config_round_trip(make)
    if not again.variables:
        again.update_state(y_true[:1], y_pred[:1])
    for old, new in zip(metric.variables, again.variables, strict=True):
        new.assign(ops.convert_to_numpy(old))
    again.update_state(y_true[half:], y_pred[half:])
    same(read(again), value_of(make, y_true, y_pred))


def leading_axes_stay(make, y_true, y_pred):
    """`combine` of totals stacked along a new first axis is `combine` of each."""
    parts = [slice(None, len(y_true) // 2), slice(1, None), slice(0, 1)]
    pairs = []
    for part in parts:
        metric = make()
        metric.update_state(y_true[part], y_pred[part])
        pairs.append(({name: total.value() for name, total in metric._totals.items()}, read(metric)))
    stacked = {name: ops.stack([totals[name] for totals, _ in pairs]) for name in pairs[0][0]}
    together = metric.combine(stacked)
    for i, (_, expected) in enumerate(pairs):
        same({key: float(ops.convert_to_numpy(value)[i]) for key, value in together.items()}, expected)


def in_fit(make, y_true, y_pred, jit_compile, batch_size=2):
    """The same through fit and evaluate of a model that returns its input."""
    expected = value_of(make, y_true, y_pred)
    model = identity_model(y_pred)
    model.compile("sgd", "mse", metrics=[make()], jit_compile=jit_compile)
    # A last batch that is smaller; a loss on its own output, which any labels allow.
    history = model.fit(y_pred, y_true, batch_size=batch_size, verbose=0, validation_data=(y_pred, y_true)).history
    logs = model.evaluate(y_pred, y_true, batch_size=batch_size, verbose=0, return_dict=True)
    for key, value in expected.items():
        np.testing.assert_allclose(history[key], [value], rtol=1e-5)
        np.testing.assert_allclose(history[f"val_{key}"], [value], rtol=1e-5)
        np.testing.assert_allclose(logs[key], value, rtol=1e-5)


def identity_model(y_pred):
    """A model that gives back its input, of any batch size."""
    channels = y_pred.shape[-1]
    inputs = keras.Input(y_pred.shape[1:])
    layer = keras.layers.Dense(channels, trainable=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.eye(channels), np.zeros(channels)])
    return model


def skip_jit_on_torch(jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
