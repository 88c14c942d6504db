"""Helpers of the checks of layers: known weights, what attributes lead to, how far arrays are apart, other lengths."""

import functools
from collections import deque

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.checks.engine.comparison import differ
from kerasmith.checks.engine.contract import Contract
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.inference import set_inputs
from kerasmith.checks.engine.spec import parse
from kerasmith.checks.engine.subject import subject_of
from kerasmith.checks.harness import layer_weights as weights
from kerasmith.checks.harness.attributes import reached_from
from kerasmith.checks.rules.layers.case import LayerCase
from kerasmith.checks.rules.layers.gradients import gradient_is_finite
from kerasmith.checks.rules.layers.lengths import stretched
from kerasmith.checks.rules.layers.randomness import owns_its_generator
from kerasmith.checks.rules.layers.shapes import unknown_batch_size


def case_of(component, init=None, like="float32[4,8]"):
    case = LayerCase(subject_of(component, init), Contract())
    set_inputs(case, {"inputs": like} if isinstance(like, str) else like)
    return case


def test_seeded_weights_keep_their_kind():
    rng = np.random.default_rng(0)
    variance = weights.seeded(np.ones(4, "float32"), rng)
    assert (variance > 1).all()
    drawn = weights.seeded(np.random.default_rng(1).normal(size=(50, 4)).astype("float32"), rng)
    assert abs(drawn.std() - 50**-0.5) < 0.03
    edges = np.arange(10, dtype="float32")
    assert weights.seeded(edges, rng) is edges
    positive = weights.seeded(np.random.default_rng(1).random((4, 8)).astype("float32") + 0.1, rng)
    assert (positive > 0).all()


def test_two_layers_have_the_same_outputs_and_a_loaded_one_keeps_its_weights():
    case = case_of(keras.layers.Dense, {"units": 3})
    assert not differ(case.outputs(case.make()), case.outputs(case.make()))
    layer = case.prepared()
    layer.kernel.assign(2 * layer.kernel)
    assert differ(case.outputs(layer), case.outputs(case.make()))


def test_random_layers_repeat_from_the_same_generator():
    case = case_of(keras.layers.GaussianNoise, {"stddev": 0.3, "seed": 3})
    layer = case.prepared()
    first = case.run(layer, training=True)
    assert not differ(first, case.run(layer, training=True))
    assert differ(first, case.arrays(case.call(layer, training=True)))


class _Holder:
    def __init__(self, layer):
        self.layer = layer


