"""The losses against float64 NumPy: logits, labels of all kinds, ignored pixels, weights, layouts, reductions.

`test_against_closed_form.py` has the options of the region family alone; here they meet everything else.
"""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses
from tests.losses.battery import batch
from tests.oracles import pixel_numpy, region_closed_form
from tests.oracles.activations import probabilities, slope_by_logits
from tests.support import float64
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

IGNORED = 255


@dataclasses.dataclass(frozen=True)
class Row:
    """One configuration.

    Attributes:
        loss, config: ours.
        terms: (factor, "region" or "pixel", keywords of the oracle) of each summand.
        labels: "ids", "uint8", "column" (B, *spatial, 1), "one_hot", "soft", "independent", ids with "ignored" pixels.
        weights: "sample", "pixel" or None.
    """

    loss: type
    config: dict
    terms: tuple
    channels: int = 3
    logits: bool = True
    labels: str = "ids"
    weights: str | None = None
    first: bool = False
    reduction: str = "sum_over_batch_size"
    size: tuple = (3, 8, 7)

    @property
    def binary(self):
        return self.channels == 1 or self.labels == "independent"

    def build(self, dtype):
        ignore = {"ignore_class": IGNORED} if self.labels == "ignored" else {}
        return self.loss(
            **self.config,
            **ignore,
            from_logits=self.logits,
            axis=1 if self.first else -1,
            multi_label=self.labels == "independent",
            reduction=self.reduction,
            dtype=dtype,
        )

    def __str__(self):
        options = [f"{k}={v}" for k, v in self.config.items()]
        options += [str(self.channels), "logits" * self.logits, self.labels, self.weights or "", "first" * self.first]
        return "-".join([self.loss.__name__, *filter(None, options), self.reduction, f"{len(self.size) - 1}d"])


def region(name, **oracle):
    return ((1.0, "region", {"name": name, **oracle}),)


def pixel(**oracle):
    return ((1.0, "pixel", oracle),)


def rows():
    regions = [
        (losses.Dice, {}, region("Dice")),
        (losses.Jaccard, {"smooth": 0.0}, region("Jaccard", smooth=0.0)),
        (losses.FocalTversky, {"alpha": 0.6, "beta": 0.2}, region("FocalTversky", alpha=0.6, beta=0.2, gamma=0.75)),
        (losses.LogCoshDice, {"scope": "batch"}, region("LogCoshDice", scope="batch")),
        (losses.GeneralizedDice, {"smooth": 0.5}, region("GeneralizedDice", smooth=0.5)),
    ]
    pixels = [
        (losses.CrossEntropy, {}, pixel()),
        (losses.CrossEntropy, {"label_smoothing": 0.2}, pixel(label_smoothing=0.2)),
        (losses.Focal, {}, pixel(gamma=2.0)),
        (losses.Focal, {"gamma": 0.5}, pixel(gamma=0.5)),
    ]
    for (loss, config, terms), channels, labels in itertools.product(
        regions + pixels, (1, 3), ("uint8", "column", "one_hot", "soft", "ignored", "independent")
    ):
        if labels == "independent" and channels == 1:
            continue
        yield Row(loss, config, terms, channels, labels=labels)
    for (loss, config, terms), channels in itertools.product(regions + pixels, (1, 3)):
        yield Row(loss, config, terms, channels, labels="ignored", weights="pixel", logits=channels == 1, first=channels == 3)
        yield Row(loss, config, terms, channels, size=(2, 5, 6, 4), weights="sample", reduction="mean_with_sample_weight")
        yield Row(loss, config, terms, channels, size=(3, 56), logits=False, weights="pixel", reduction="sum")
    for loss, config, terms in pixels:
        for channels, class_weights in ((1, [0.3, 2.0]), (3, [0.3, 2.0, 1.0])):
            weighted = tuple((f, family, {**oracle, "class_weights": class_weights}) for f, family, oracle in terms)
            for labels, weights, reduction in (
                ("ids", None, "mean_with_sample_weight"),
                ("soft", "pixel", "sum_over_batch_size"),
                ("ignored", "pixel", "mean_with_sample_weight"),
            ):
                classes = {**config, "class_weights": class_weights}
                yield Row(loss, classes, weighted, channels, labels=labels, weights=weights, reduction=reduction)
        yield Row(loss, classes, weighted, 3, labels="independent", weights="sample", reduction="sum")
    for channels, alpha, factors in (
        (1, 0.25, [0.75, 0.25]),
        (1, [2.0, 0.5], [2.0, 0.5]),
        (3, [0.1, 3.0, 1.0], [0.1, 3.0, 1.0]),
    ):
        for labels, logits in itertools.product(("ids", "soft", "ignored"), (False, True)):
            config = {"gamma": 3.0, "alpha": alpha}
            yield Row(losses.Focal, config, pixel(gamma=3.0, alpha=factors), channels, logits, labels)
    for channels, weights, labels, logits in itertools.product((1, 3), (None, "pixel"), ("soft", "ignored"), (False, True)):
        dice = {"name": "Dice", "smooth": 1.0}
        config = {"dice_weight": 0.4, "ce_weight": 1.5, "label_smoothing": 0.1, "smooth": 1.0}
        terms = ((0.4, "region", dice), (1.5, "pixel", {"label_smoothing": 0.1}))
        yield Row(losses.DiceCE, config, terms, channels, logits, labels, weights)
        config = {"dice_weight": 0.4, "focal_weight": 1.5, "gamma": 1.5, "smooth": 1.0}
        terms = ((0.4, "region", dice), (1.5, "pixel", {"gamma": 1.5}))
        yield Row(losses.DiceFocal, config, terms, channels, logits, labels, weights)


