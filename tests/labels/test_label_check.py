"""Labels that cannot be: an error where values can be read, in compiled steps an error or NaN, never a plausible number."""

import functools
import math
import re
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import losses, metrics
from kerasmith.base import label_message

RNG = np.random.default_rng(0)
MASK = (RNG.random((4, 6, 6, 1)) > 0.5).astype("float32")
P = RNG.uniform(0.1, 0.9, MASK.shape).astype("float32")
IDS = RNG.integers(0, 3, (4, 6, 6)).astype("int32")
P3 = RNG.dirichlet((1, 1, 1), IDS.shape).astype("float32")
VECTORS = RNG.normal(size=(4, 5)).astype("float32")
SCORES = RNG.uniform(-0.9, 0.9, (4, 3)).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[IDS]
BINARY, CLASSES = "A binary mask must hold 0 and 1", r"Class ids must lie in 0\.\.2 for y_pred with 3 channels"


def changed(array, place, value, dtype=None):
    """A copy with one other entry."""
    array = array.astype(dtype or array.dtype)
    array[place] = value
    return array


def one_nan(array):
    return changed(array, (1, 2, 2), math.nan, "float32")


REFUSED = [
    (
        losses.Dice(),
        255 * MASK.astype("uint8"),
        P,
        BINARY + ".*Received: values from 0 to 255.*`y_true > 0`.*`ignore_class=255`",
    ),
    (losses.Dice(), 255 * MASK, P, BINARY),
    (losses.CrossEntropy(), 255 * MASK[..., 0], P, BINARY),
    (losses.Focal(), MASK - 1, P, BINARY + ".*values from -1 to 0.*`ignore_class=-1`"),
    (losses.Lovasz(), one_nan(MASK), P, BINARY + ".*Received: NaN"),
    (losses.Boundary(), 2 * MASK, P, BINARY),
    (losses.Dice(), changed(MASK, (1, 2, 2), math.inf), P, BINARY + ".*values from 0 to inf"),
    (losses.Dice(), changed(MASK, (1, 2, 2), -0.01), P, BINARY),
    (losses.HausdorffDT(), 1.01 * MASK, P, BINARY),
    (losses.Dice(multi_label=True), 3 * ONE_HOT, P3, BINARY),
    (losses.Dice(), 255 * ONE_HOT, P3, "One-hot labels must hold 0 and 1"),
    (losses.CrossEntropy(), changed(IDS, (1, 2, 3), 255), P3, CLASSES + ".*`ignore_class=255`"),
    (losses.CrossEntropy(ignore_class=255), changed(IDS, (1, 2, 3), -1), P3, CLASSES + ".*`ignore_class=-1`"),
    (losses.DiceCE(), changed(IDS, (1, 2, 3), 3, "float32"), P3, CLASSES),
    (losses.DiceFocal(), one_nan(IDS), P3, CLASSES + ".*NaN"),
    (losses.UnifiedFocal(), 0.5 * IDS, P3, "it holds fractions"),
    (losses.ArcFace(), np.array([0, 1, 3, 0]), SCORES, r"0\.\.2.*values from 0 to 3"),
    (losses.ArcFace(), np.array([0, 1, 1.5, 0]), SCORES, "fractions"),
    (losses.ArcFace(), 2 * np.eye(3)[[0, 1, 2, 0]], SCORES, "a margin belongs to one class"),
    (losses.Contrastive(), np.array([0, 1, 2, 0]), SCORES[:, :1], r"1 \(different\) and 0 \(same\).*`ids_a != ids_b`"),
    (losses.Triplet(), np.array([0, 1, math.nan, 0]), VECTORS, "Class ids must be numbers"),
    (losses.SupCon(), np.array([0, 1, 2**24, 0], "float32"), VECTORS, "in float32 up to 16777215.*to 16777216.*integers"),
    (losses.NTXent(), np.array([0, 1, 2048, 0], "float16"), VECTORS, "in float16 up to 2047"),
    (
        losses.Focal(),
        np.zeros((1, 1), "float16"),
        np.ones((1, 1, 3000)),
        "of float16 cannot tell 3000 classes apart: from 2049",
    ),
    (losses.Dice(labels="sparse"), 0.5 + IDS, P3, "it holds fractions"),
    (losses.ClickDwell(), np.array([[30.0, 1.0]] * 4), np.full((4, 2), 0.5), "clicked.*dwell time the first column"),
    (losses.ExposureWeighted(), np.array([[0.0, math.nan]] * 4), np.ones((4, 1)), "number >= 0.*NaN.*first column"),
]


