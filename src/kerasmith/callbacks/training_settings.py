"""What a model is trained with, and who wins where a checkpoint says something else."""

import keras

from kerasmith.files.messages import warn
from kerasmith.keras_internals.learning_rate import inner, schedule_of
from kerasmith.report.describe import describe
from kerasmith.report.model_description import describe_compilation

_RATE = "learning rate"
_WINNERS = {
    "loss": "the loss of this script trains on",
    "loss weights": "those of this script train on",
    "optimizer": "the options of this script count, with the state of the checkpoint",
    "schedule": "the schedule of this script counts",
    _RATE: "the rate of the checkpoint counts. For another one put "
    "`keras.callbacks.LearningRateScheduler(lambda epoch: {})` into the list of callbacks",
}


def settings(model: keras.Model) -> dict[str, str]:
    """{name: text} of loss, loss weights, optimizer and learning rate of a compiled model, as far as they can be described."""
    found = {"loss": describe_compilation(model).get("loss", "")}
    try:
        weights = (model.get_compile_config() or {}).get("loss_weights")
        found["loss weights"] = "" if weights is None else describe(weights)
    except Exception:  # a user's part of `compile` may be one that cannot be described
        pass
    optimizer = inner(getattr(model, "optimizer", None))
    if optimizer is not None:
        try:
            config = dict(optimizer.get_config())
        except Exception:
            config = {}
        rate = config.pop("learning_rate", None)
        found["optimizer"] = describe({"class_name": type(optimizer).__name__, "config": config})
        if rate is not None:
            found[_RATE if schedule_of(optimizer) is None else "schedule"] = describe(rate)
    return found


def warn_of_other_settings(then: dict[str, str], now: dict[str, str], is_over: bool) -> None:
    """Warns of each setting that is another one than when the training began, and says which one counts.

    Args:
        then, now: what `settings` gave.
        is_over: whether nothing is left to train.
    """
    for name, value in now.items():
        if name not in then or then[name] == value:
            continue
        winner = "nothing is left to train, the weights are those of then" if is_over else _WINNERS[name].format(value)
        warn(
            f"Resume: the {name} was {then[name] or 'none'} when this training began and is {value or 'none'} in this script: "
            f"{winner}. To train anew, give another directory.",
            stacklevel=4,
        )
