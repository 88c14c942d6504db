"""Run by test_replicas.py in a process of its own: equations on two virtual replicas beside one device."""

import json

import keras
import numpy as np
import tensorflow as tf

from tests.physics.networks import X
from tests.physics.problems import problem

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)


def train():
    model = problem(jit_compile=False)
    model.optimizer.learning_rate = 0.01
    # The last batch has other numbers of points on the two replicas.
    history = model.fit(X[:21], batch_size=8, epochs=3, shuffle=False, verbose=0).history
    scores = model.evaluate(X[:21], batch_size=8, verbose=0, return_dict=True)
    return history, scores, [keras.ops.convert_to_numpy(v).ravel().tolist() for v in model.trainable_variables]


one = train()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    two = train()
assert np.isfinite(np.concatenate(two[2])).all()
print(json.dumps([one, two]))