@pytest.mark.parametrize(("loss", "y_true", "y_pred", "text"), REFUSED, ids=lambda value: getattr(value, "name", ""))
def test_losses_refuse_what_labels_cannot_be(loss, y_true, y_pred, text):
    with pytest.raises(ValueError, match=text):
        loss(y_true, y_pred)


@pytest.mark.parametrize(
    "metric",
    [
        lambda **how: metrics.IoU(**how),
        lambda **how: metrics.DiceScore(**how),
        lambda **how: metrics.Brier(**how),
        lambda **how: metrics.AUC(**how),
        lambda **how: metrics.AveragePrecision(**how),
        lambda **how: metrics.CalibrationError(**how),
        lambda **how: metrics.ConfusionMatrix(3 if how else 2, **how),
        lambda **how: metrics.LesionDetection(**how),
        lambda **how: metrics.SurfaceDistance(**how),
    ],
)
def test_metrics_refuse_what_labels_cannot_be(metric):
    for y_true in (255 * MASK.astype("uint8"), 2 * MASK, one_nan(MASK)):
        with pytest.raises(ValueError, match=BINARY):
            metric().update_state(y_true, P)
    with pytest.raises(ValueError, match=BINARY):
        metric(multi_label=True).update_state(np.where(ONE_HOT > 0, 3.0, 2.0), P3)


def test_weights_of_metrics_and_pixels_are_not_negative():
    weight = np.array([1.0, -1.0, 1.0, 1.0])
    for bad in (weight, changed(weight, 1, math.nan), np.broadcast_to(weight[:, None, None], (4, 6, 6))):
        with pytest.raises(ValueError, match="Weights must be numbers >= 0"):
            metrics.Brier().update_state(MASK, P, bad)
    with pytest.raises(ValueError, match="Weights must be numbers >= 0"):
        losses.Dice()(MASK, P, np.broadcast_to(weight[:, None, None], (4, 6, 6)))
    # The weight of a sample is a factor of its loss, which may turn the gradient round.
    each = ops.convert_to_numpy(losses.dice(MASK, P))
    assert float(losses.Dice()(MASK, P, weight)) == pytest.approx((each * weight).sum() / 4, rel=1e-5)


def test_labels_that_are_right_pass():
    plain = float(losses.DiceCE()(MASK, P))
    for y_true in (MASK.astype("bool"), MASK.astype("uint8"), MASK.astype("int64"), MASK.astype("float16"), MASK * (1 + 1e-6)):
        assert float(losses.DiceCE()(y_true, P)) == pytest.approx(plain, rel=1e-5)
    for soft in (0.9 * MASK + 0.05, 0.5 * (MASK + MASK[::-1])):
        assert np.isfinite(float(losses.DiceCE()(soft, P)))
    assert np.isfinite(float(losses.DiceCE()(0.9 * ONE_HOT + 0.03, P3)))
    assert float(losses.DiceCE()(np.zeros((0, 6, 6, 1)), np.zeros((0, 6, 6, 1)))) == 0
    assert np.isfinite(float(losses.Boundary(maps=True)(MASK * 9 - 4, P)))  # distances, no labels
    # What does not count may hold anything.
    void = changed(IDS, (1, 2, 3), 255)
    expected = float(losses.CrossEntropy(ignore_class=255)(void, P3))
    for ignore_class in (255, (255, -1)):
        assert float(losses.CrossEntropy(ignore_class=ignore_class)(void.astype("int64"), P3)) == expected
    used = (void != 255).astype("float32")
    weighted = losses.CrossEntropy(reduction="mean_with_sample_weight")
    assert float(losses.Dice()(void, P3, used)) == pytest.approx(float(losses.Dice(ignore_class=255)(void, P3)), rel=1e-5)
    assert np.isfinite(float(weighted(void, P3, used)))
    assert float(losses.Dice()(void, P3, [1, 0, 1, 1])) == pytest.approx(float(losses.Dice()(IDS, P3, [1, 0, 1, 1])), rel=1e-5)


def test_ids_are_not_narrowed_before_they_are_checked():
    wide = changed(IDS, (1, 2, 3), 2**32 + 1, "float32" if keras.backend.backend() == "jax" else "int64")
    with pytest.raises(ValueError, match=CLASSES):
        losses.CrossEntropy()(wide, P3)
    metric = metrics.ConfusionMatrix(3)
    metric.update_state(wide, P3)
    assert metric.out_of_range() == 1


