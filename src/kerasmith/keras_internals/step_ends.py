"""Where the host may look at what the steps of a TensorFlow model have left, if it must not wait for another step.

That is the end of each epoch of `fit` and of `evaluate`, and the end of `train_on_batch` and `test_on_batch`. A model that was
compiled with Keras alone tells no part of ours that they have come, so its instance gets two functions around Keras' own.
"""

import sys
import types
import weakref
from typing import Any

import keras

from kerasmith.keras_internals.train_function_hook import TrainFunctionHook

_lookers: Any = weakref.WeakKeyDictionary()  # {model: who looks}


def look_after_steps(looker: Any) -> bool:
    """Calls `looker.look()` at these places from now on, while it exists; for the model whose step is being traced.

    Returns:
        False if that is no model's, or a model's that makes its own train function.
    """
    model = _model_that_is_traced()
    call = None if model is None else _running_call(model)
    if call is None:
        return False
    if model not in _lookers:
        _lookers[model] = weakref.WeakSet()
        vars(model)["get_metrics_result"] = _looking_first(model.get_metrics_result, _lookers[model])
    _lookers[model].add(looker)
    for name in ("train_function", "test_function"):
        _look_behind(model, name, _lookers[model])
    if isinstance(call, types.GeneratorType):
        # The call that is running began before: the batches that it was given go when it ends.
        weakref.finalize(call, _look, _lookers[model]).atexit = False
    return True


def _model_that_is_traced():
    model, frame = None, sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in ("train_step", "test_step") and isinstance(frame.f_locals.get("self"), keras.Model):
            model = frame.f_locals["self"]
        frame = frame.f_back
    return model


def _running_call(model):
    """The batches that the running `train_function` or `test_function` of a model was given; replicas run in other threads."""
    for frame in sys._current_frames().values():
        while frame is not None:
            is_of_trainer = frame.f_globals.get("__name__") == "keras.src.backend.tensorflow.trainer"
            if is_of_trainer and frame.f_code.co_name == "function" and frame.f_locals.get("self") is model:
                return frame.f_locals.get("iterator")
            frame = frame.f_back
    return None


def _looking_first(function, lookers):
    def look_and_call(*args: Any, **kwargs: Any) -> Any:
        _look(lookers)
        return function(*args, **kwargs)

    return look_and_call


def _look_behind(model, name, lookers):
    """Puts a function that looks after it ran in the place of the one that Keras has made since `compile`."""
    function = getattr(model, name)
    holder, name = (function, "inner") if isinstance(function, TrainFunctionHook) else (model, name)
    function = getattr(holder, name)
    if function is None or getattr(function, "looks", False):
        return

    def call_and_look(iterator: Any) -> Any:
        logs = function(iterator)
        if isinstance(iterator, types.GeneratorType):  # in `fit` the end of the epoch is soon enough
            _look(lookers)
        return logs

    call_and_look.looks = True
    setattr(holder, name, call_and_look)


def _look(lookers):
    import tensorflow as tf

    if tf.executing_eagerly():  # `get_metrics_result` is also called in the step
        for looker in list(lookers):
            looker.look()
