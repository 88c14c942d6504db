"""Whether data are those that a training began with, and come in an order that can be repeated."""

import sys
import weakref
from typing import Any

import keras

from kerasmith.checkpoints import data_fingerprint
from kerasmith.checkpoints.dataset_samples import dataset_samples
from kerasmith.data import WeightedBatches
from kerasmith.files.messages import warn
from kerasmith.keras_internals import fit_call
from kerasmith.keras_internals.dataset_order import changing_order, own_generator, source_tensors

_TRAINED_ON: list[Any] = []  # weak references to datasets

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


def fingerprint(fit: Any) -> dict[str, Any]:
    """What the data of `fit_call.find()` are known by, as plain data; {} if by nothing.

    "arrays" and "batches" are one text. A dataset of the user's own has "samples", {place: [text, text of their order]},
    "options", {place: value}, and "fixed", how it is known that they stay what they are while it trains: "by class" or "in an
    epoch", or "" as long as it is not.
    """
    if fit_call.is_arrays(fit):
        found = data_fingerprint.of_arrays(fit.x, fit.y, fit.sample_weight)
        return {} if found is None else {"arrays": found}
    if isinstance(fit.x, WeightedBatches):
        found = data_fingerprint.of_dataset(fit.x)
        return {} if found is None else {"batches": found}
    source = _source(fit.x)
    if source is None:
        return {}
    known = dataset_samples(source)
    samples = {place: list(one) for place, one in known.samples.items()}
    return {"samples": samples, "options": known.options, "fixed": "" if _changes(type(fit.x)) else "by class"}


def after_epoch(known: dict[str, Any], fit: Any) -> dict[str, Any]:
    """What the data are known by after an epoch of training: what has changed is drawn anew, and None from now on."""
    if "samples" not in known or not hasattr(fit.x, "__dict__") or source_tensors(fit.x):
        return known
    now = fingerprint(fit)
    samples = {place: one if _same(one, now["samples"].get(place)) else None for place, one in known["samples"].items()}
    options = {place: value for place, value in known["options"].items() if now["options"].get(place) == value}
    # With `steps_per_epoch` the data may be in the midst of an epoch of their own.
    return {"samples": samples, "options": options, "fixed": "in an epoch" if fit.steps_per_epoch is None else known["fixed"]}


def going_on(then: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    """What the data are known by in a training that goes on: what was drawn anew before, or is another one now, is None."""
    before = (then or {}).get("samples")
    if not isinstance(before, dict) or "samples" not in now:
        return now
    samples = {place: one if _same(before.get(place, one), one) else None for place, one in now["samples"].items()}
    return {**now, "samples": samples}


def differences(then: dict[str, Any] | None, now: dict[str, Any], data: Any = None) -> list[str]:
    """A phrase if the data, what `fit` has as `x`, are other ones, in a list."""
    then = then or {}
    if any(kind in then and kind in now and then[kind] != now[kind] for kind in ("arrays", "batches")):
        return ["Its data had other samples (another fold, data set or order)"]
    other = _other_samples(then, now) if _is_sure(then, data) else []
    if not other:
        return []
    return [
        f"Its dataset had other samples in {_listed(other)} (another fold or data set; if they are drawn at random when the "
        "dataset is made, draw them with a seed, as `np.random.default_rng(1)`)"
    ]


def warn_of_other_samples(then: dict[str, Any] | None, now: dict[str, Any], data: Any) -> None:
    """Warns of a dataset that may be another one, or one in another order, where that may be meant so."""
    then = then or {}
    other = [] if _is_sure(then, data) else _other_samples(then, now)
    if other:
        warn(
            f"Resume: the dataset holds other samples in {_listed(other)} than when this training began. No epoch of it had "
            "ended, so nobody knows whether it draws them anew. If it is of another fold or data set, give another directory.",
            stacklevel=5,
        )
    order = [place for place, one, here in _pairs(then, now) if one[0] == here[0] and one[1] != here[1]]
    if order and not (_changes(type(data)) or _has_state(data)):
        warn(
            f"Resume: the dataset holds {_listed(order)} in another order, or from another directory, than when this training "
            "began. If the order is drawn at random, draw it with a seed: otherwise samples of an interrupted epoch are left "
            "out and others come twice.",
            stacklevel=5,
        )
    options = {
        place: (value, now["options"][place])
        for place, value in then.get("options", {}).items()
        if place in now.get("options", {}) and now["options"][place] != value
    }
    if options:
        listed = "; ".join(f"`{place}` was {before!r} and is {here!r}" for place, (before, here) in list(options.items())[:6])
        warn(
            f"Resume: the dataset has other options than when this training began: {listed}. If it is of another fold or data "
            "set, give another directory.",
            stacklevel=5,
        )


def _source(data):
    """What holds the samples, for `dataset_samples`; None where nothing is known to."""
    if isinstance(data, keras.utils.PyDataset):
        return data
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(data, torch.utils.data.DataLoader):
        return {"dataset": data.dataset, "sampler": data.sampler}
    return source_tensors(data) or None


def _is_sure(then, data):
    # The same object may have filled a memory of samples since then.
    return then.get("fixed") == "in an epoch" or (then.get("fixed") == "by class" and not _is_known(data))


def _is_known(data):
    return any(one() is data for one in _TRAINED_ON)


def remember(data: Any) -> None:
    """Notes that a training on a dataset has begun in this process."""
    if isinstance(data, keras.utils.PyDataset) and not _is_known(data):
        _TRAINED_ON.append(weakref.ref(data, _TRAINED_ON.remove))


def _other_samples(then, now):
    return [place for place, one, here in _pairs(then, now) if one[0] != here[0]]


def _pairs(then, now):
    """(place, then, now) of the samples that are in both and not drawn anew."""
    before, here = then.get("samples", {}), now.get("samples", {})
    return [(place, one, here[place]) for place, one in before.items() if None not in (one, here.get(place))]


def _same(one, other):
    return None not in (one, other) and one[0] == other[0]


def _listed(places):
    return ", ".join(f"`{place}`" for place in places[:6]) + (f" and {len(places) - 6} more" if len(places) > 6 else "")


def warn_of_changing_order(data: Any) -> None:
    """Warns of a dataset with an order of its own that no checkpoint holds: samples would be lost and others doubled."""
    name = type(data).__name__
    order = changing_order(data)
    if order is not None:
        problem, advice = (text.format(name=name) for text in _OF_TF_DATA[order])
    elif own_generator(data):
        problem = f"this {name} draws its order from a `generator` of its own"
        advice = "`DataLoader(..., shuffle=True)` without `generator`"
    elif _changes(type(data)) and not _has_state(data):
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
    return issubclass(dataset_class, keras.utils.PyDataset) and any(
        getattr(dataset_class, name, None) is not getattr(keras.utils.PyDataset, name, None)
        for name in ("on_epoch_begin", "on_epoch_end")
    )


def _has_state(data):
    return hasattr(data, "state_dict") and hasattr(data, "load_state_dict")
