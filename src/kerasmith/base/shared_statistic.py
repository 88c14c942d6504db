"""One statistic of a batch for several metrics that declare a common key."""

import threading
import weakref

import keras

_LAST = threading.local()  # replicas of tf.distribute run in threads


class _Entry:
    def __init__(self, inputs, settings, owner, value):
        self.inputs = inputs
        self.settings = settings
        self.owner = owner
        self.value = value
        self.readers = {id(owner)}


def shared_statistic(key, metric, settings, inputs, compute):
    """`compute()`, or what a metric with the same key has just computed from the same tensors.

    The first metric of a step computes, the others read. That two calls speak of one batch is seen by the identity of its
    tensors, never by their values; each metric reads a batch once, so a second update with the same tensors counts again.
    NumPy arrays can be written to between two calls without a trace, so they are never shared.

    Args:
        key: the declared key; None computes.
        metric: who asks.
        settings: {name: value} of everything that the statistic depends on.
        inputs: y_true, y_pred, sample_weight, mask as they came in.
        compute: the statistic.

    Raises:
        ValueError: if two metrics declare one key and differ in their settings.
    """
    marks = None if key is None else _marks(inputs)
    if marks is None:
        return compute()
    entries = _LAST.__dict__
    entry = entries.get(key)
    if entry is not None and _same(entry.inputs, marks) and id(metric) not in entry.readers:
        differing = sorted(name for name in settings if settings[name] != entry.settings[name])
        if differing:
            name = differing[0]
            raise ValueError(
                f"Metrics that share {key!r} must have the same settings. Received: {name}={settings[name]!r} in "
                f"'{metric.name}', {name}={entry.settings[name]!r} in '{entry.owner.name}'. Give them different keys."
            )
        entry.readers.add(id(metric))
        return entry.value
    entry = entries[key] = _Entry(marks, dict(settings), metric, compute())
    weakref.finalize(inputs[0], _forget, entries, key, entry)  # nothing of a batch is held longer than its labels
    return entry.value


def _forget(entries, key, entry):
    if entries.get(key) is entry:
        del entries[key]


def _marks(inputs):
    """What identifies the tensors of a batch, or None if something cannot be identified."""
    marks = [_place()]
    for x in inputs:
        if x is None:
            marks.append(None)
            continue
        if not keras.ops.is_tensor(x):
            return None
        try:
            # PyTorch counts writes to a tensor, and refuses to for some.
            marks.append((weakref.ref(x), getattr(x, "_version", 0)))
        except (TypeError, RuntimeError):
            return None
    return marks


def _place():
    """The graph that is being built: a tensor of an inner graph means nothing outside of it."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return None if tf.executing_eagerly() else (weakref.ref(tf.compat.v1.get_default_graph()), 0)


def _same(marks_a, marks_b):
    return all(
        (a is None and b is None)
        or (a is not None and b is not None and a[0]() is not None and a[0]() is b[0]() and a[1] == b[1])
        for a, b in zip(marks_a, marks_b, strict=True)
    )
