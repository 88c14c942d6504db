"""Schedules as a configuration writes them: `ramp(0, 0.3, epochs=20:60)`, `warmup(cosine_restarts(10), 5)`."""

from typing import Any

from kerasmith.recipes.training.checked_call import check_arguments, part_of
from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.expression import Call, Range

RAMP = "ramp"
CONSTANT = "constant"
_RAMP_ARGUMENTS = {"start": True, "stop": True, "epochs": True}
_GIVEN = {
    "steps_per_epoch": "lengths are in epochs, and `steps:` says how many steps those have",
    "name": "it is for callbacks",
}


def check_schedule(call: Call) -> None:
    """Raises `ConfigError` unless a call is a schedule of kerasmith with arguments that fit."""
    if call.name == RAMP:
        _check_ramp(call)
        return
    part = part_of(call, ("schedules",), [RAMP, CONSTANT])
    result = check_arguments(call, part.arguments, part.positional, given=_GIVEN)
    for name, value in result.items():
        if isinstance(value, Call) and name in ("inner", "schedule"):
            check_schedule(value)
        elif isinstance(value, Call) and (value.arguments or value.named):
            raise ConfigError(value.place, f"`{name}` takes a value, no call.")


def build_schedule(call: Call, steps: int) -> Any:
    """The schedule that a call describes, with `steps` steps in an epoch; loads Keras."""
    from kerasmith import schedules

    if call.name == RAMP:
        named = dict(zip(("start", "stop"), call.arguments)) | call.named
        epochs = named.pop("epochs")
        return schedules.Ramp(**named, begin=epochs.start, end=epochs.stop, steps_per_epoch=steps)
    part = part_of(call, ("schedules",))
    result = check_arguments(call, part.arguments, part.positional, given=_GIVEN)
    arguments = {}
    for name, value in result.items():
        is_schedule = isinstance(value, Call) and name in ("inner", "schedule")
        arguments[name] = build_schedule(value, steps) if is_schedule else value.name if isinstance(value, Call) else value
    if "steps_per_epoch" in part.arguments:
        arguments["steps_per_epoch"] = steps
    return getattr(schedules, part.class_name)(**arguments)


def _check_ramp(call):
    named = dict(call.named)
    epochs = named.get("epochs")
    place = call.places.get("epochs", call.place)
    example = "`ramp(0, 0.3, epochs=20:60)`"
    if epochs is None:
        raise ConfigError(call.place, f"`ramp` needs the epochs in which it goes up: {example}.")
    if not isinstance(epochs, Range):
        raise ConfigError(place, f"`epochs` is a range: {example}.")
    if not 0 <= epochs.start < epochs.stop:
        raise ConfigError(place, f"`epochs` goes from a number >= 0 to a larger one: {example}.")
    result = check_arguments(
        Call(call.name, call.arguments, named | {"epochs": 0}, call.place, call.places), _RAMP_ARGUMENTS, ("start", "stop")
    )
    for name in ("start", "stop"):
        if not isinstance(result[name], int | float) or isinstance(result[name], bool):
            raise ConfigError(call.place, f"`{name}` of `ramp` is a number: {example}.")
