"""Whether a checkpoint belongs to this training, and whether this training can be repeated at all."""

import warnings

import keras

from kerasmith.keras_internals import fit_call, random_state


def differences(state, fit, config):
    """What makes a checkpoint that of another training, as a list of phrases; empty if it is of this one.

    Args:
        state: the checkpoint.
        fit: `fit_call.find()`.
        config: {name: value} of the user.
    """
    if state["backend"] != keras.backend.backend():
        return [f"It was written on the backend {state['backend']}, this is {keras.backend.backend()}"]
    here = fit_call.facts(fit)
    there = {name: value for name, value in state["fit"].items() if None not in (value, here[name])}
    return [*_unequal(there, here), *_unequal({**dict.fromkeys(config), **state["config"]}, config)]


def check_company(resume, callbacks):
    """Refuses a second callback that would set where training begins."""
    for kind in (type(resume), keras.callbacks.BackupAndRestore):
        if any(isinstance(one, kind) and one is not resume for one in callbacks):
            other = "another Resume" if kind is type(resume) else "BackupAndRestore"
            raise ValueError(
                f"Resume and {other} are both in the list of callbacks, and each would set where training begins. Keep one."
            )


def warn_of_the_order(fit):
    """Warns of data whose order no seed and no generator state repeats."""
    if not (fit_call.is_arrays(fit) and fit.shuffle):
        return
    if keras.backend.backend() == "tensorflow":
        if random_state.tensorflow_is_seeded():
            return
        problem = "on TensorFlow without a seed (`keras.utils.set_random_seed(...)`)"
    elif fit.steps_per_epoch is not None:
        problem = "with `steps_per_epoch`, as an order then lasts for several epochs"
    else:
        return
    warnings.warn(
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
