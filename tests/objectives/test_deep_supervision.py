"""Deep supervision against plain NumPy: labels by loops over blocks, gradients by central differences."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import DeepSupervision, Objective
from kerasmith.losses import CrossEntropy, Dice, DiceCE, GaussianNLL, PenalizedMSE
from tests.objectives.helpers import slope
from tests.oracles import label_pyramid_loops as loops
from tests.support import float64
from tests.support.gradients import value_and_grad

HALVING = [4 / 7, 2 / 7, 1 / 7]
IMAGE = [(2, 8, 4), (2, 4, 2), (2, 2, 2)]  # the last one keeps an axis
VOLUME = [(2, 2, 4, 4), (2, 2, 2, 2), (2, 1, 2, 1)]
SEQUENCE = [(2, 12), (2, 6), (2, 2)]


def predictions(sizes, channels, seed=0):
    """Probabilities (B, *spatial, C) in float64 at each of some resolutions."""
    rng = np.random.default_rng(seed)
    made = [rng.uniform(0.1, 1.0, (*size, channels)) for size in sizes]
    return [p / p.sum(-1, keepdims=True) if channels > 1 else 0.9 * p for p in made]


def pixel_weights(shape):
    rng = np.random.default_rng(5)
    return rng.uniform(0.2, 3, shape) * (rng.random(shape) > 0.3)


def expected(y, outputs, inner, how, weight=None, factors=HALVING, sample_weight=(1, 1), ignore=None):
    """The loss in NumPy. `inner(labels, output, weights[, valid])` gives (B,) losses."""
    total = 0
    for factor, p in zip(factors, outputs, strict=True):
        sizes = [have // want for have, want in zip(y.shape[1:], p.shape[1:-1])]
        labels, weights = loops.down(y, sizes, how, weight)
        weights = np.ones(p.shape[:-1]) if weights is None else weights
        if labels.ndim < p.ndim:
            valid = labels != ignore
            labels = np.eye(p.shape[-1])[np.where(valid, labels, 0).astype(int)] if p.shape[-1] > 1 else labels[..., None]
            values = inner(labels, p, weights, valid) if inner is loops.cross_entropy else inner(labels, p, weights * valid)
        else:
            values = inner(labels, p, weights)
        total += factor * (np.asarray(sample_weight) * values).mean()
    return total


def gradients(loss, y, outputs, sample_weight=None, jit=False):
    """Value and gradients of a loss by each of the outputs, as one vector."""
    sizes = [p.size for p in outputs]

    def total(flat):
        ends = np.cumsum([0, *sizes])
        parts = [ops.reshape(flat[a:b], p.shape) for a, b, p in zip(ends, ends[1:], outputs)]
        return loss(y, parts, sample_weight)

    return value_and_grad(total, np.concatenate([p.ravel() for p in outputs]), jit=jit)


RNG = np.random.default_rng(1)
IDS = RNG.integers(0, 3, IMAGE[0])
ONE_HOT = np.eye(3)[IDS]
SOFT = RNG.uniform(0, 1, (*IMAGE[0], 1))
WEIGHTS = pixel_weights(IMAGE[0])
MISSING = np.where(WEIGHTS[..., None] > 0, SOFT, np.nan)
PARTLY = np.where(RNG.random(IMAGE[0]) < 0.3, 255, IDS)
SAMPLES = np.array([0.5, 3.0])
DICE, ENTROPY, SQUARES = (Dice(), loops.dice), (CrossEntropy(), loops.cross_entropy), (PenalizedMSE(factor=0), loops.squares)
IGNORING = (CrossEntropy(ignore_class=255), loops.cross_entropy)
CASES = {
    "dice of one-hot labels": (*DICE, ONE_HOT, IMAGE, 3, "area", {}),
    "dice of ids": (*DICE, IDS, IMAGE, 3, "nearest", {}),
    "dice of float ids with weights": (*DICE, IDS * 1.0, IMAGE, 3, "nearest", {"weight": WEIGHTS}),
    "dice of one-hot labels with weights": (*DICE, ONE_HOT, IMAGE, 3, "area", {"weight": WEIGHTS}),
    "dice of a volume": (*DICE, np.eye(2)[RNG.integers(0, 2, VOLUME[0])], VOLUME, 2, "area", {}),
    "entropy of one-hot labels with weights": (*ENTROPY, ONE_HOT, IMAGE, 3, "area", {"weight": WEIGHTS}),
    "entropy of a soft mask": (*ENTROPY, SOFT, IMAGE, 1, "area", {}),
    "entropy of ids with an ignored one": (*IGNORING, PARTLY, IMAGE, 3, "nearest", {"ignore": 255, "weight": WEIGHTS}),
    "entropy of a sequence": (*ENTROPY, RNG.integers(0, 3, (2, 12)), SEQUENCE, 3, "nearest", {"sample_weight": SAMPLES}),
    "squares of a volume": (*SQUARES, RNG.normal(size=(*VOLUME[0], 2)), VOLUME, 2, "area", {}),
    "squares with missing targets": (*SQUARES, MISSING, IMAGE, 1, "area", {"weight": WEIGHTS}),
}


@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient_against_numpy(name):
    inner, oracle, y, sizes, channels, how, options = CASES[name]
    outputs = predictions(sizes, channels)
    value = expected(y, outputs, oracle, how, **options)
    slopes = slope(lambda arrays: expected(y, arrays, oracle, how, **options), [p.copy() for p in outputs])
    slopes = np.concatenate([s.ravel() for s in slopes])
    weight = options.get("weight", options.get("sample_weight"))
    with float64.enabled():
        loss = DeepSupervision(type(inner).from_config({**inner.get_config(), "dtype": "float64"}))
        got = gradients(loss, y, outputs, weight, jit=keras.backend.backend() == "jax")
    np.testing.assert_allclose(got[0], value, rtol=1e-10)
    np.testing.assert_allclose(got[1], slopes, rtol=0, atol=1e-7 * np.abs(slopes).max())


def test_a_level_is_the_loss_at_full_resolution_of_the_repeated_output():
    # Cross-entropy is linear in the labels, so nothing is lost in the means of labels and weights.
    coarse = predictions(IMAGE, 3)[1]
    repeated = coarse.repeat(2, axis=1).repeat(2, axis=2)
    got = float(DeepSupervision(CrossEntropy())(ONE_HOT, [coarse], WEIGHTS))
    assert got == pytest.approx(float(CrossEntropy()(ONE_HOT, repeated, WEIGHTS)), rel=1e-5)


def test_weights_of_the_outputs():
    outputs = predictions(IMAGE, 3)
    each = [float(DeepSupervision(Dice())(ONE_HOT, [p])) for p in outputs]
    for weights, factors in (("halving", HALVING), ([1, 0.5, 0], [1, 0.5, 0]), (np.array([2.0, 0, 1]), [2, 0, 1])):
        got = float(DeepSupervision(Dice(), weights)(ONE_HOT, outputs))
        assert got == pytest.approx(np.dot(factors, each), rel=1e-6)
    two = float(DeepSupervision(Dice())(ONE_HOT, outputs[:2]))
    assert two == pytest.approx(2 / 3 * each[0] + 1 / 3 * each[1], rel=1e-6)
    assert float((0.5 * DeepSupervision(Dice()))(ONE_HOT, outputs)) == pytest.approx(np.dot(HALVING, each) / 2, rel=1e-6)


def test_lists_tuples_and_dicts_are_read_alike():
    outputs = predictions(IMAGE, 3)
    expected = float(DeepSupervision(Dice())(ONE_HOT, outputs))
    assert float(DeepSupervision(Dice())(ONE_HOT, tuple(outputs))) == expected
    for order in ([0, 1, 2], [2, 0, 1]):
        named = {"cab"[i]: outputs[i] for i in order}
        assert float(DeepSupervision(Dice())(ONE_HOT, named)) == expected
    with pytest.raises(ValueError, match=r"different resolutions.*'a' \(2, 8, 4, 3\), 'b' \(2, 8, 4, 3\)"):
        DeepSupervision(Dice())(ONE_HOT, {"a": outputs[0], "b": outputs[0]})


def test_which_labels_are_picked_and_which_averaged():
    outputs = predictions(IMAGE, 3)[1:]
    mask, one = (IDS > 0), predictions(IMAGE, 1)[1:]
    picked = {
        "integers in channels": (Dice(), ONE_HOT.astype("uint8"), outputs),
        "a mask of booleans": (Dice(), mask, one),
        "ids said to be": (Dice(labels="sparse"), IDS[..., None].astype("float32"), outputs),
        "an id to ignore in a mask": (Dice(ignore_class=2), IDS.astype("float32"), one),
        "ids of a loss of Keras": (keras.losses.SparseCategoricalCrossentropy(), IDS.astype("float32"), outputs),
        "an id to ignore deep inside": (DiceCE() + 2.0 * CrossEntropy(ignore_class=0), ONE_HOT, outputs),
    }
    for name, (loss, y, p) in picked.items():
        auto, nearest = (float(DeepSupervision(loss, downsample=d)(y, p)) for d in ("auto", "nearest"))
        assert auto == nearest, name
    averaged = {
        "one-hot": (Dice(), ONE_HOT.astype("float32"), outputs),
        "a mask": (Dice(), mask.astype("float32"), one),
        "a mask with its channel": (Dice(labels="sparse"), mask[..., None].astype("float32"), one),
        "targets": (keras.losses.Huber(), ONE_HOT.astype("float32"), outputs),
    }
    for name, (loss, y, p) in averaged.items():
        auto, area, nearest = (float(DeepSupervision(loss, downsample=d)(y, p)) for d in ("auto", "area", "nearest"))
        assert auto == area != nearest, name
    whole = float(DeepSupervision(Dice(), downsample="area")(ONE_HOT.astype("uint8"), outputs))
    assert whole == float(DeepSupervision(Dice())(ONE_HOT, outputs))
    # One target for a mean and a deviation is no class id, and may be averaged by request.
    for d in ("auto", "area"):
        assert np.isfinite(float(DeepSupervision(GaussianNLL(), downsample=d)(SOFT, predictions(IMAGE, 2))))


def test_channels_first():
    outputs = predictions(IMAGE, 3)
    first = [np.moveaxis(p, -1, 1) for p in outputs]
    for y, moved in ((IDS, IDS), (ONE_HOT, np.moveaxis(ONE_HOT, -1, 1))):
        for weight in (None, WEIGHTS):
            got = float(DeepSupervision(Dice(axis=1) + CrossEntropy(axis=1))(moved, first, weight))
            assert got == pytest.approx(float(DeepSupervision(Dice() + CrossEntropy())(y, outputs, weight)), rel=1e-6)
    with pytest.raises(ValueError, match="same axis"):
        DeepSupervision(Dice(axis=1) + CrossEntropy())(IDS, outputs)


def test_outputs_without_places_share_the_labels():
    rng = np.random.default_rng(2)
    heads = [rng.dirichlet([1, 1, 1], 4).astype("float32") for _ in range(2)]
    ids, weight = np.array([0, 2, 1, 1]), np.array([1.0, 2.0, 0.0, 1.0])
    got = float(DeepSupervision(CrossEntropy())(ids, heads, weight))
    each = [-(weight * np.log(p[np.arange(4), ids])).mean() for p in heads]
    assert got == pytest.approx(np.dot([2 / 3, 1 / 3], each), rel=1e-6)


def test_each_output_has_its_own_mask():
    @keras.saving.register_keras_serializable("tests")
    class Masked(keras.layers.Layer):
        def compute_mask(self, inputs, previous=None):
            return ops.squeeze(inputs, -1) > 0.5

        def call(self, inputs):
            return inputs

    outputs = predictions(SEQUENCE[1:], 1)
    y = np.random.default_rng(3).uniform(0, 1, (*SEQUENCE[1], 1))
    total = 0
    for factor, p in zip([2 / 3, 1 / 3], outputs, strict=True):
        labels = loops.down(y, [6 // p.shape[1]], "area")[0]
        total += factor * loops.cross_entropy(labels, p, np.ones(p.shape[:-1]), p[..., 0] > 0.5).mean()
    got = DeepSupervision(CrossEntropy())(y, [Masked()(ops.convert_to_tensor(p.astype("float32"))) for p in outputs])
    assert float(got) == pytest.approx(total, rel=1e-5)


@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight", "none"])
def test_reductions(reduction):
    outputs, weight = predictions(IMAGE, 3), np.array([0.5, 3.0])
    got = ops.convert_to_numpy(DeepSupervision(Dice(reduction=reduction))(ONE_HOT, outputs, weight))
    each = []
    for p in outputs:
        labels = loops.down(ONE_HOT, [8 // p.shape[1], 4 // p.shape[2]], "area")[0]
        each.append(loops.dice(labels, p, np.ones(p.shape[:-1])))
    values = weight * np.dot(HALVING, each)
    wanted = {"sum": values.sum(), "mean_with_sample_weight": values.sum() / weight.sum(), "none": values}
    np.testing.assert_allclose(got, wanted[reduction], rtol=1e-5)


def test_half_precision_of_labels_and_outputs():
    halves = [p.astype("float16") for p in predictions(IMAGE, 3)]
    got = float(DeepSupervision(Dice())(ONE_HOT.astype("float16"), halves))
    assert got == pytest.approx(float(DeepSupervision(Dice())(ONE_HOT, predictions(IMAGE, 3))), rel=1e-3)


def test_an_unknown_batch_size():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Only TensorFlow traces with unknown sizes")
    import tensorflow as tf

    loss = DeepSupervision(Dice())
    outputs = [p.astype("float32") for p in predictions(IMAGE, 3)]
    for y, weight in ((IDS.astype("int32"), WEIGHTS), (ONE_HOT.astype("float32"), WEIGHTS)):
        arrays = [y, *outputs, weight.astype("float32")]
        traced = tf.function(
            lambda y, a, b, c, w: loss(y, [a, b, c], w),
            input_signature=[tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in arrays],
        )
        assert float(traced(*arrays)) == pytest.approx(float(loss(y, outputs, weight)), rel=1e-5)
    unknown = tf.TensorSpec((None, None, None, 3))
    with pytest.raises(ValueError, match=r"Spatial sizes must be known.*ensure_shape"):
        tf.function(lambda y, a: loss(y, [a]), input_signature=[unknown, unknown]).get_concrete_function()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: DeepSupervision("no such loss"), ValueError, "no such loss"),
        (lambda: DeepSupervision(None), TypeError, "`loss` must be a loss"),
        (
            lambda: DeepSupervision(Dice(), "thirds"),
            ValueError,
            "`weights` must be one of 'halving'",
        ),
        (lambda: DeepSupervision(Dice(), 0.5), TypeError, '"halving" or a list of numbers. Received: weights=0.5'),
        (lambda: DeepSupervision(Dice(), ["a"]), TypeError, r"weights\[0\].*must be a number"),
        (lambda: DeepSupervision(Dice(), [1, -1]), ValueError, r"weights\[1\].*>= 0"),
        (lambda: DeepSupervision(Dice(), [1, np.nan]), ValueError, r"weights\[1\].*finite"),
        (lambda: DeepSupervision(Dice(), [0, 0]), ValueError, "at least one number above 0"),
        (lambda: DeepSupervision(Dice(), [1, 1], levels=3), ValueError, "2 weights, levels=3"),
        (lambda: DeepSupervision(Dice(), levels=0), ValueError, "levels"),
        (lambda: DeepSupervision(Dice(), downsample="bilinear"), ValueError, "'auto', 'nearest', 'area'"),
        (lambda: Objective({"seg": DeepSupervision(Dice(reduction="none"))}), ValueError, "must be one number"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("loss", "y", "outputs", "message"),
    [
        (DeepSupervision(Dice(), [1, 1]), IDS, IMAGE, r"2 weights, \[1.0, 1.0\] needs 2 outputs. Received: 3 outputs"),
        (DeepSupervision(Dice(), levels=2), IDS, IMAGE, "levels=2 needs 2 outputs. Received: 3 outputs"),
        (
            DeepSupervision(Dice()),
            IDS,
            [(2, 8, 4), (2, 3, 4)],
            r"\(3, 4\).*\(2, 3, 4, 3\) must divide.*\(2, 8, 4\).*Pad or crop",
        ),
        (DeepSupervision(Dice()), IDS, [(2, 16, 8)], r"\(2, 16, 8, 3\) is finer than the labels of shape \(2, 8, 4\)"),
        (DeepSupervision(Dice(), downsample="area"), IDS, IMAGE, "would average class ids"),
        (DeepSupervision(Dice(), downsample="area"), IDS * 1.0, IMAGE, "would average class ids"),
        (DeepSupervision(Dice(ignore_class=0), downsample="area"), ONE_HOT, IMAGE, "id to ignore.*`ignore_class`"),
        (DeepSupervision(Dice()), [IDS, IDS], IMAGE, "y_true as a list of 2 parts"),
        (DeepSupervision(Dice()), IDS, [], "Received: y_pred of type list"),
    ],
)
def test_bad_calls(loss, y, outputs, message):
    with pytest.raises(ValueError, match=message):
        loss(y, predictions(outputs, 3))


def test_a_single_output_and_weights_of_an_output():
    with pytest.raises(
        ValueError, match=r"pass a list of tensors.*kerasmith\.Model.*Received: y_pred of shape \(2, 8, 4, 3\)"
    ):
        DeepSupervision(Dice())(IDS, predictions(IMAGE, 3)[0])
    with pytest.raises(ValueError, match=r"`sample_weight` of shape \(2, 4, 2\)"):
        DeepSupervision(Dice())(IDS, predictions(IMAGE, 3), np.ones((2, 4, 2)))
