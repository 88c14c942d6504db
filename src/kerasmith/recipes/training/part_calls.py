"""The metrics, callbacks, optimizer, schedule and model that a configuration names, checked without loading Keras."""

from typing import Any

from kerasmith.recipes.training import catalogue
from kerasmith.recipes.training.checked_call import check_arguments, part_of
from kerasmith.recipes.training.config import Config
from kerasmith.recipes.training.config_error import ConfigError, did_you_mean
from kerasmith.recipes.training.expression import Call
from kerasmith.recipes.training.loss_expression import plain, terms_of
from kerasmith.recipes.training.schedule_call import CONSTANT, check_schedule

OF_METRICS: dict[str, str] = {
    "from_logits": "the networks give logits",
    "axis": "channels are last",
    "labels": "masks hold ids",
    "ignore_class": "write `void:` for the id of pixels that count for nothing",
    "multi_label": "a pixel has one class",
    "missing": "masks have no missing labels",
    "num_classes": "`classes` says it",
    "class_names": "`classes` says it",
    "instance_labels": "write `instances: true`",
    "instance_predictions": "write `instances: true`",
    "inputs": "the networks give logits",
    "predictions": "the networks give logits",
    "share": "metrics are taken alone",
    "dtype": "sums are taken in float32",
}
_RATE = ("learning_rate",)
_USUAL = ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum")
_ADAM = (*_RATE, "beta_1", "beta_2", "epsilon")
OPTIMIZERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "adam": ("Adam", (*_ADAM, "amsgrad")),
    "adamw": ("AdamW", (*_ADAM, "amsgrad")),
    "nadam": ("Nadam", _ADAM),
    "adamax": ("Adamax", _ADAM),
    "lion": ("Lion", (*_RATE, "beta_1", "beta_2")),
    "rmsprop": ("RMSprop", (*_RATE, "rho", "momentum", "epsilon", "centered")),
    "adagrad": ("Adagrad", (*_RATE, "initial_accumulator_value", "epsilon")),
    "adadelta": ("Adadelta", (*_RATE, "rho", "epsilon")),
    "sgd": ("SGD", (*_RATE, "momentum", "nesterov")),
}
"""{name: (class of `keras.optimizers`, its own arguments)}."""

OF_KERAS: dict[str, tuple[str, tuple[str, ...], dict[str, str]]] = {
    "early_stopping": (
        "EarlyStopping",
        ("monitor", "min_delta", "patience", "verbose", "mode", "baseline", "restore_best_weights", "start_from_epoch"),
        {},
    ),
    "terminate_on_nan": ("TerminateOnNaN", (), {}),
}
"""{name: (class of `keras.callbacks`, arguments, those given by `train`)}."""

_PLACES = "the run has its own directory"
OF_CALLBACKS: dict[str, dict[str, str]] = {
    "gradient_health": {"directory": _PLACES, "report": _PLACES},
    "numerics_guard": {"directory": _PLACES},
    "reduce_on_plateau": {"optimizer": "there is one optimizer"},
    "time_limit": {"clock": "it is for tests"},
    "top_k_checkpoints": {"directory": _PLACES},
    "weight_averaging": {"update_batch_norm": "write `update_batch_norm` in a script of your own"},
}
"""{callback of kerasmith: {argument: why `train` gives it or offers it not}}; others are there already, or need objects."""

_THERE_ALREADY = ("history_csv", "live_progress", "loss_terms", "report_page", "resume", "run_report", "summary_file")
MODEL_ARGUMENTS: dict[str, dict[str, bool]] = {"unet": {"widths": False}, "application": {"weights": False, "widths": False}}


