"""What a callback keeps of a model's weights is a copy."""

from typing import Any

from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.lazy_keras import backend, is_tensor
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.attributes import is_variable, reached_from
from kerasmith.checks.harness.temporary_cwd import temporary_cwd
from kerasmith.checks.rules.callbacks.case import MODEL_LINES, CallbackCase

_HOOKS = ("on_epoch_begin", "on_epoch_end", "on_train_begin")


@check("C123", "callback", "warning", requires=("base",), since="0.2.0")
def snapshots_are_copies(case: CallbackCase) -> None:
    """The callback keeps the model's variables themselves, which train on.

    `self.best = self.model.trainable_variables`, or `[v.value for v in ...]` on PyTorch and TensorFlow, is no snapshot: in the
    next step its numbers are the new ones. Restoring them restores nothing, a difference to them is 0.

    Fix: copy the numbers, `[keras.ops.convert_to_numpy(v).copy() for v in self.model.trainable_variables]`, or use
    `self.model.get_weights()`. A list of variables that is meant to follow the model may stay.
    """
    found: dict[str, str] = {}

    def look(hook: str, epoch: int | None, step: int | None) -> None:
        if hook in _HOOKS and not found:
            found.update(_held(script.callback, script.model))

    case.require_script()
    with temporary_cwd() as printed:
        callback = case.make()
        script = case.script(case.long[:3], printed, watch=look)
        script.run(callback)
    if not found:
        return
    path, name = next(iter(found.items()))
    attribute = path.removeprefix("self.").partition("[")[0].partition(".")[0]
    raise Failed(
        f"copies in `{path}`: numbers that stay as they were",
        f"it is the variable `{name}` of the model itself, or shares its memory",
        (
            *MODEL_LINES,
            "model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[callback])",
            f"kept = keras.tree.flatten(callback.{attribute})[0]; print(keras.ops.convert_to_numpy(kept).ravel()[:2])",
            "[v.assign(v + 1) for v in model.weights]",
            "print(keras.ops.convert_to_numpy(kept).ravel()[:2], 'after the model has changed')",
        ),
    )


def _held(callback: Any, model: Any) -> dict[str, str]:
    """{path: name of a variable} of what a callback keeps in attributes of its own and shares with the model."""
    owned = {}
    for variable in model.weights:
        owned[id(variable)] = variable.path
        owned[id(variable.value)] = variable.path
        if backend() == "torch":
            owned[variable.value.data_ptr()] = variable.path
    held = {}
    for place in reached_from(callback):
        value = place.value
        if place.path.startswith(("self._model", "self.model")) or not (is_variable(value) or is_tensor(value)):
            continue
        keys = [id(value)]
        if backend() == "torch" and is_tensor(value) and hasattr(value, "data_ptr"):
            keys.append(value.data_ptr())
        # On JAX a value is never written to: what is kept of it is a copy already.
        if backend() == "jax" and not is_variable(value):
            continue
        name = next((owned[key] for key in keys if key in owned), None)
        if name is not None:
            held[place.path] = name
    return held
