"""The embedding family at its edges: limits, batches without pairs, equal and huge embeddings, masks, ids, bad input."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith import layers, losses
from tests.losses.test_battery import masked, same, value
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

PAIRS = [
    losses.Triplet(),
    losses.Triplet(mining="hard", normalize=True),
    losses.Triplet(mining="all", distance="squared"),
    losses.Triplet(mining="active", distance="cosine"),
    losses.NTXent(),
    losses.SupCon(),
    losses.MultiSimilarity(),
    losses.MultiSimilarity(epsilon=None),
]
every = pytest.mark.parametrize("loss", PAIRS, ids=lambda loss: f"{loss.name}-{getattr(loss, 'mining', '')}")


def gradient(loss, y_true, y_pred, sample_weight=None, jit=None):
    return value_and_grad(lambda p: loss(y_true, p, sample_weight), y_pred, jit=jit)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def cosine(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


def unreduced(loss):
    return type(loss).from_config({**loss.get_config(), "reduction": "none"})


def test_nt_xent_tends_to_a_hinge():
    ids, x = np.tile(np.arange(5), 2), normal(10, 3)
    s = cosine(x)
    partner, others = (np.arange(10) + 5) % 10, ids[:, None] != ids[None]
    hinge = np.maximum(0, np.where(others, s, -np.inf).max(1) - s[np.arange(10), partner])
    assert (hinge > 0.1).any()
    for temperature in (1.0, 1e-1, 1e-2, 1e-3, 1e-4):
        each = ops.convert_to_numpy(losses.nt_xent(ids, x, temperature=temperature))
        # log(sum of 8) exceeds their largest by at most log(8), and softplus exceeds the hinge by at most log(2).
        assert np.abs(temperature * each - hinge).max() <= temperature * np.log(16) + 1e-6


def test_one_positive_makes_sup_con_nt_xent():
    ids, x = np.tile(np.arange(4), 2), normal(8, 6)
    for ours, other in zip(gradient(losses.SupCon(0.2), ids, x), gradient(losses.NTXent(0.2), ids, x)):
        same(ours, other, rtol=1e-5, atol=1e-6)


def test_arc_face_without_margin_is_cross_entropy():
    ids, cosines = np.array([0, 2, 1]), np.clip(normal(3, 4), -0.9, 0.9)
    scaled = losses.CrossEntropy(from_logits=True)(ids, 7.0 * cosines)
    assert float(losses.ArcFace(0.0, 7.0)(ids, cosines)) == pytest.approx(float(scaled), rel=1e-6)


def test_arc_face_falls_with_the_angle_everywhere():
    theta = np.linspace(0, np.pi, 400)
    y_pred = np.stack([np.cos(theta), np.zeros(400)], 1).astype("float32")
    each = ops.convert_to_numpy(losses.arc_face(np.zeros(400, "int32"), y_pred, margin=0.5, scale=10.0))
    assert np.all(np.diff(each) > 0)
    got, slope = gradient(losses.ArcFace(), np.array([0, 1, 0]), np.array([[1, -1], [1, -1], [-1, 1]], "float32"))
    assert np.isfinite(got)
    assert np.all(np.isfinite(slope))


def test_all_equals_active_where_every_triplet_violates():
    ids, x = np.repeat(np.arange(3), 4), normal(12, 4)
    wide = {"margin": 50.0}
    same(value(losses.Triplet(mining="all", **wide), ids, x), value(losses.Triplet(mining="active", **wide), ids, x))
    # With one positive and one negative for each anchor every rule chooses the only triplet.
    ids, x = np.array([0, 0, 1]), normal(3, 4)
    each = [value(losses.Triplet(5.0, mining, reduction="none"), ids, x) for mining in ("semi_hard", "hard", "all", "active")]
    for other in each[1:]:
        same(other, each[0])
    assert each[0][2] == 0
    assert each[0][0] > 0


@pytest.mark.thinned("each row compiles anew", by=each_value)
@every
@pytest.mark.parametrize("ids", [[0], [3, 3, 3, 3], [0, 1, 2, 3]], ids=["one sample", "one class", "all different"])
def test_batches_without_pairs(loss, ids):
    x = normal(len(ids), 5)
    each = value(unreduced(loss), np.array(ids), x)
    defined = isinstance(loss, losses.SupCon) and ids == [3, 3, 3, 3]  # it compares the positives with each other
    defined |= isinstance(loss, losses.MultiSimilarity) and loss.epsilon is None and len(ids) > 1
    assert np.all(each > 0 if defined else each == 0)
    by_anchors = type(loss).from_config({**loss.get_config(), "reduction": "mean_with_sample_weight"})

    def both(p):
        return loss(np.array(ids), p) + by_anchors(np.array(ids), p)

    for prediction in (x, np.zeros_like(x), np.ones_like(x)):
        got, slope = value_and_grad(both, prediction, jit=True)
        assert np.isfinite(got)
        assert np.all(np.isfinite(slope))
        assert defined or (got == 0 and not slope.any())


@every
def test_anchors_without_pairs_count_as_documented(loss):
    ids, x = np.array([0, 0, 1, 1, 2]), normal(5, 4, seed=2)
    each = value(unreduced(loss), ids, x)
    alone = isinstance(loss, losses.MultiSimilarity) and loss.epsilon is None  # it has negatives still
    assert (each[4] > 0) == alone
    same(value(loss, ids, x), each.sum() / 5)
    own = type(loss).from_config({**loss.get_config(), "reduction": "mean_with_sample_weight"})
    weight = np.array([1, 2, 0, 1, 3], "float32")
    counted = weight * (each > 0 if isinstance(loss, losses.MultiSimilarity) else np.array([1, 1, 1, 1, 0]))
    same(value(own, ids, x, weight), (weight * each).sum() / counted.sum())


@every
def test_masked_samples_are_in_no_pair_whatever_they_hold(loss):
    ids, x = np.array([0, 1, 0, 1, 0, 1, 1]), normal(7, 4, seed=1)
    kept = np.array([True, True, False, True, True, True, False])
    broken = x.copy()
    broken[~kept] = np.nan
    expected, slope = gradient(loss, ids[kept], x[kept])

    # The mask of a tensor that is being differentiated is attached inside.
    def call(y_true, p, weight):
        return loss(y_true, masked(p, kept))

    got, other = gradient(call, ids, broken)
    same(got, expected)
    same(other[kept], slope, atol=1e-6 * np.abs(slope).max())
    assert not other[~kept].any()


@every
def test_any_numbers_are_ids(loss):
    ids, x = np.array([0, 1, 0, 2, 1, 2]), normal(6, 4)
    expected = value(loss, ids, x)
    for other in (ids[:, None], ids - 7, ids.astype("float32") / 3, ids.astype("uint8"), ids.astype("int64")):
        same(value(loss, other, x), expected)


@every
def test_equal_embeddings_have_a_finite_gradient(loss):
    ids = np.array([0, 0, 1, 1, 0, 1])
    for x in (np.repeat(normal(3, 4), 2, 0), np.tile(normal(1, 4), (6, 1)), normal(2, 4)[[0, 1, 0, 1, 0, 1]]):
        got, slope = gradient(loss, ids, x)
        assert np.isfinite(got)
        assert np.all(np.isfinite(slope))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@every
@pytest.mark.parametrize("scale", [1e-18, 1e18])
def test_tiny_and_huge_embeddings(loss, scale):
    ids, x = np.array([0, 0, 1, 1]), normal(4, 5)
    got, slope = gradient(loss, ids, x * np.float32(scale))
    assert np.all(np.isfinite(slope))
    scale_free = not isinstance(loss, losses.Triplet) or loss.normalize or loss.distance == "cosine"
    if scale_free:
        same(got, value(loss, ids, x), rtol=1e-5)


def test_half_precision_at_a_low_temperature():
    ids, x = np.repeat(np.arange(8), 4), normal(32, 64)
    half = ops.cast(ops.convert_to_tensor(x), "float16")
    exact = ops.convert_to_numpy(ops.cast(half, "float32"))
    for loss in (
        losses.NTXent(0.01),
        losses.SupCon(0.01),
        losses.MultiSimilarity(beta=200.0),
        losses.Triplet(distance="squared"),
    ):
        same(value(loss, ids, half), value(loss, ids, exact), rtol=1e-5)
    cosines = np.clip(normal(6, 5), -1, 1)
    half = ops.cast(ops.convert_to_tensor(cosines), "float16")
    exact = ops.convert_to_numpy(ops.cast(half, "float32"))
    same(value(losses.ArcFace(), ids[:6], half), value(losses.ArcFace(), ids[:6], exact), rtol=1e-5)


def test_an_offset_of_all_embeddings_costs_few_digits():
    ids, x = np.repeat(np.arange(4), 4), normal(16, 8)
    for distance in ("euclidean", "squared"):
        loss = losses.Triplet(mining="all", distance=distance)
        same(value(loss, ids, x + 100), value(loss, ids, x), rtol=1e-4)


@pytest.mark.heavy("trains a model, compiled for seconds", on=("tensorflow",), seconds=1)
@every
def test_trains(loss):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 4, 64)
    x = (rng.normal(size=(4, 8))[ids] + 0.7 * rng.normal(size=(64, 8))).astype("float32")
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8)])
    model.compile(keras.optimizers.Adam(0.02), loss)
    history = model.fit(x, ids, batch_size=24, epochs=8, verbose=0).history["loss"]  # the last batch is smaller
    assert np.isfinite(history).all()
    assert history[-1] < history[0]


@every
def test_wrong_shapes(loss):
    ids, x = np.array([0, 0, 1, 1]), normal(4, 5)
    for labels in (np.eye(2)[ids], ids[:, None, None], np.float32(1.0)):
        with pytest.raises(ValueError, match=r"class ids of shape.*Received.*argmax"):
            loss(labels, x)
    for prediction in (x[:, 0], x[:, None], x[None]):
        with pytest.raises(ValueError, match=r"embeddings of shape.*Received"):
            loss(ids, prediction)
        with pytest.raises(ValueError, match=r"embeddings of shape.*Received"):
            loss(ids, prediction, np.ones(4))
    with pytest.raises(ValueError, match=r"\(3,\).*\(4, 5\).*broadcast"):
        loss(ids[:3], x)


def test_contrastive_refuses_what_would_broadcast():
    y, d = np.array([0, 1, 1, 0]), np.array([0.1, 0.2, 0.3, 0.4], "float32")
    each = value(losses.Contrastive(reduction="none"), y, d)
    for labels in (y, y[:, None]):
        for distances in (d, d[:, None]):
            same(value(losses.Contrastive(reduction="none"), labels, distances), each)
    with pytest.raises(ValueError, match="broadcast"):
        losses.Contrastive()(y[:1], d[:, None])
    with pytest.raises(ValueError, match=r"one a pair.*\(4, 3\)"):
        losses.Contrastive()(y, normal(4, 3))
    with pytest.raises(ValueError, match="1 \\(different\\)"):
        losses.Contrastive()(y - 1, d)


def test_arc_face_bad_input():
    ids, cosines = np.array([0, 2, 1]), np.clip(normal(3, 4), -0.9, 0.9)
    for labels, match in (
        (ids + 2, "0..3.*2 to 4"),
        (ids - 1, "0..3.*-1 to 1"),
        (np.eye(3)[ids], r"\(3, 3\).*\(3, 4\).*broadcast"),
        (np.full((3, 4), 0.25), "0 and 1"),
        (ids[:2], "broadcast"),
    ):
        with pytest.raises(ValueError, match=match):
            losses.ArcFace()(labels, cosines)
    with pytest.raises(ValueError, match=r"cosines in \[-1, 1\].*ArcFaceLogits"):
        losses.ArcFace()(ids, 10 * cosines)
    with pytest.raises(ValueError, match="at least 2 classes"):
        losses.ArcFace()(ids, cosines[:, :1])
    with pytest.raises(ValueError, match=r"math\.radians"):
        losses.ArcFace(margin=28.6)


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: losses.Triplet(mining="semihard"), "'semi_hard'"),
        (lambda: losses.Triplet(distance="manhattan"), "'squared'"),
        (lambda: losses.Triplet(margin=-1), ">= 0"),
        (lambda: losses.NTXent(0), "temperature.*> 0"),
        (lambda: losses.SupCon(-1.0), "temperature.*> 0"),
        (lambda: losses.MultiSimilarity(beta=0), "beta.*> 0"),
        (lambda: losses.MultiSimilarity(epsilon=-0.1), "epsilon.*>= 0"),
        (lambda: losses.Contrastive(margin=0), "margin.*> 0"),
        (lambda: losses.ArcFace(scale=0), "scale.*> 0"),
    ],
)
def test_bad_options(build, match):
    with pytest.raises(ValueError, match=match):
        build()


def test_a_mask_that_removes_a_class():
    ids, x = np.array([0, 0, 1, 1]), masked(normal(4, 3), np.array([True, True, False, False]))
    assert value(losses.Triplet(), ids, x) == 0
    assert value(losses.NTXent(), ids, x) == 0


def test_arc_face_layer_and_loss_learn_directions():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3, 96)
    x = (np.eye(3)[ids] @ rng.normal(size=(3, 6)) + 0.2 * rng.normal(size=(96, 6))).astype("float32")
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4), layers.ArcFaceLogits(3)])
    model.compile(keras.optimizers.Adam(0.05), losses.ArcFace(scale=8.0), metrics=["accuracy"])
    history = model.fit(x, ids, batch_size=32, epochs=15, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert history["accuracy"][-1] > 0.9