def check_parts(config: Config) -> None:
    """Raises `ConfigError` for a part that is not there, or arguments that it does not take."""
    if not config.is_auto("loss"):
        terms_of(config["loss"])
    if not config.is_auto("metrics"):
        for call in config["metrics"]:
            metric_arguments(call)
    for call in config["callbacks"]:
        callback_arguments(call)
    if not config.is_auto("optimizer"):
        optimizer_arguments(config["optimizer"])
    schedule = config["schedule"]
    if not config.is_auto("schedule") and not (schedule.name == CONSTANT and not schedule.arguments and not schedule.named):
        check_schedule(schedule)
        if not config.is_auto("optimizer") and "learning_rate" in optimizer_arguments(config["optimizer"])[1]:
            raise config.error(
                "schedule", "the optimizer has a `learning_rate`, and `schedule` would set another one. Remove one."
            )
    if not config.is_auto("model") and isinstance(config["model"], Call):
        model_arguments(config["model"])


def metric_arguments(call: Call) -> tuple[catalogue.Part, dict[str, Any]]:
    """(metric, {argument: plain value})."""
    part = part_of(call, ("metrics",))
    if catalogue.OF_MASKS not in part.arguments:
        raise ConfigError(
            call.place, f"`{call.name}` reads no masks. Write one that does, such as `dice_score`, `iou`, `lesion_detection`."
        )
    return part, _plain(call, check_arguments(call, part.arguments, part.positional, given=OF_METRICS))


def callback_arguments(call: Call) -> tuple[str, dict[str, Any]]:
    """("keras" or "kerasmith" and the class, {argument: plain value})."""
    if call.name in OF_KERAS:
        class_name, names, given = OF_KERAS[call.name]
        return f"keras:{class_name}", _plain(call, check_arguments(call, dict.fromkeys(names, False), names, given=given))
    if call.name in _THERE_ALREADY:
        raise ConfigError(call.place, f"`{call.name}` is there already. Remove it.")
    if call.name in ("schedule_lr", "tensor_board"):
        raise ConfigError(
            call.place, f"write `{'schedule' if call.name == 'schedule_lr' else 'tensorboard'}:` instead of `{call.name}`."
        )
    if call.name not in OF_CALLBACKS:
        known = [*OF_CALLBACKS, *OF_KERAS]
        there = catalogue.part("callbacks", call.name) is not None
        advice = f"There are: {', '.join(sorted(known))}." if there else did_you_mean(call.name, known)
        problem = (
            f"`{call.name}` needs objects that a configuration does not have."
            if there
            else f"there is no callback `{call.name}`."
        )
        raise ConfigError(call.place, f"{problem} {advice}")
    part = part_of(call, ("callbacks",))
    result = check_arguments(call, part.arguments, part.positional, given=OF_CALLBACKS[call.name])
    return f"kerasmith:{part.class_name}", _plain(call, result)


def optimizer_arguments(call: Call) -> tuple[str, dict[str, Any]]:
    """(class, {argument: plain value})."""
    if call.name not in OPTIMIZERS:
        raise ConfigError(call.place, f"there is no optimizer `{call.name}`. {did_you_mean(call.name, OPTIMIZERS)}")
    class_name, names = OPTIMIZERS[call.name]
    return class_name, _plain(call, check_arguments(call, dict.fromkeys((*names, *_USUAL), False), names))


def model_arguments(call: Call) -> dict[str, Any]:
    """{argument: plain value} of a model; names of `keras.applications` are not looked up."""
    kind = "unet" if call.name == "unet" else "application"
    names = MODEL_ARGUMENTS[kind]
    result = _plain(call, check_arguments(call, names, tuple(names)))
    widths = result.get("widths")
    if "widths" in result and not (
        isinstance(widths, list) and 1 <= len(widths) <= 8 and all(type(one) is int and 1 <= one <= 4096 for one in widths)
    ):
        raise ConfigError(call.place, "`widths` is a list of 1 to 8 whole numbers, such as [16, 32, 64].")
    if not isinstance(result.get("weights"), str | None):
        raise ConfigError(call.place, "`weights` is 'imagenet', the path of a file in quotes, or none.")
    return result


def _plain(call, result):
    return {name: plain(value, name, call.place) for name, value in result.items()}
