"""Variables that survive an error in a step of JAX, where Keras takes their values out while it trains."""

import contextlib
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import keras

_PARTS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


class SurvivingVariables:
    """Mixin for `keras.Model`: after an error in `fit`, `evaluate` or `predict` the weights are those of the last whole step.

    Keras on JAX hands the values of the variables to the step, empties the variables and puts the new values back at the end
    of an epoch. An error in the first step, such as that of a wrong label, would leave a model without weights.
    """

    def _get_jax_state(self, *args: Any, **kwargs: Any) -> Any:
        method = super()._get_jax_state
        state = method(*args, **kwargs)
        asked = inspect.signature(method).bind(*args, **kwargs).arguments
        if asked.get("purge_model_variables"):
            # What Keras puts back when a step fails.
            self._jax_state = dict(zip([part for part in _PARTS if asked.get(part)], state, strict=True))
        return state

    def jax_state_sync(self) -> None:
        """As in Keras; values that went with a step that failed while it ran are not asked for."""
        parts = (getattr(self, "_jax_state", None) or {}).values()
        if not any(value.is_deleted() for part in parts for value in part or () if hasattr(value, "is_deleted")):
            super().jax_state_sync()

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        with _restored_after_error(self):
            return super().evaluate(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with _restored_after_error(self):
            return super().predict(*args, **kwargs)

    evaluate.__signature__ = inspect.signature(keras.Model.evaluate)
    predict.__signature__ = inspect.signature(keras.Model.predict)
    evaluate.__doc__, predict.__doc__ = keras.Model.evaluate.__doc__, keras.Model.predict.__doc__


@contextlib.contextmanager
def _restored_after_error(model):
    try:
        yield
    except BaseException:
        if keras.backend.backend() == "jax":
            model.jax_state_sync()
        raise


@contextlib.contextmanager
def variables_put_back() -> Iterator[None]:
    """Where an error is raised in a step of any model that JAX traces, its variables get their values back."""
    try:
        yield
    except BaseException:
        frame = sys._getframe(1)
        while frame is not None and not _holds_state(frame):
            frame = frame.f_back
        if frame is not None:
            model = frame.f_locals["self"]
            parts = [part for part in _PARTS if part != "optimizer_variables" or frame.f_code.co_name == "fit"]
            for part, values in zip(parts, frame.f_locals["state"]):
                owner = model.optimizer.variables if part == "optimizer_variables" else getattr(model, part)
                for variable, value in zip(owner, values, strict=True):
                    variable._value = value
        raise


def _holds_state(frame):
    is_loop = frame.f_code.co_name in ("fit", "evaluate", "predict") and isinstance(frame.f_locals.get("self"), keras.Model)
    return is_loop and isinstance(frame.f_locals.get("state"), tuple)
