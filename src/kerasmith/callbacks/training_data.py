"""Whether data are those that a training began with, and come in an order that can be repeated."""

from typing import Any

import keras

from kerasmith.checkpoints import data_fingerprint
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.dataset_order import changing_order, own_generator

# What is wrong with a tf.data.Dataset, and what to write.
_OF_TF_DATA = {
    "shuffle": (
        "the `shuffle` of this {name} draws another order in each process",
        "`dataset.shuffle(buffer_size, seed=1, reshuffle_each_iteration=False)`, one order for all epochs, or train on "
        "`kerasmith.data.WeightedBatches(x, y, batch_size)`",
    ),
    "seed": (
        "a part of this {name} chooses at random, and otherwise in each process",
        "`seed=1, rerandomize_each_iteration=False` there, as in `sample_from_datasets`",
    ),
    "deterministic": ("this {name} gives its elements as they are ready", "`deterministic=True` in its options and its `map`"),
}


def fingerprint(fit: Any) -> dict[str, str]:
    """{kind: text} of the data of `fit_call.find()`: "arrays" and "batches" are sure, "attributes" may be drawn anew."""
    if fit_call.is_arrays(fit):
        found, kind = data_fingerprint.of_arrays(fit.x, fit.y, fit.sample_weight), "arrays"
    elif isinstance(fit.x, keras.utils.PyDataset):
        own = type(fit.x).__module__.partition(".")[0] == "kerasmith"
        found, kind = data_fingerprint.of_dataset(fit.x), "batches" if own else "attributes"
    else:
        found, kind = None, ""
    return {} if found is None else {kind: found}


def differences(then: dict[str, str] | None, now: dict[str, str]) -> list[str]:
    """A phrase if the data are other ones, in a list."""
    sure = ({*(then or ())} & {*now}) - {"attributes"}
    other = any(then[kind] != now[kind] for kind in sure)
    return ["its data had other samples (another fold, data set or order)"] if other else []


def warn_of_other_samples(then: dict[str, str] | None, now: dict[str, str]) -> None:
    """Warns of a PyDataset of other samples, which may be meant so: a list that is drawn anew."""
    if "attributes" in (then or {}) and then["attributes"] != now.get("attributes", then["attributes"]):
        warn(
            "Resume: the dataset holds other arrays, or another order of them, than when this training began. If it is of "
            "another fold or data set, give another directory. If its order is drawn at random, seed its generator.",
            stacklevel=5,
        )


def warn_of_changing_order(data: Any) -> None:
    """Warns of a dataset with an order of its own that no checkpoint holds: samples would be lost and others doubled."""
    name = type(data).__name__
    order = changing_order(data)
    if order is not None:
        problem, advice = (text.format(name=name) for text in _OF_TF_DATA[order])
    elif own_generator(data):
        problem = f"this {name} draws its order from a `generator` of its own"
        advice = "`DataLoader(..., shuffle=True)` without `generator`"
    elif isinstance(data, keras.utils.PyDataset) and _changes(type(data)) and not _has_state(data):
        problem = f"{name} changes in `on_epoch_begin` or `on_epoch_end`, and has no state"
        advice = (
            "the two methods that keep its order and its generator: `def state_dict(self): return {'order': self.order, "
            "'generator': self.rng.bit_generator.state}` and `def load_state_dict(self, state): self.order, "
            "self.rng.bit_generator.state = state['order'], state['generator']`"
        )
    else:
        return
    warn(
        f"Resume: {problem}. In a training that goes on after an interruption some samples of the epoch would be left out and "
        f"others come twice. Write {advice}.",
        stacklevel=5,
    )


def _changes(dataset_class):
    return any(
        getattr(dataset_class, name, None) is not getattr(keras.utils.PyDataset, name, None)
        for name in ("on_epoch_begin", "on_epoch_end")
    )


def _has_state(data):
    return hasattr(data, "state_dict") and hasattr(data, "load_state_dict")
