"""The losses against Keras and optax, and all libraries where pixels are ignored, classes weighed or channels independent."""

import itertools

import keras
import numpy as np
import optax
import pytest

from kerasmith import losses
from tests.losses.battery import batch
from tests.oracles import library_options as lib
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

MANY, ONE = (3, 8, 7), (1, 8, 7)
VOLUME = (2, 5, 6, 4)
WEIGHTS = [0.5, 2.0, 1.0]


def rows():
    """(name, our loss, oracle, channels, logits, labels, size); one image where the oracle's mean is over all pixels."""
    for channels, size in itertools.product((1, 3), (MANY, VOLUME)):
        yield (
            "optax Dice",
            losses.Dice(smooth=1.0, from_logits=True),
            lib.of_optax(optax.losses.dice_loss),
            channels,
            True,
            "ids",
            size,
        )
        tversky = lib.of_optax(lambda p, y: optax.losses.dice_loss(p, y, alpha=0.8, beta=0.3, smooth=0.5))
        ours = losses.Tversky(0.8, 0.3, smooth=0.5, from_logits=True)
        yield "optax Tversky", ours, tversky, channels, True, "ids", size
    background = lib.of_optax(lambda p, y: optax.losses.dice_loss(p, y, ignore_background=True))
    ours = losses.Dice(smooth=1.0, include_background=False, from_logits=True)
    yield "optax Dice", ours, background, 3, True, "ids", MANY
    for gamma, alpha in itertools.product((0.5, 2.0), (None, 0.3)):
        focal = lib.of_optax(
            lambda p, y, gamma=gamma, alpha=alpha: optax.losses.sigmoid_focal_loss(p, y, gamma=gamma, alpha=alpha)
        )
        yield "optax Focal", losses.Focal(gamma, alpha, from_logits=True), focal, 1, True, "ids", MANY
        balanced = {"apply_class_balancing": alpha is not None, "alpha": alpha or 0.25}
        for logits in (False, True):
            focal = keras.losses.BinaryFocalCrossentropy(gamma=gamma, from_logits=logits, dtype="float64", **balanced)
            yield "keras Focal", losses.Focal(gamma, alpha, from_logits=logits), lib.of_keras(focal), 1, logits, "ids", MANY
        focal = keras.losses.CategoricalFocalCrossentropy(alpha or 1.0, gamma, from_logits=True, dtype="float64")
        yield "keras Focal", losses.Focal(gamma, alpha, from_logits=True), lib.of_keras(focal), 3, True, "ids", VOLUME
    for labels in ("ids", "soft"):
        categorical = lib.of_optax(optax.losses.softmax_cross_entropy)
        yield "optax CrossEntropy", losses.CrossEntropy(from_logits=True), categorical, 3, True, labels, MANY
        binary = lib.of_optax(optax.losses.sigmoid_binary_cross_entropy)
        yield "optax CrossEntropy", losses.CrossEntropy(from_logits=True), binary, 1, True, labels, VOLUME
    for smoothing, size in itertools.product((0.0, 0.2), (MANY, VOLUME)):
        ours = losses.CrossEntropy(from_logits=True, label_smoothing=smoothing)
        smoothed = {"from_logits": True, "label_smoothing": smoothing, "dtype": "float64"}
        yield "keras CrossEntropy", ours, lib.of_keras(keras.losses.CategoricalCrossentropy(**smoothed)), 3, True, "ids", size
        yield "keras CrossEntropy", ours, lib.of_keras(keras.losses.BinaryCrossentropy(**smoothed)), 1, True, "ids", size
        ours = losses.CrossEntropy(label_smoothing=smoothing)
        binary = keras.losses.BinaryCrossentropy(label_smoothing=smoothing, dtype="float64")
        yield "keras CrossEntropy", ours, lib.of_keras(binary), 1, False, "ids", size
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=lib.IGNORED, dtype="float64")
    ours = losses.CrossEntropy(from_logits=True, ignore_class=lib.IGNORED)
    yield "keras CrossEntropy", ours, lib.of_keras(sparse, ids=True), 3, True, "ignored", ONE
    independent = losses.CrossEntropy(from_logits=True, multi_label=True)
    binary = keras.losses.BinaryCrossentropy(from_logits=True, dtype="float64")
    yield "keras CrossEntropy", independent, lib.of_keras(binary), 3, True, "independent", MANY
    keras_dice = keras.losses.Dice(axis=(0, 1, 2), reduction="mean", dtype="float64")
    yield "keras Dice", losses.Dice(smooth=0, scope="batch"), lib.of_keras(keras_dice), 3, False, "ids", MANY

    for channels in (1, 3):
        for kind, loss, config in (
            ("DiceLoss", losses.Dice(smooth=0.5, from_logits=True, ignore_class=lib.IGNORED), {}),
            ("DiceLoss", losses.Jaccard(smooth=0.5, from_logits=True, ignore_class=lib.IGNORED), {"jaccard": True}),
            ("DiceLoss", losses.Dice(smooth=0.5, from_logits=True, ignore_class=lib.IGNORED, scope="batch"), {"batch": True}),
        ):
            oracle = lib.monai_ignoring(kind, channels, smooth_nr=1.0, smooth_dr=1.0, **config)
            yield f"monai {type(loss).__name__}", loss, oracle, channels, True, "ignored", MANY
        ours = losses.Tversky(0.9, 0.2, smooth=1e-5, from_logits=True, ignore_class=lib.IGNORED)
        oracle = lib.monai_ignoring("TverskyLoss", channels, alpha=0.9, beta=0.2)
        yield "monai Tversky", ours, oracle, channels, True, "ignored", VOLUME
    yield (
        "monai Dice",
        losses.Dice(class_weights=WEIGHTS, from_logits=True),
        lib.monai_weighted_dice(WEIGHTS),
        3,
        True,
        "ids",
        MANY,
    )
    ours = losses.Focal(from_logits=True, ignore_class=lib.IGNORED)
    yield "monai Focal", ours, lib.monai_focal_ignoring(2.0), 3, True, "ignored", ONE

    for labels in ("ids", "ignored", "absent"):
        common = {"smooth": 0, "absent": "skip", "from_logits": True, "ignore_class": lib.IGNORED}
        yield "kornia Tversky", losses.Tversky(0.7, 0.4, **common), lib.kornia_tversky(0.7, 0.4), 3, True, labels, MANY
        yield "kornia Dice", losses.Dice(class_weights=WEIGHTS, **common), lib.kornia_dice(WEIGHTS), 3, True, labels, MANY
    for gamma in (0.5, 2.0):
        common = {"from_logits": True, "ignore_class": lib.IGNORED}
        ours = losses.Focal(gamma, [0.75, 0.25, 0.25], **common)
        yield "kornia Focal", ours, lib.kornia_focal(gamma, alpha=0.25), 3, True, "ignored", ONE
        ours = losses.Focal(gamma, class_weights=WEIGHTS, **common)
        yield "kornia Focal", ours, lib.kornia_focal(gamma, class_weights=WEIGHTS), 3, True, "ignored", ONE

    exact = {"smooth": 0.5, "eps": 0.0}
    for kind, loss in (("DiceLoss", losses.Dice), ("JaccardLoss", losses.Jaccard)):
        common = {"smooth": 0.5, "scope": "batch", "from_logits": True}
        name = f"smp {loss.__name__}"
        for channels, mode in ((1, "binary"), (3, "multiclass")):
            ours = loss(**common, ignore_class=lib.IGNORED)
            yield name, ours, lib.smp(kind, mode, ignore_index=lib.IGNORED, **exact), channels, True, "ignored", MANY
        yield name, loss(**common, multi_label=True), lib.smp(kind, "multilabel", **exact), 3, True, "independent", MANY
        ours = loss(**common, class_weights=WEIGHTS)
        yield name, ours, lib.smp(kind, "multiclass", class_weights=WEIGHTS, **exact), 3, True, "ids", MANY
    ours = losses.Focal(multi_label=True, from_logits=True)
    yield "smp Focal", ours, lib.smp("FocalLoss", "multilabel", gamma=2.0), 3, True, "independent", MANY
    ours = losses.Focal(1.5, 0.25, from_logits=True, ignore_class=lib.IGNORED)
    oracle = lib.smp("FocalLoss", "binary", gamma=1.5, alpha=0.25, ignore_index=lib.IGNORED)
    yield "smp Focal", ours, oracle, 1, True, "ignored", ONE
    ours = losses.CrossEntropy(from_logits=True, label_smoothing=0.2)
    yield "smp CrossEntropy", ours, lib.smp_smoothed_binary(0.1), 1, True, "ids", MANY
    yield "smp CrossEntropy", ours, lib.smp_smoothed(0.2), 3, True, "ids", MANY

    for smoothing in (0.0, 0.1):
        ours = losses.CrossEntropy(from_logits=True, ignore_class=lib.IGNORED, label_smoothing=smoothing)
        yield "torch CrossEntropy", ours, lib.torch_ignoring(label_smoothing=smoothing), 3, True, "ignored", ONE
    yield "torch CrossEntropy", losses.CrossEntropy(from_logits=True), lib.torch_soft(), 3, True, "soft", VOLUME
    yield "torch CrossEntropy", independent, lib.torch_independent(), 3, True, "independent", MANY


