"""What an argument of a loss or metric does on a batch: change the result, be refused, or nothing."""

import functools
import inspect
import warnings

import keras
import numpy as np
from keras import ops

from kerasmith import losses, metrics
from kerasmith.metrics.pixel_metric import PixelMetric
from tests.arguments.values import OF_PIXELS, TRIALS, VALUES
from tests.losses.battery import OTHER_ROWS, ROWS, batch, masks
from tests.metrics.battery import ROWS as METRIC_ROWS

CHANGES, REFUSED, NOTHING = "changes the result", "is refused", "does nothing"


def _mask_batch():
    """Binary masks, one image without foreground."""
    truth, scores = masks()
    truth[1] = 0
    return truth, scores


def _class_batch(dense):
    """Three classes that compete, the last one absent from one image and not predicted there."""
    images = batch(3, size=(4, 12, 10))
    ids, scores = images.ids.copy(), images.y_pred.copy()
    ids[1] = np.minimum(ids[1], 1)
    scores[1, ..., 2] = 0
    scores[1] /= scores[1].sum(-1, keepdims=True)
    return (np.eye(3, dtype="float32")[ids] if dense else ids), scores


PIXELS = {
    "one channel": _mask_batch(),
    "class ids": _class_batch(dense=False),
    "one-hot labels": _class_batch(dense=True),
}


@functools.cache
def parts():
    """{class: [(instance, batch)]} of the public losses and metrics: the rows of their batteries."""
    found = {}
    for row in [*ROWS, *OTHER_ROWS]:
        found.setdefault(row.loss, []).append((row.build(), row.batch()))
    for row in METRIC_ROWS.values():
        metric = row.make()
        found.setdefault(type(metric), []).append((metric, row.data(np.random.default_rng(0))))
    return found


def reads_pixels(cls):
    """Whether a part reads labelled pixels."""
    return issubclass(cls, (losses.SegmentationLoss, PixelMetric))


def arguments(cls):
    """The names of the constructor's arguments."""
    return [p.name for p in inspect.signature(cls).parameters.values() if p.kind is not p.VAR_KEYWORD]


def trials(cls, argument):
    """(configuration, batch, other values) under which an argument of a class is tried."""
    part, first = parts()[cls][0]
    for trial in TRIALS.get((cls.__name__, argument), ()):
        yield trial.base, trial.batch() if trial.batch else first, trial.values
    for trial in OF_PIXELS.get(argument, ()) if reads_pixels(cls) else ():
        yield {**part._constructor_arguments, **trial.base}, trial.batch(), trial.values
    values = VALUES.get(argument, ())
    for part, data in parts()[cls]:
        yield part._constructor_arguments, data, values
    if reads_pixels(cls):
        for part, _ in parts()[cls]:
            for data in PIXELS.values():
                yield part._constructor_arguments, data, values


def effects(cls, argument, base, data, values):
    """The effects of other values of one argument, one by one."""
    before = _result(cls, base, data)
    for value in values if before is not None else ():
        if not _same(value, base.get(argument)):
            after = _result(cls, {**base, argument: value}, data)
            yield REFUSED if after is None else NOTHING if after == before else CHANGES


def _same(a, b):
    return type(a) is type(b) and a == b if isinstance(a, (bool, int, float, str, type(None))) else a is b


def _result(cls, config, data):
    """The result on a batch as a text, None if the configuration or the batch is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part = cls(**config)
            if isinstance(part, keras.losses.Loss):
                return repr(_rounded(part(*data)))
            part.update_state(*data)
            return repr(_rounded(part.result()))
    except (TypeError, ValueError):
        return None


def _rounded(x):
    if isinstance(x, dict):
        return {name: _rounded(value) for name, value in x.items()}
    return np.asarray(ops.convert_to_numpy(x), "float64").round(7).tolist()


def public():
    """The public losses and metrics, without the bases that users derive from."""
    names = [(module, name) for module in (losses, metrics) for name in module.__all__]
    return [getattr(module, name) for module, name in names if getattr(module, name) in parts()]
