"""Losses in real fits: mixed precision, compiled or not, weight maps, masks from layers, unknown sizes."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from tests.losses.battery import OTHER_ROWS, ROWS, batch


@pytest.fixture
def policy(request):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")
# Each fit compiles, and what a policy changes is shared by all losses: on JAX and TensorFlow each is trained with one of the
# policies in turn, a third of them in each run.
COMPILED = ("jax", "tensorflow")
NUMBER = {str(row): number for number, row in enumerate([*ROWS, *OTHER_ROWS])}


def in_turn(row, policy):
    return [str(row)] * (POLICIES[NUMBER[str(row)] // 3 % 3] == policy)


def policies(test):
    heavy = pytest.mark.heavy(
        "trains each loss",
        on=COMPILED,
        seconds=1,
        light=lambda row, policy: NUMBER[str(row)] % 3 == 0 and in_turn(row, policy),
    )
    return pytest.mark.thinned("each fit compiles, with one policy in turn", by=in_turn)(heavy(test))


def network(logits=False):
    """One decision a pixel: batch and image sizes unknown until the first batch."""
    # Dense instead of Conv2D: PyTorch has no half-precision convolution gradient on the CPU.
    last = keras.layers.Dense(1, activation=None if logits else "sigmoid")
    return keras.Sequential([keras.Input((None, None, 1)), keras.layers.Dense(4, activation="relu"), last])


@policies
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_trains_to_a_lower_loss(row, policy):
    data = batch(1, size=(12, 16, 16))
    image = data.y_true + 0.3 * np.random.default_rng(0).normal(size=data.y_true.shape).astype("float32")
    model = network(logits=True)
    model.compile(keras.optimizers.Adam(0.03), row.build(from_logits=True))
    history = model.fit(image, data.ids, batch_size=5, epochs=6, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[-1] < 0.9 * history[0]


@keras.saving.register_keras_serializable("tests")
class Scale(keras.layers.Layer):
    """Multiplies each element by a weight of its own, so that any prediction can be trained as it is."""

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones")

    def call(self, x):
        return x * self.scale


@policies
@pytest.mark.parametrize("row", OTHER_ROWS, ids=str)
@pytest.mark.parametrize("policy", POLICIES, indirect=True)
def test_other_losses_train_to_a_lower_loss(row, policy):
    y_true, y_pred = row.batch()
    model = keras.Sequential([keras.Input(y_pred.shape[1:]), Scale()])
    model.compile(keras.optimizers.Adam(0.003), row.build())
    history = model.fit(y_pred, y_true, batch_size=4, epochs=4, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert history[0] == pytest.approx(
        float(row.build(dtype="float32")(y_true, y_pred)), rel=1e-5 if policy == "float32" else 0.05
    )
    # A scale shared by all samples can tear the mask of another one apart, so rules on components may rise again.
    assert min(history[1:]) < (history[0] if row.slope or policy == "float32" else max(history))


@pytest.mark.parametrize("jit_compile", [False, True])
def test_weight_maps_and_ragged_batches(jit_compile):
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("Keras compiles PyTorch models with torch.compile, which needs a C++ toolchain at run time")
    data, weight = batch(1, size=(7, 6, 5)), np.random.default_rng(1).random((7, 6, 5)).astype("float32")
    for row in (ROWS[0], ROWS[9], ROWS[13]):
        model = network()
        model.compile("sgd", row.build(), jit_compile=jit_compile)
        prediction = model.predict(data.y_pred, verbose=0)
        expected = float(row.build(reduction="sum")(data.y_true, prediction, weight)) / 7
        got = model.evaluate(data.y_pred, data.y_true, batch_size=3, sample_weight=weight, verbose=0)
        assert got == pytest.approx(expected, rel=1e-5)


def test_a_mask_from_a_layer_is_honoured():
    rng = np.random.default_rng(2)
    steps = rng.random((6, 9, 2)).astype("float32")
    steps[:, 5:] = 0
    ids = rng.integers(0, 3, (6, 9))
    model = keras.Sequential([keras.Input((9, 2)), keras.layers.Masking(), keras.layers.Dense(3, activation="softmax")])
    for loss in (losses.Dice(), losses.CrossEntropy()):
        model.compile("sgd", loss)
        prediction = model.predict(steps, verbose=0)
        expected = float(ops.convert_to_numpy(loss(ids[:, :5], prediction[:, :5])))
        assert model.evaluate(steps, ids, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_class_weight_of_fit_becomes_a_sample_weight():
    rng = np.random.default_rng(3)
    x, y = rng.random((8, 4)).astype("float32"), np.arange(8) % 2
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.0), losses.CrossEntropy(reduction="none"))
    each = np.asarray(ops.convert_to_numpy(losses.cross_entropy(y, model.predict(x, verbose=0))))
    model.compile(keras.optimizers.SGD(0.0), losses.CrossEntropy())
    history = model.fit(x, y, class_weight={0: 1.0, 1: 3.0}, batch_size=8, verbose=0).history
    assert history["loss"][0] == pytest.approx((each * np.where(y, 3.0, 1.0)).mean(), rel=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="unknown sizes inside a traced function are TensorFlow's")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_unknown_sizes_in_a_traced_function(row):
    import tensorflow as tf

    for channels in (1, 3):
        data = batch(channels)
        labels = tf.TensorSpec((None, None, None), tf.int32)
        for spec in ((None, None, None, channels), (None, 6, 5, channels)):
            traced = tf.function(row.build(), input_signature=[labels, tf.TensorSpec(spec), tf.TensorSpec((None,))])
            weight = np.linspace(0, 1, 4).astype("float32")
            expected = float(row.build()(data.ids, data.y_pred, weight))
            assert float(traced(tf.constant(data.ids, tf.int32), data.y_pred, weight)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tensors of unknown rank are TensorFlow's")
def test_unknown_rank_says_what_to_write():
    import tensorflow as tf

    traced = tf.function(losses.Dice(), input_signature=[tf.TensorSpec(None), tf.TensorSpec((None, 4, 4, 1))])
    with pytest.raises(ValueError, match="ensure_shape"):
        traced(np.zeros((1, 4, 4, 1), "float32"), np.zeros((1, 4, 4, 1), "float32"))
