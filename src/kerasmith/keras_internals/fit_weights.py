"""How Keras makes weights of samples of weights of classes."""

from typing import Any


def of_classes(y: Any, class_weight: dict[int, float]) -> Any:
    """The weight of each sample, as `fit` makes it of `class_weight`.

    Args:
        y: an array of labels: ids, or one column for each class.
        class_weight: {id: weight}.
    """
    from keras.src.trainers.data_adapters.data_adapter_utils import class_weight_to_sample_weights

    return class_weight_to_sample_weights(y, class_weight)
