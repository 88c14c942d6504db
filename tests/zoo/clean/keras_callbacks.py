"""The callbacks of Keras that are right; the others are in `tests.zoo.broken.keras_callbacks`."""

import keras

from tests.zoo.entries import Right


def _halved(epoch, rate):
    return rate * 0.5 if epoch else rate


RIGHT = [
    Right(keras.callbacks.Callback),
    Right(keras.callbacks.History),
    Right(keras.callbacks.LambdaCallback, init={"on_epoch_end": print}),
    Right(keras.callbacks.LearningRateScheduler, init={"schedule": _halved}),
    Right(keras.callbacks.ProgbarLogger),
    Right(keras.callbacks.RemoteMonitor, init={"root": "http://localhost:1"}),
    Right(keras.callbacks.SwapEMAWeights, contract={"observer": False}),
    Right(keras.callbacks.TerminateOnNaN),
    Right(keras.callbacks.TensorBoard, init={"log_dir": "logs"}),
    Right(keras.callbacks.CallbackList),
]
