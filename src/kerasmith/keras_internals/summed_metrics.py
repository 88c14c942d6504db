"""Whether Keras itself sums the variables of metrics over the processes of PyTorch, as it does since 3.16."""

import functools

import keras


def is_summed(variable: keras.Variable) -> bool:
    """Whether the value that `variable` has just now is Keras' sum over all processes.

    Since 3.16 `fit` and `evaluate` on PyTorch read results in a scope that puts the sum of each metric variable in its place.
    A `result()` outside of them sees what this process has counted.
    """
    if keras.backend.backend() != "torch" or not _trainer_sums():
        return False
    from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope

    return in_stateless_scope() and get_stateless_scope().get_current_value(variable) is not None


@functools.cache
def _trainer_sums() -> bool:
    from keras.src.backend.torch import trainer

    # Its class has another name from version to version, but is always the first base of `keras.Model`.
    return keras.Model.get_metrics_result.__module__ == trainer.__name__
