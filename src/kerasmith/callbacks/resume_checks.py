"""Whether a checkpoint belongs to this training, and whether this training can be repeated at all."""

from collections.abc import Sequence
from typing import Any

import keras

from kerasmith.callbacks.copies import CopyNumber
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call, random_state
from kerasmith.keras_internals.data_epoch import is_unknown
from kerasmith.keras_internals.versions import NEWEST_TRIED, OLDEST_TRIED, shuffles_by_counter, was_tried


def differences(state: Any, fit: Any, config: dict[str, Any] | None) -> list[str]:
    """What makes a checkpoint that of another training, as a list of phrases; empty if it is of this one.

    Args:
        state: the checkpoint.
        fit: `fit_call.find()`.
        config: {name: value} of the user.
    """
    if state["backend"] != keras.backend.backend():
        return [f"It was written on the backend {state['backend']}, this is {keras.backend.backend()}"]
    if shuffles_by_counter(state["keras"]) != shuffles_by_counter():
        return [
            f"It was written with Keras {state['keras']}, this is {keras.__version__}, which takes data in another order: go "
            f"on with keras=={state['keras']}"
        ]
    here = fit_call.fingerprint(fit)
    there = {name: value for name, value in state["fit"].items() if None not in (value, here[name])}
    return [*_unequal(there, here), *_unequal({**dict.fromkeys(config), **state["config"]}, config)]


def check_callback_list(resume: keras.callbacks.Callback, callbacks: Sequence[keras.callbacks.Callback]) -> None:
    """Refuses a second callback that would set where training begins."""
    for kind in (type(resume), keras.callbacks.BackupAndRestore):
        if any(isinstance(one, kind) and one is not resume for one in callbacks):
            other = "another Resume" if kind is type(resume) else "BackupAndRestore"
            raise ValueError(
                f"Resume and {other} are both in the list of callbacks, and each would set where training begins. Keep one."
            )


def refuse_a_copy(own: CopyNumber, writer: str | None, file: Any) -> None:
    """Refuses a checkpoint that a copy of the same Resume has written in this process, for a training of its own."""
    if own.is_sibling(writer):
        raise ValueError(
            f"The checkpoint {file} was written by a copy of this Resume, for another training of this process. "
            "Each training needs a directory of its own. KerasTuner, for one, copies callbacks for each trial: make this one "
            'in the `fit` of a `HyperModel`, as `Resume("checkpoints/" + "_".join(map(str, hp.values.values())))`.'
        )


def warn_of_the_version() -> None:
    """Warns of a version of Keras that nobody has tried this with."""
    if not was_tried():
        oldest, newest = (".".join(map(str, version)) for version in (OLDEST_TRIED, NEWEST_TRIED))
        warn(
            f"Resume was tried with Keras {oldest} to {newest}, not with {keras.__version__}. A resumed training may not be "
            "bit for bit the same, and nothing would say so.",
            stacklevel=4,
        )


def warn_of_the_order(fit: Any) -> None:
    """Warns of data whose order no seed and no generator state repeats."""
    if not (fit_call.is_arrays(fit) and fit.shuffle):
        return
    if is_unknown(fit.epoch_iterator.data_adapter):
        problem = f"with Keras {keras.__version__}, which keeps its place in the data elsewhere"
    elif keras.backend.backend() == "tensorflow" and not shuffles_by_counter():
        if random_state.tensorflow_is_seeded():
            return
        problem = "on TensorFlow without a seed (`keras.utils.set_random_seed(...)`)"
    elif fit.steps_per_epoch is not None:
        problem = "with `steps_per_epoch`, as an order then lasts for several epochs"
    else:
        return
    warn(
        f"Resume: shuffled arrays come in an order that cannot be repeated {problem}: a resumed training will be right, "
        "but not bit for bit the same. Train on `kerasmith.data.WeightedBatches(x, y, batch_size)` instead.",
        stacklevel=4,
    )


def _unequal(there, here):
    return [
        f"{name}: {value!r} in the checkpoint, {here.get(name)!r} here"
        for name, value in there.items()
        if value != here.get(name)
    ]
