"""Finds the checkpoint that a training goes on from, and refuses one that is of another training."""

from pathlib import Path
from typing import Any

from kerasmith.callbacks import training_data
from kerasmith.callbacks.copies import CopyNumber
from kerasmith.callbacks.resume_checks import differences, refuse_a_copy
from kerasmith.callbacks.resume_messages import refuse, warn_of_damaged
from kerasmith.checkpoints.directory import CheckpointDirectory
from kerasmith.checkpoints.state_of_processes import of_rank
from kerasmith.distribution.exchange import all_must_succeed, first_decides, processes


def read(
    checkpoints: CheckpointDirectory, own: CopyNumber, fit: Any, config: dict[str, Any] | None, data: Any
) -> tuple[Any, Path | None, Any]:
    """The newest checkpoint that is whole. Warns of damaged ones and of other samples.

    Of several processes the first alone looks into the directory, and all go on from what it has found.

    Args:
        checkpoints: where to look.
        own: the number of this Resume, among its copies.
        fit: `fit_call.find()`.
        config: {name: value} of the user.
        data: `training_data.fingerprint(fit)`.

    Returns:
        (state, its file, the fingerprint of data to go on with); (None, None, data) of an empty directory. The state is that
        of this process, or of all where another number of processes has written it.

    Raises:
        ValueError: if it is of another backend, model, data or `config`, or a copy of this Resume has written it.
    """
    here = processes()
    state, file = first_decides(lambda: _newest(checkpoints))
    if state is None:
        return None, None, data
    if state.get("processes", 1) == here.count:
        state = of_rank(state, here.rank)

    def check() -> None:
        _refuse_other_shares(state, file, fit.x)
        refuse_a_copy(own, state.get("writer"), file)
        other_data = training_data.differences(state.get("samples"), data, fit.x)
        refuse([*differences(state, fit, config), *other_data], file)

    all_must_succeed(check)
    if here.rank == 0:
        training_data.warn_of_other_samples(state.get("samples"), data, fit.x)
    return state, file, training_data.going_on(state.get("samples"), data)


def _newest(checkpoints):
    checkpoints.remove_drafts()
    state, file, damaged = checkpoints.newest()
    warn_of_damaged(damaged)
    return state, file


def _refuse_other_shares(state, file, data):
    here, then = processes(), state.get("processes", 1)
    if then == here.count:
        return
    if type(data).__module__.partition(".")[0] == "tensorflow":
        raise ValueError(
            f"The checkpoint {file} is of {then} processes, and these are {here.count}: a `tf.data.Dataset` may give its "
            f"samples in another order then. Start {then} processes again, or train on arrays or a `keras.utils.PyDataset`."
        )
    if here.brings_own_share or state.get("brings own share"):
        raise ValueError(
            f"The checkpoint {file} is of {then} processes that each brought its own share of the data, and these are "
            f"{here.count}: other samples would meet in a step, and some come twice. Start {then} processes again, or let "
            "every process iterate over the same data, which any number of them may go on with."
        )
