"""A step on two replicas of one machine: TensorFlow can split a processor, the others need two processes."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.lazy_keras import backend


@functools.cache
def strategy() -> Any:
    """A strategy with two replicas.

    Raises:
        NotApplicable: on another backend, or if TensorFlow has begun to compute on one device.
    """
    if backend() != "tensorflow":
        raise NotApplicable("two replicas are tried on TensorFlow, where one processor can be both")
    import tensorflow as tf

    if len(tf.config.list_logical_devices("CPU")) < 2:
        raise NotApplicable("needs two virtual devices, which `kerasmith check` makes before TensorFlow starts")
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


def on_two_replicas(function: Callable[..., Any], *arrays: np.ndarray) -> list[Any]:
    """[(result on replica 0), (result on replica 1)] of `function(*tensors)` with half of the samples each.

    Args:
        function: runs inside `tf.function` in the replica context; returns a tensor or a structure of tensors.
        *arrays: NumPy arrays with an even number of samples.

    Returns:
        Two structures of NumPy arrays.
    """
    import tensorflow as tf

    two = strategy()
    halves = [np.split(array, 2) for array in arrays]
    shares = [
        two.experimental_distribute_values_from_function(
            lambda context, half=half: tf.constant(half[context.replica_id_in_sync_group])
        )
        for half in halves
    ]
    results = two.run(tf.function(function, autograph=False), args=tuple(shares))
    take = lambda index: tf.nest.map_structure(lambda r: np.array(two.experimental_local_results(r)[index]), results)  # noqa: E731
    return [take(0), take(1)]
