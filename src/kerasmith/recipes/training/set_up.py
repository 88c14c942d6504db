"""Asks whether network, loss, metrics and batches of a plan belong together, before the run directory is made."""

import tempfile
from pathlib import Path
from typing import Any

import keras

from kerasmith.checks.engine.finding import Finding
from kerasmith.checks.engine.structural_findings import structural_findings, text_of
from kerasmith.checks.engine.training_setup import FitArguments, TrainingSetup
from kerasmith.files.messages import warn
from kerasmith.recipes.training import parts
from kerasmith.recipes.training.config_error import ConfigError, Place
from kerasmith.recipes.training.logits import not_logits
from kerasmith.recipes.training.plan import Plan


def ask(plan: Plan, model: keras.Model, patches: Any, windows: Any) -> list[Finding]:
    """The warnings about a set-up, which is left as it was.

    Args:
        plan: what to do.
        model: compiled.
        patches, windows: the batches to train on, and those held out or None.

    Raises:
        ConfigError: where something is an error, with what to write instead.
    """
    try:
        with tempfile.TemporaryDirectory() as scratch:
            watchers = tuple(parts.make_callbacks(plan, Path(scratch)))
            fit = FitArguments(epochs=plan.values["epochs"], shuffle=False, callbacks=watchers)
            findings = structural_findings(TrainingSetup(model, patches, validation_data=windows, fit=fit))
    except Warning:
        raise  # made an error by a filter of the user's
    except Exception as problem:  # a question that cannot be asked ends no training
        warn(f"The set-up was not asked about: {type(problem).__name__}: {problem}")
        return []
    require_logits(plan, model, patches)
    errors = [one for one in findings if one.severity == "error"]
    if errors:
        raise ConfigError(
            Place(plan.config.name),
            f"this set-up is wrong, as the first batch shows before any step:\n{text_of(errors)}\n"
            "Nothing was written. Where it is meant so, write `check: false`.",
        )
    return [one for one in findings if one.severity == "warning"]


def require_logits(plan: Plan, model: keras.Model, patches: Any) -> None:
    """Refuses a network of the user's with an activation behind it, of which the questions about an objective know nothing.

    Args:
        plan: what to do.
        model: its network.
        patches: batches of it.

    Raises:
        ConfigError: with what to write instead.
    """
    text = plan.values["model"]
    if ":" not in text.split("(")[0]:
        return
    problem = not_logits(model, patches[0][0], elementwise=plan.outputs == "sigmoid")
    if problem is not None:
        raise ConfigError(
            plan.config.places.get("model", Place(plan.config.name)),
            f"`{text}` must give logits, numbers of any size, which all losses, metrics and predictions here read; {problem}, "
            "whatever the weights are. Leave out the activation of the last layer. Nothing was written. Where it is meant so, "
            "write `check: false`.",
        )