ROWS = list(rows())


def inputs(channels, logits, labels, size):
    """(labels for us, one-hot labels, ids, predictions)"""
    data, rng = batch(channels, size=size, logits=logits, seed=5), np.random.default_rng(6)
    ids, truth = data.ids.copy(), data.y_true
    if labels == "soft":
        truth = rng.random(truth.shape).astype("float32")
        truth = truth if channels == 1 else truth / truth.sum(-1, keepdims=True)
    elif labels == "independent":
        truth = rng.integers(0, 2, truth.shape).astype("float32")
    elif labels == "ignored":
        ids[rng.random(size) > 0.7] = lib.IGNORED
    elif labels == "absent":
        ids[0][ids[0] == channels - 1] = 0
    return (truth if labels in ("soft", "independent") else ids), truth, ids, data.y_pred


def features(row):
    """On TensorFlow optax would start JAX beside it, for half a minute."""
    if keras.backend.backend() == "tensorflow" and row[0].startswith("optax"):
        return []
    return {"loss": row[0], "channels": row[3], "labels": row[5]}


@pytest.mark.thinned("each row compiles anew", by=features)
@pytest.mark.parametrize("row", ROWS, ids=[f"{i}-{row[0]}-{row[5]}" for i, row in enumerate(ROWS)])
def test_value_and_gradient(row):
    _, loss, oracle, *setting = row
    given, truth, ids, prediction = inputs(*setting)
    expected, slope = oracle(truth, prediction, ids)
    got, other = value_and_grad(lambda p: loss(given, p), prediction)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_allclose(other, slope, rtol=0, atol=1e-6 * np.abs(slope).max())