def features(row):
    """Each loss meets each number of channels, each kind of labels and each kind of weights."""
    return {"loss": row.loss.__name__, "channels": row.channels, "labels": row.labels, "weights": row.weights}


ROWS = list(rows())


def inputs(row):
    """(labels as given, dense float64 labels, predictions, valid, sample weights, pixel weights), channels last."""
    data, rng = batch(row.channels, size=row.size, logits=row.logits, seed=3), np.random.default_rng(4)
    ids, valid = data.ids.copy(), np.ones(row.size)
    if row.labels == "ignored":
        valid = (rng.random(row.size) > 0.3).astype("float64")
        ids = np.where(valid > 0, ids, IGNORED)
    if row.labels == "independent":
        truth = rng.integers(0, 2, (*row.size, row.channels)).astype("float64")
    elif row.labels == "soft":
        truth = rng.random((*row.size, row.channels)).astype("float32").astype("float64")
        truth = truth if row.channels == 1 else truth / truth.sum(-1, keepdims=True)
    else:
        kept = np.where(valid > 0, ids, 0)
        truth = (kept[..., None] if row.channels == 1 else np.eye(row.channels)[kept]) * valid[..., None]
    given = {"uint8": ids.astype("uint8"), "column": ids[..., None]}.get(row.labels, ids)
    if row.labels in ("one_hot", "soft", "independent"):
        given = truth
    outer = rng.random(row.size[0]) if row.weights == "sample" else None
    weight = rng.random(row.size) if row.weights == "pixel" else None
    return given, truth, data.y_pred.astype("float64"), valid, outer, weight


def oracle(row, truth, scores, valid, outer, weight):
    flat = row.size[0], -1, row.channels
    p = probabilities(scores, row.binary) if row.logits else scores
    truth, flat_p = truth.reshape(flat), p.reshape(flat)
    valid = valid.reshape(flat[:2])
    weight = np.ones_like(valid) if weight is None else weight.reshape(flat[:2])
    value, slope = 0.0, 0.0
    for factor, family, keywords in row.terms:
        if family == "pixel":
            term = pixel_numpy.value_and_grad(
                truth,
                flat_p,
                binary=row.binary,
                weight=weight,
                valid=valid,
                sample_weight=outer,
                reduction=row.reduction,
                **keywords,
            )
        else:
            term = region_closed_form.value_and_grad(
                truth=truth, p=flat_p, weight=weight * valid, sample_weight=outer, **keywords
            )
            # The oracle divides by the size of the batch.
            total = row.size[0] if outer is None else outer.sum()
            change = (
                row.size[0] / {"sum_over_batch_size": row.size[0], "sum": 1.0, "mean_with_sample_weight": total}[row.reduction]
            )
            term = tuple(change * x for x in term)
        value, slope = value + factor * term[0], slope + factor * term[1]
    slope = slope.reshape(scores.shape)
    return value, slope_by_logits(slope, p, row.binary) if row.logits else slope


def ours(row, dtype, given, truth, scores, valid, outer, weight, jit=False):
    first = (lambda x: np.ascontiguousarray(np.moveaxis(x, -1, 1))) if row.first else (lambda x: x)
    if given.dtype.kind == "f":
        given = first(given.astype(dtype))
    weights = outer if weight is None else weight
    weights = None if weights is None else weights.astype(dtype)
    loss = row.build(dtype)
    prediction = ops.convert_to_tensor(first(scores), dtype)
    value, slope = value_and_grad(lambda p: loss(given, p, weights), prediction, jit=jit)
    return value, np.moveaxis(slope, 1, -1) if row.first else slope


@pytest.mark.thinned("each row compiles anew", by=features)
@pytest.mark.parametrize("row", ROWS, ids=[f"{i}-{row}" for i, row in enumerate(ROWS)])
def test_float32(row):
    data = inputs(row)
    expected, slope = oracle(row, *data[1:])
    got, other = ours(row, "float32", *data)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_allclose(other, slope, rtol=1e-6, atol=1e-6 * np.abs(slope).max())


# Fewer rows: JAX compiles anew here, whole rows, which takes it less time than every operation on its own.
IN_FLOAT64 = ROWS[::9]


def test_float64_meets_every_loss_and_option():
    for name in ("loss", "channels", "logits", "labels", "weights", "first"):
        assert {getattr(row, name) for row in IN_FLOAT64} == {getattr(row, name) for row in ROWS}


@pytest.mark.thinned("each row compiles anew", by=features)
@pytest.mark.parametrize("row", IN_FLOAT64, ids=map(str, IN_FLOAT64))
def test_float64(row):
    data = inputs(row)
    expected, slope = oracle(row, *data[1:])
    with float64.enabled():
        got, other = ours(row, "float64", *data, jit=keras.backend.backend() == "jax")
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose(other, slope, rtol=1e-12, atol=1e-12 * np.abs(slope).max())


def test_oracle_gradient_agrees_with_differences():
    row = next(row for row in ROWS if row.loss is losses.DiceFocal and row.labels == "ignored" and row.weights)
    _, truth, scores, *rest = inputs(row)
    _, slope = oracle(row, truth, scores, *rest)
    for at in np.ndindex(*scores.shape):
        step = np.zeros_like(scores)
        step[at] = 1e-6
        above, below = (oracle(row, truth, scores + sign * step, *rest)[0] for sign in (1, -1))
        np.testing.assert_allclose((above - below) / 2e-6, slope[at], rtol=1e-6, atol=1e-9)