LOSSES = {
    "mask": [losses.Dice(), losses.CrossEntropy(), losses.Lovasz(), losses.Boundary(), losses.UnifiedFocal()],
    "ids": [losses.DiceCE(ignore_class=9), losses.Focal(ignore_class=9)],
    "one_hot": [losses.Jaccard(), losses.CrossEntropy()],
    "label": [losses.Contrastive()],
    "classes": [losses.ArcFace()],
}
GOOD = {
    "mask": MASK,
    "ids": changed(IDS, (0, 1, 1), 9),
    "one_hot": ONE_HOT,
    "label": np.array([0.0, 1.0, 1.0, 0.0], "float32"),
    "classes": np.array([0, 1, 2, 0], "int32"),
}
WRONG = {
    "mask": changed(MASK, 1, 255 * MASK[1]),
    "ids": changed(GOOD["ids"], (1, 2, 2), 255),
    "one_hot": changed(ONE_HOT, (1, 2, 2), math.nan),
    "label": changed(GOOD["label"], 1, 2),
    "classes": changed(GOOD["classes"], 1, -1),
}
PREDICTIONS = {"mask": P, "ids": P3, "one_hot": P3, "label": SCORES[:, 0] + 1, "classes": SCORES}


def values_and_gradients(labels, predictions):
    """{kind: [((B,) losses, (B,) sums of |gradient|)]} of `LOSSES`."""
    result = {}
    for kind, members in LOSSES.items():
        result[kind] = []
        for loss in members:
            if keras.backend.backend() == "jax":
                import jax

                each, pull_back = jax.vjp(functools.partial(loss.call, labels[kind]), predictions[kind])
                gradient = pull_back(ops.ones_like(each))[0]
            else:
                import tensorflow as tf

                with tf.GradientTape() as tape:
                    tape.watch(predictions[kind])
                    each = loss.call(labels[kind], predictions[kind])
                gradient = tape.gradient(each, predictions[kind])
            result[kind].append((each, ops.sum(ops.reshape(ops.abs(gradient), (4, -1)), axis=1)))
    return result


@pytest.mark.heavy("XLA compiles every way to be wrong", on=("tensorflow",), seconds=8)
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing here")
def test_compiled_losses_turn_wrong_samples_into_nan():
    if keras.backend.backend() == "jax":
        import jax

        compiled = jax.jit(values_and_gradients)
    else:
        import tensorflow as tf

        in_xla = tf.function(values_and_gradients, jit_compile=True)
        compiled = tf.function(lambda *batch: in_xla(*batch))  # as Keras does: the message comes before the next step
    predictions = {kind: ops.convert_to_tensor(array) for kind, array in PREDICTIONS.items()}
    nowhere = {kind: ops.full_like(array, math.nan) for kind, array in predictions.items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        good, _, wrong, *_ = [
            keras.tree.map_structure(
                ops.convert_to_numpy,
                compiled({kind: ops.convert_to_tensor(array) for kind, array in labels.items()}, given),
            )
            for labels, given in (
                (GOOD, predictions),
                (GOOD, nowhere),
                (WRONG, predictions),
                (WRONG, predictions),
                (GOOD, predictions),
            )
        ]
    told = [str(warning.message) for warning in caught if "is NaN: a compiled step" in str(warning.message)]
    assert len(told) == sum(map(len, LOSSES.values())), told  # once each, and not for predictions that are NaN
    for text in (BINARY + ".*values from 0 to 255", CLASSES + ".*`ignore_class=255`", "One-hot labels.*Received: NaN"):
        assert any(re.search(text, message) for message in told), text
    for kind, members in LOSSES.items():
        for loss, right, spoiled in zip(members, good[kind], wrong[kind], strict=True):
            for before, after in zip(right, spoiled, strict=True):
                assert np.isfinite(before).all(), loss.name
                assert np.isnan(after[1]), loss.name
                np.testing.assert_allclose(after[[0, 2, 3]], before[[0, 2, 3]], rtol=1e-5, err_msg=loss.name)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="graphs of TensorFlow can assert")
