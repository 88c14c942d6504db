"""Finds the checkpoint that a training goes on from, and refuses one that is of another training."""

from pathlib import Path
from typing import Any

from kerasmith.callbacks import training_data
from kerasmith.callbacks.copies import CopyNumber
from kerasmith.callbacks.resume_checks import differences, refuse_a_copy
from kerasmith.callbacks.resume_messages import refuse, warn_of_damaged
from kerasmith.checkpoints.directory import CheckpointDirectory


def read(
    checkpoints: CheckpointDirectory, own: CopyNumber, fit: Any, config: dict[str, Any] | None, data: Any
) -> tuple[Any, Path | None, Any]:
    """The newest checkpoint that is whole. Warns of damaged ones and of other samples.

    Args:
        checkpoints: where to look.
        own: the number of this Resume, among its copies.
        fit: `fit_call.find()`.
        config: {name: value} of the user.
        data: `training_data.fingerprint(fit)`.

    Returns:
        (state, its file, the fingerprint of data to go on with); (None, None, data) of an empty directory.

    Raises:
        ValueError: if it is of another backend, model, data or `config`, or a copy of this Resume has written it.
    """
    state, file, damaged = checkpoints.newest()
    warn_of_damaged(damaged)
    if state is not None:
        refuse_a_copy(own, state.get("writer"), file)
        other_data = training_data.differences(state.get("samples"), data, fit.x)
        refuse([*differences(state, fit, config), *other_data], file)
        training_data.warn_of_other_samples(state.get("samples"), data, fit.x)
        data = training_data.going_on(state.get("samples"), data)
    return state, file, data
