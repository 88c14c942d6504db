"""`kerasmith train config.yaml`: from folders of images and masks to a run directory."""

import dataclasses
import errno
import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from kerasmith.backends import installed_backends
from kerasmith.files.quiet_import import import_quietly
from kerasmith.recipes.training.config import Config, read_config
from kerasmith.recipes.training.config_error import ConfigError
from kerasmith.recipes.training.folds import train_folds
from kerasmith.recipes.training.plan import Plan, make_plan
from kerasmith.recipes.training.plan_text import plan_text
from kerasmith.recipes.training.resolved_file import resolved_text
from kerasmith.recipes.training.run_directory import MODEL, SUMMARY, Earlier, check_same, earlier_run, run_directory_of

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""Of a directory that takes no more: no room, the share of a user, the size of a file, a disk that may only be read."""

_RETAINED = ("from", "epochs", "backend")
"""Keys that an interrupted run keeps where nothing else is asked for."""


def train(
    config: str | os.PathLike[str] | Mapping[str, Any],
    *,
    plan_only: bool = False,
    overrides: Mapping[str, Any] | None = None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Trains a network on folders of images and masks (since 0.2).

    Run again, it goes on where it stopped, with more `epochs` also after its end.

    Args:
        config: the path of a configuration, or {key: value} of what would stand in one; see docs/train.md.
        plan_only: show what would be done and why; train nothing, write nothing.
        overrides: {key: value} that counts instead of what the configuration says.
        console: a `rich.console.Console`.

    Returns:
        What `summary.json` has of whole held-out images: dice, iou, dice_per_image, threshold, ...; with `plan_only`
        {"values", "reasons", "fingerprint", "notes", "resolved"} of the plan.

    Raises:
        recipes.training.ConfigError: a ValueError with file, line and column, before anything is written.
    """
    console = console or Console()
    read = read_config(config, overrides)
    if read["folds"] is not None and read["fold"] is None and not plan_only:
        return train_folds(config, read, overrides, console, train)
    earlier = earlier_run(run_directory_of(read))
    plan = make_plan(_going_on(_from_other(read), earlier))
    if earlier is not None:
        check_same(earlier, plan.values, plan.digest)
    if plan_only:
        console.print(plan_text(plan))
        return _as_dict(plan)
    if earlier is not None:
        finished = _finished(earlier, plan)
        if finished is not None:
            console.print(f"{earlier.directory} is complete. Raise `epochs` to go on with it.", markup=False, highlight=False)
            return finished
    else:
        _check_free(Path(plan.values["out"]))
    _choose_backend(plan)
    fitting = importlib.import_module("kerasmith.recipes.training.fitting")
    try:
        return fitting.fit(plan, earlier, console)
    except OSError as problem:
        if problem.errno not in _FULL:
            raise
        raise ConfigError(
            None,
            f"Cannot write into {plan.values['out']}: {problem.strerror}. Make room, or give another directory with `--out`; "
            "where there is room, the same command goes on.",
        ) from problem


def _from_other(config: Config) -> Config:
    """With the model of the run whose weights are asked for, where none was set."""
    if config["from"] is None or not config.is_auto("model"):
        return config
    other = earlier_run(config["from"])
    if other is None:
        raise config.error("from", f"{config['from']} is no run: it has no config.resolved.yaml.")
    return _with(config, {"model": other.config["model"]}, {"model": f"that of {other.directory}"})


def _going_on(config: Config, earlier: Earlier | None) -> Config:
    """With what an earlier run of the directory has decided, where nothing was set."""
    if earlier is None:
        return config
    decisions = {one["key"]: one for one in earlier.plan.get("decisions", [])}
    was_set = {key for key, one in decisions.items() if one["is_set"]}
    retained = {
        key: earlier.config[key]
        for key in config.settings
        if (key not in config.places or config.is_auto(key)) and (key in _RETAINED or key not in was_set) and key != "out"
    }
    why = {key: decisions[key]["why"] if key in decisions else "as the run began" for key in retained}
    return _with(config, retained, why)


def _with(config: Config, settings: Mapping[str, Any], why: Mapping[str, str]) -> Config:
    places = {key: place for key, place in config.places.items() if key not in settings}
    return dataclasses.replace(
        config, settings={**config.settings, **settings}, places=places, inherited={**config.inherited, **why}
    )


def _finished(earlier: Earlier, plan: Plan) -> dict[str, Any] | None:
    """The summary of a run that has nothing left to do, None of another."""
    if plan.values["epochs"] > earlier.epochs:
        return None
    try:
        summary = json.loads((earlier.directory / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return summary if "threshold" in summary and (earlier.directory / MODEL).is_file() else None


def _check_free(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise ConfigError(None, f"{directory} is a file. Give a directory with `--out`.")
    if directory.is_dir() and any(directory.iterdir()):
        raise ConfigError(
            None, f"{directory} holds files that are of no run. Give another directory with `--out`, or empty it."
        )


def _choose_backend(plan: Plan) -> None:
    backend = plan.values["backend"]
    if "keras" in sys.modules:
        import keras

        if keras.backend.backend() != backend:
            raise ConfigError(
                plan.config.places.get("backend"),
                f"Keras runs on {keras.backend.backend()} in this process already, the "
                f"run is for {backend}. Start a process with "
                f"KERAS_BACKEND={backend}.",
            )
    os.environ["KERAS_BACKEND"] = backend
    # Whatever the backend is: Keras' `set_random_seed` imports TensorFlow wherever it is installed.
    if "tensorflow" in installed_backends():
        import_quietly("tensorflow")


def _as_dict(plan: Plan) -> dict[str, Any]:
    return {
        "values": plan.values,
        "reasons": {one.key: one.why for one in plan.decisions},
        "fingerprint": plan.fingerprint,
        "notes": plan.notes,
        "resolved": resolved_text(plan.values, {one.key: one.why for one in plan.decisions if not one.is_set}),
    }