def test_a_graph_of_tensorflow_ends_with_the_text_of_the_error():
    import tensorflow as tf

    metric = metrics.Brier()
    compiled = tf.function(
        lambda labels: (losses.Dice()(labels["mask"], P), losses.CrossEntropy(ignore_class=9)(labels["ids"], P3)),
    )
    compiled({"mask": MASK, "ids": GOOD["ids"]})
    for kind, text in (("mask", BINARY + ".*from 0 to 255.*`ignore_class=255`"), ("ids", CLASSES + ".*`ignore_class=255`")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            compiled({"mask": MASK, "ids": GOOD["ids"], kind: WRONG[kind]})
    with pytest.raises(tf.errors.InvalidArgumentError, match=BINARY):
        tf.function(metric.update_state)(tf.constant(WRONG["mask"]), tf.constant(P))


@pytest.mark.heavy("XLA compiles every way to be wrong", on=("tensorflow",), seconds=6)
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing here")
def test_compiled_metrics_are_nan_and_say_why():
    members = [metrics.IoU(), metrics.Brier(), metrics.AUC(), metrics.Bootstrap(metrics.DiceScore(1), capacity=20)]
    members += [metrics.Shared([metrics.MCC(2), metrics.IoU(2, per="dataset")])]

    def update(y_true):
        for metric in members:
            metric.update_state(y_true, P)

    if keras.backend.backend() == "jax":
        import jax

        stateless = jax.jit(
            lambda states, y: [m.stateless_update_state(s, y, P) for m, s in zip(members, states, strict=True)]
        )
        eager = [type(m).from_config(m.get_config()) for m in members]
        for metric in (*members, *eager):
            metric.update_state(MASK, P)
            metric.reset_state()

        def update(y_true):
            states = [[v.value for v in m.variables] for m in members]
            for metric, state in zip(members, stateless(states, ops.convert_to_tensor(y_true)), strict=True):
                for variable, value in zip(metric.variables, state, strict=True):
                    variable.assign(value)
    else:
        import tensorflow as tf

        update = tf.function(update, jit_compile=True)
    update(ops.convert_to_tensor(MASK))
    for metric in members:
        assert all(np.isfinite(float(v)) for k, v in flat(metric.result()).items() if not k.endswith(("_low", "_high")))
    update(ops.convert_to_tensor(WRONG["mask"]))
    for metric in members:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = flat(metric.result())
        assert all(math.isnan(float(value)) for value in result.values()), result
        assert any("must hold 0 and 1" in str(w.message) for w in caught), metric.name
        metric.reset_state()
        assert "NaN: y_true" not in str(metric.result())


@pytest.mark.heavy("XLA compiles several updates", on=("tensorflow", "jax"), seconds=8)
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing here")
def test_compiled_metrics_say_which_argument_was_wrong():
    one = np.float32(1.0) * np.ones((4,), "float32")
    vectors, half = VECTORS, np.array([0, 1, 0, 1.5], "float32")
    queries = np.array([[0, 1], [0, 0], [1, 1], [1, 0]])
    for metric, wrong, text in (
        (metrics.RetrievalRecall(1, capacity=20), (half, vectors, one), "y_true held.*Class ids must be whole"),
        (metrics.MRR(capacity=20), (queries, vectors[:, :1], -one), "sample_weight.*held.*Weights must be"),
        (metrics.MCC(3, predictions="ids"), (IDS, IDS + np.float32(0.5), one), "y_pred held.*must hold class ids"),
    ):
        given = tuple(map(ops.convert_to_tensor, wrong))
        if keras.backend.backend() == "jax":
            import jax

            rows = ops.convert_to_tensor(np.zeros_like(wrong[0])), ops.convert_to_tensor(np.zeros_like(wrong[1])), one
            metric.update_state(*rows)
            metric.reset_state()
            state = [v.value for v in metric.variables]
            for variable, value in zip(metric.variables, jax.jit(metric.stateless_update_state)(state, *given), strict=True):
                variable.assign(value)
        else:
            import tensorflow as tf

            tf.function(metric.update_state, jit_compile=True)(*given)
        with pytest.warns(UserWarning, match=text):
            result = flat(metric.result())
        assert math.isnan(float(next(iter(result.values()))))


@pytest.mark.heavy("XLA compiles several updates", on=("tensorflow", "jax"), seconds=3)
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch compiles nothing here")
def test_a_loss_that_a_step_makes_and_drops_says_why_it_is_nan():
    class Own(keras.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return losses.Dice()(y, y_pred)

    model = Own([keras.Input((6, 6, 1)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", jit_compile=True)
    model.train_on_batch(P, MASK)
    with pytest.warns(UserWarning, match="'dice' is NaN: a compiled step.*values from 0 to 255"):
        assert math.isnan(model.train_on_batch(P, 255 * MASK))


def flat(result):
    return result if isinstance(result, dict) else {"": result}


WIDE = np.array([5, 2**32 + 5, 5, 2**32 + 5])  # two classes, which are one in int32


def test_ids_of_any_size_are_told_apart_or_refused():
    def recall(ids):
        metric = metrics.RetrievalRecall(1, capacity=10)
        metric.update_state(ids, np.array([[1, 0], [1, 0.1], [0.1, 1], [0, 1]], "float32"))
        return float(metric.result()["retrieval_recall_1"])

    assert recall(np.array([0, 1, 0, 1])) == 0
    with pytest.raises(ValueError, match=r"Class ids must be whole numbers.*fractions"):
        recall(np.array([1.7, 1.2, 1.0, 2.0], "float32"))
    masks, objects = np.zeros((1, 4, 4, 1), "float32"), np.zeros((1, 4, 4), "int64")
    objects[0, 0, 0] = 2**32 + 1
    if keras.backend.backend() == "jax":
        for wide in (lambda: recall(WIDE), lambda: losses.Triplet()(WIDE, VECTORS)):
            with pytest.raises(ValueError, match=r"Without 64-bit types JAX.*return_inverse"):
                wide()
        return
    assert recall(WIDE) == 0
    narrow = float(losses.Triplet()(np.array([0, 1, 0, 1]), VECTORS))
    assert narrow > 0
    assert float(losses.Triplet()(WIDE, VECTORS)) == pytest.approx(narrow)
    with pytest.raises(ValueError, match=r"fit into int32.*Received: values from 0 to 4294967297.*return_inverse"):
        metrics.LesionDetection(instance_labels=True).update_state(objects, masks)
    maps = np.stack([objects, objects], -1)
    with pytest.raises(ValueError, match="Categories and instance ids must be whole numbers that fit into int32"):
        metrics.PanopticQuality(inputs="panoptic", things=[1]).update_state(maps, maps)


def test_counts_beyond_32_bits_in_one_batch():
    for amounts in (np.full((3, 2), 2**30 + 7, "int32"), np.full((5000, 2), 2**20 - 1, "int32")):
        metric = metrics.Brier()
        total = metric.add_total("many", (2,))
        total.add_samples(ops.convert_to_tensor(amounts))
        np.testing.assert_array_equal(total.exact(), amounts.astype("int64").sum(0))


@pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow", "jax"), seconds=4)
def test_fit_ends_with_the_error():
    wrong = 255 * MASK

    def fit(loss, y_true, **how):
        model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile("sgd", loss)
        return model.fit(P, y_true, batch_size=2, verbose=0, shuffle=False, **how).history["loss"][-1]

    with pytest.raises(Exception, match=r"A binary mask must hold 0 and 1.*from 0 to 255.*`ignore_class=255`"):
        fit(losses.DiceCE(), wrong)
    first = changed(MASK, 0, wrong[0])
    assert np.isfinite(fit(losses.DiceCE(), first, sample_weight=np.array([0, 1, 1, 1], "float32")))


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX calls the host within a step, PyTorch compiles nothing"
)
@pytest.mark.heavy("trains a model with XLA", on=("tensorflow",), seconds=5)
def test_the_last_step_says_why_its_loss_is_nan():
    model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", losses.Dice(), jit_compile=True)
    wrong = changed(MASK, -1, 255 * MASK[-1])

    def told(run):
        label_message._warned.clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert math.isnan(run())
        return [str(warning.message) for warning in caught if "is NaN: a compiled step" in str(warning.message)]

    how = {"batch_size": 2, "verbose": 0}
    for run in (
        lambda: model.train_on_batch(P, wrong),  # traced
        lambda: model.train_on_batch(P, wrong),
        lambda: model.test_on_batch(P, wrong, return_dict=True)["loss"],
        lambda: model.fit(P, wrong, shuffle=False, **how).history["loss"][0],
        lambda: model.evaluate(P, wrong, **how),
        lambda: model.evaluate(P, wrong, callbacks=[keras.callbacks.Callback()], **how),
        lambda: model.fit(P, MASK, validation_data=(P, wrong), **how).history["val_loss"][0],
    ):
        messages = told(run)
        assert len(messages) == 1, messages
        assert re.search(BINARY + ".*values from 0 to 255", messages[0])
