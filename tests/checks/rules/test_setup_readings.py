"""What losses are seen to take their predictions for."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.checks.rules.setups.loss_reading import encoding_of, reading_of
from kerasmith.keras_internals.compiled import wrap_loss
from kerasmith.losses import Dice, DiceCE, Focal

L = keras.losses


def raw_cross_entropy(y, p):
    return -ops.mean(y * ops.log(p) + (1 - y) * ops.log(1 - p), -1)


def log_of_the_true_class(y, p):
    return -ops.sum(y * ops.log(p + 1e-8), -1)


def soft_dice(y, p):
    return 1 - (2 * ops.sum(y * p) + 1) / (ops.sum(y) + ops.sum(p) + 1)


def softplus_of_logits(y, z):
    return ops.mean(ops.softplus(z) - y * z, -1)


def critic(y, p):
    return -ops.mean(y * p, -1)


def distance(y, d):
    return ops.mean(y * ops.square(d) + (1 - y) * ops.square(ops.maximum(1 - d, 0)), -1)


def pinball(y, p):
    return ops.mean(ops.maximum(0.9 * (y - p), -0.1 * (y - p)), -1)


ONE, ROWS, IDS, IMAGE = ((8, 1), (8, 1)), ((8, 5), (8, 5)), ((8,), (8, 5)), ((4, 4, 4, 1), (4, 4, 4, 1))
READINGS = [
    (L.BinaryCrossentropy(), ONE, "probabilities"),
    (L.BinaryCrossentropy(label_smoothing=0.1), ROWS, "probabilities"),
    (L.BinaryCrossentropy(from_logits=True, label_smoothing=0.2), ONE, "logits"),
    (L.CategoricalCrossentropy(), ROWS, "probabilities"),
    (L.CategoricalCrossentropy(from_logits=True), ROWS, "logits"),
    (L.SparseCategoricalCrossentropy(), IDS, "probabilities"),
    (L.SparseCategoricalCrossentropy(from_logits=True), IDS, "logits"),
    (L.BinaryFocalCrossentropy(), ONE, "probabilities"),
    (L.CategoricalFocalCrossentropy(from_logits=True), ROWS, "logits"),
    (L.KLDivergence(), ROWS, "probabilities"),
    (L.Hinge(), ONE, "logits"),
    (L.CategoricalHinge(), ROWS, None),
    (L.Poisson(), ONE, "positive"),
    (L.MeanSquaredError(), ONE, "values"),
    (L.Huber(), ROWS, "values"),
    (L.MeanAbsolutePercentageError(), ONE, "values"),
    (L.MeanSquaredLogarithmicError(), ONE, "values"),
    (L.CosineSimilarity(), ROWS, None),
    (L.Dice(), IMAGE, "probabilities"),
    (Dice(), IMAGE, "probabilities"),
    (Dice(from_logits=True), IMAGE, "logits"),
    (DiceCE(), IMAGE, "probabilities"),
    (Focal(), ONE, "probabilities"),
    (raw_cross_entropy, ONE, "probabilities"),
    (log_of_the_true_class, ROWS, "probabilities"),
    (soft_dice, IMAGE, "probabilities"),
    (softplus_of_logits, ONE, "logits"),
    (pinball, ONE, "values"),
    (critic, ONE, None),
    (distance, ONE, None),
]


@pytest.mark.heavy("thirty losses, asked thirty times each", on=("jax", "tensorflow"))
def test_readings():
    wrong = []
    # Each loss of its own make costs compilations there.
    asked = READINGS if keras.config.backend() == "torch" else READINGS[::6]
    for loss, (true, pred), kind in asked:
        found = reading_of(_value(loss), np.zeros(true, "float32"), np.zeros(pred, "float32")).kind
        if found != kind:
            wrong.append((getattr(loss, "name", loss), found, kind))
    assert not wrong


@pytest.mark.heavy("thirty questions to two losses", on=("jax", "tensorflow"))
def test_what_is_known_of_cross_entropies():
    ids = reading_of(_value(L.SparseCategoricalCrossentropy()), np.zeros(8, "int32"), np.zeros((8, 5), "float32"))
    assert (ids.encoding, ids.normalises, ids.logarithmic, ids.elementwise) == ("ids", True, True, False)
    rows = reading_of(_value(L.BinaryCrossentropy()), np.zeros((8, 5)), np.zeros((8, 5), "float32"))
    assert (rows.encoding, rows.normalises, rows.logarithmic, rows.elementwise) == ("classes", False, True, True)


@pytest.mark.host("shapes only, no tensors")
@pytest.mark.parametrize(
    ("true", "pred", "expected"),
    [
        ((8,), (8, 1), ("elements", -1)),
        ((8, 1), (8,), ("elements", -1)),
        ((8, 4, 4), (8, 4, 4, 1), ("elements", -1)),
        ((8, 5), (8, 5), ("classes", -1)),
        ((8,), (8, 5), ("ids", -1)),
        ((8, 1), (8, 5), ("ids", -1)),
        ((8, 4, 4, 1), (8, 4, 4, 3), ("ids", -1)),
        ((8, 4, 6), (8, 3, 4, 6), ("ids", 1)),
        ((8, 3), (8, 1), (None, -1)),
    ],
)
def test_encodings(true, pred, expected):
    assert encoding_of(true, pred) == expected


def _value(loss):
    loss = loss if isinstance(loss, L.Loss) else wrap_loss(loss)

    def value(y, p):
        try:
            found = float(ops.convert_to_numpy(loss(ops.convert_to_tensor(y), ops.convert_to_tensor(p))))
        except (ValueError, RuntimeError):
            return np.nan
        return found if np.isfinite(found) else np.nan

    return value
