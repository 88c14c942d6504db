"""The state of a metric, summed over replicas."""

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.distribution._cross_replica_sum import cross_replica_sum
from kerasmith.distribution._running import RUNNING
from kerasmith.keras_internals.summed_metrics import is_summed


def metric_sum(variable: keras.Variable) -> Tensor:
    """The sum over replicas of what each has added to a metric's variable, for `result`; exactly once.

    tf.distribute sums the variable itself when it is read outside of the replicas, and Keras' trainer on PyTorch does since
    version 3.16.
    """
    known = RUNNING.merged.get(id(variable))
    if known is not None:
        return known
    if keras.backend.backend() == "torch" and not is_summed(variable):
        return cross_replica_sum(variable.value)
    return ops.convert_to_tensor(variable)
