"""What a model is trained with, and who wins where a checkpoint says something else."""

import re
from typing import Any

import keras

from kerasmith.callbacks.loss_code import code_of_losses
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.learning_rate import inner, schedule_of
from kerasmith.report.describe import describe
from kerasmith.report.model_description import describe_compilation

_RATE = "learning rate"
_CODE = "code of the loss"
_BETWEEN = " | "
_MOST = 300  # characters in a message
# Keras counts the names of layers within a process.
_NUMBER = re.compile(r"_\d+\b")
_WINNERS = {
    "loss": "the loss of this script trains on",
    "loss weights": "those of this script train on",
    "optimizer": "the options of this script count, with the state of the checkpoint",
    "class weights": "those of this script train on",
    "dtype policy": "that of this script counts",
    "layers": "those of this script train on, with the weights of the checkpoint",
    "schedule": "the schedule of this script counts",
    "shuffling": "that of this script counts",
    _CODE: "the loss of this script trains on",
    _RATE: "the rate of the checkpoint counts. For another one put "
    "`keras.callbacks.LearningRateScheduler(lambda epoch: {})` into the list of callbacks",
}


def settings(model: keras.Model, fit: Any) -> dict[str, str]:
    """{name: text} of layers, loss, its weights, optimizer and learning rate of a compiled model, as far as described.

    Args:
        model: in a `fit`.
        fit: `fit_call.find()`.
    """
    compiled = describe_compilation(model)
    found = {name: compiled[name] for name in ("loss", "dtype policy") if name in compiled}
    found["class weights"] = "" if fit.class_weight is None else describe(fit.class_weight)
    if fit_call.is_arrays(fit):
        found["shuffling"] = "on" if fit.shuffle else "off"
    found |= {f"{_CODE} (Python {version})": text for version, text in code_of_losses(model).items()}
    found["layers"] = _BETWEEN.join(_NUMBER.sub("", describe(layer)) for layer in getattr(model, "layers", ()))
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
        before, after = (then[name], value) if name != "layers" else _first_difference(then[name], value)
        was, now_is = ("were", "are") if name in ("layers", "loss weights", "class weights") else ("was", "is")
        counts = _WINNERS[name.partition(" (")[0]].format(value)
        winner = "nothing is left to train, the weights are those of then" if is_over else counts
        warn(
            f"Resume: the {name} {was} {before[:_MOST] or 'none'} when this training began and {now_is} "
            f"{after[:_MOST] or 'none'} in this script: {winner}. To train anew, give another directory.",
            stacklevel=4,
        )


def _first_difference(then, now):
    pairs = zip(then.split(_BETWEEN), now.split(_BETWEEN), strict=False)
    return next((pair for pair in pairs if pair[0] != pair[1]), (then, now))