class Hiding(keras.layers.Layer):
    """Sublayers in every place where Keras does not look, and one where it does."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = [keras.layers.Dense(2)]
        self.table = np.ones(3)
        dense = keras.layers.Dense(2)
        self.hidden = {
            "object": _Holder(keras.layers.Dense(2)),
            "closure": lambda x: dense(x),
            "partial": functools.partial(_Holder, keras.layers.Dense(2)),
        }
        self.queue = deque([keras.layers.Dense(2)])

    def call(self, inputs):
        return self.seen[0](inputs)


def test_attributes_lead_to_what_keras_does_not_track():
    layer = Hiding()
    layer(ops.ones((2, 3)))
    found = {place.path for place in reached_from(layer) if isinstance(place.value, keras.layers.Layer)}
    assert found == {
        "self.hidden['object'].layer",
        "self.hidden['closure']['dense']",
        "self.hidden['partial']['args'][0]",
        "self.queue[0]",
    }
    assert [place.path for place in reached_from(layer) if place.value is layer.table] == ["self.table"]


def test_lengths_change_of_sequences_and_their_masks_only():
    specs = {"inputs": parse("float32[4,6,3]"), "mask": parse("bool[4,6]"), "states": parse("float32[4,6]")}
    longer = stretched(specs, lambda length: length + 3)
    assert [spec.shape for spec in longer.values()] == [(4, 9, 3), (4, 9), (4, 6)]
    vectors = {"inputs": parse("float32[4,6]"), "mask": parse("bool[4,6]")}
    assert stretched(vectors, lambda length: length + 3) == vectors


def test_the_keras_mask_reaches_a_layer_with_one_argument():
    case = case_of(keras.layers.GlobalAveragePooling1D, like={"inputs": "float32[4,6,3]", "mask": "bool[4,6]"})
    inputs = case.inputs
    retained = inputs["mask"][..., None]
    mean = (inputs["inputs"] * retained).sum(1) / retained.sum(1)
    np.testing.assert_allclose(case.outputs(case.make())[0], mean, rtol=1e-5)


def test_gradients_are_those_of_the_weighted_sum():
    case = case_of(keras.layers.Dense, {"units": 2, "use_bias": False})
    layer = case.prepared()
    _, (by_inputs,), (by_kernel,) = case.gradients(layer, case.inputs)
    factors = 1.0 + 0.5 * np.sin(12.9898 * np.arange(1, 9)).reshape(4, 2)
    kernel = ops.convert_to_numpy(layer.kernel)
    np.testing.assert_allclose(by_inputs, factors @ kernel.T, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_kernel, case.inputs["inputs"].T @ factors, rtol=1e-4, atol=1e-5)


class Root(keras.layers.Layer):
    """Finite at 0, where its slope is infinite, and times 0 NaN."""

    def call(self, inputs):
        return ops.sqrt(ops.sum(ops.square(inputs), axis=-1)) * (inputs[..., 0] * 0.0 + 1.0)


@pytest.mark.parametrize("like", ["float32[4,8]", ["float32[4,8](0,1)"], {"a": "float32[4,8](-1,1)"}], ids=str)
def test_an_infinite_slope_counts_where_the_inputs_may_be(like):
    """A declared domain without 0 and without equal values has no such sample, as angles or simplices."""
    if keras.backend.backend() == "tensorflow":
        pytest.skip("its slope of a root is 0 there")
    nested = isinstance(like, (list, dict))

    class Nested(Root):
        def call(self, inputs):
            return super().call(keras.tree.flatten(inputs)[0] if nested else inputs)

    with pytest.raises(Failed, match="numbers of the gradient are NaN or Inf"):
        gradient_is_finite(case_of(Nested, like={"inputs": like}))
    elsewhere = keras.tree.map_structure(lambda text: text.partition("(")[0] + "(1,2)", like)
    gradient_is_finite(case_of(Nested, like={"inputs": elsewhere}))


class Dropping(keras.layers.Layer):
    """Dropout of Keras, without a seed, in a layer; with `noise` it draws once more, from no generator of its own."""

    def __init__(self, noise=False, **kwargs):
        super().__init__(**kwargs)
        self.noise = noise
        self.inner = keras.layers.Dropout(0.5)

    def call(self, inputs, training=False):
        outputs = self.inner(inputs, training=training)
        return outputs + keras.random.normal(ops.shape(inputs)) if self.noise and training else outputs


def test_what_the_dropout_of_keras_does_is_no_fault_of_the_layer_around_it():
    with pytest.raises(Failed) as own:
        owns_its_generator(case_of(Dropping, {"noise": True}))
    assert own.value.severity is None
    if keras.config.backend() == "torch":
        with pytest.raises(Failed) as of_keras:
            owns_its_generator(case_of(Dropping))
        assert of_keras.value.severity == "note"
    else:
        owns_its_generator(case_of(Dropping))


class Positions(keras.layers.Layer):
    """A table of positions along axis -2, which is time in sequences and the batch in vectors."""

    def call(self, inputs):
        return inputs + ops.convert_to_tensor(np.arange(inputs.shape[-2], dtype="float32")[:, None])


class AppendsRows(keras.layers.Layer):
    """Asks for the size of the batch on inputs of any shape."""

    def call(self, inputs):
        return ops.concatenate([inputs, ops.zeros((inputs.shape[0], *inputs.shape[1:]))], axis=-1)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="only TensorFlow traces without a batch size")
def test_vectors_that_were_not_declared_are_no_sequences():
    declared, free, broken = case_of(Positions), LayerCase(subject_of(Positions, None), Contract()), case_of(AppendsRows)
    set_inputs(free)
    broken.archetype = "vectors"
    with pytest.raises(Failed):
        unknown_batch_size(declared)
    with pytest.raises(Inconclusive, match="declare"):
        unknown_batch_size(free)
    with pytest.raises(Failed):
        unknown_batch_size(broken)
