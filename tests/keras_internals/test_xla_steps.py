"""Buffers of compiled steps of TensorFlow leave nothing behind."""

import weakref

import keras
import pytest

from kerasmith.keras_internals import xla_steps


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="such buffers are TensorFlow's")
def test_one_that_is_collected_while_another_step_is_traced_is_no_part_of_it():
    import tensorflow as tf

    class Buffer:
        pass

    buffers = [Buffer()]
    weakref.finalize(buffers[0], xla_steps._remove, [xla_steps._resource(tf.int64, [])])

    @tf.function(jit_compile=True)
    def step(x):
        buffers.clear()  # as the garbage collector may at any moment
        return x + 1.0

    assert float(step(tf.constant(1.0))) == 2.0
    assert not buffers
