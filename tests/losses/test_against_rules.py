"""Unified focal loss, hardest pixels, class-balanced weights and rules on masks, against MONAI, SciPy and plain loops."""

import functools
import itertools

import keras
import numpy as np
import pytest
import scipy.ndimage
from keras import ops

from kerasmith import losses
from kerasmith.losses import Connectivity, CrossEntropy, Dice, MinimumArea, SoftConstraint, UnifiedFocal
from tests.losses.battery import batch, masks
from tests.oracles import libraries as lib
from tests.oracles.unified_focal_loops import unified_focal
from tests.support import loss_functions
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

NEIGHBOURS = {4: scipy.ndimage.generate_binary_structure(2, 1), None: scipy.ndimage.generate_binary_structure(2, 2)}


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize(
    ("kind", "channels", "gamma", "delta", "weight"),
    itertools.product(("asymmetric", "symmetric"), (1, 2, 4), (0.0, 0.4), (0.5, 0.8), (0.0, 0.3, 1.0)),
)
def test_unified_focal_equals_plain_loops(kind, channels, gamma, delta, weight):
    data = batch(channels, size=(2, 4, 3))
    ours = UnifiedFocal(weight, gamma=gamma, delta=delta, kind=kind)
    for labels in (data.y_true, data.ids):
        got, slope = value_and_grad(lambda p, labels=labels: ours(labels, p), data.y_pred)
        expected, numeric = _value_and_differences(
            lambda p: unified_focal(data.y_true, p, weight, delta, gamma, kind == "asymmetric", 1e-5), data.y_pred
        )
        assert got == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(slope, numeric, atol=1e-4 * np.abs(numeric).max())
    logits = np.log(data.y_pred) if channels > 1 else np.log(data.y_pred / (1 - data.y_pred))
    from_logits = UnifiedFocal(weight, gamma=gamma, delta=delta, kind=kind, from_logits=True)
    assert float(from_logits(data.ids, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("gamma", "delta"), [(0.5, 0.7), (0.2, 0.6)])
def test_unified_focal_equals_monai(gamma, delta):
    data = batch(2)
    for weight, oracle in ((0.0, lib.monai_asymmetric_tversky(gamma, delta)), (1.0, lib.monai_asymmetric_focal(gamma, delta))):
        expected, slope = lib.value_and_grad(oracle, data.y_true, data.y_pred, data.ids)
        ours = UnifiedFocal(weight, gamma=gamma, delta=delta, smooth=1e-7)
        got, other = value_and_grad(lambda p, ours=ours: ours(data.ids, p), data.y_pred)
        assert got == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(other, slope, atol=1e-6 * np.abs(slope).max())


def test_unified_focal_at_its_corners():
    for channels in (1, 3):
        data = batch(channels)
        ce = UnifiedFocal(1.0, gamma=0.0, delta=0.5)(data.ids, data.y_pred)
        assert float(ce) == pytest.approx(float(CrossEntropy()(data.ids, data.y_pred)) / 2, rel=1e-6)
    dice = UnifiedFocal(0.0, gamma=0.0, delta=0.5)(data.ids, data.y_pred)
    assert float(dice) == pytest.approx(float(Dice()(data.ids, data.y_pred)), rel=1e-6)
    one, two = batch(1), batch(1)
    pair = np.concatenate([1 - two.y_pred, two.y_pred], -1)
    for kind in ("asymmetric", "symmetric"):
        loss = UnifiedFocal(kind=kind)
        assert float(loss(one.ids, one.y_pred)) == pytest.approx(float(loss(two.ids, pair)), rel=1e-6)
        each = [float(loss(data.y_true[..., c], data.y_pred[..., c : c + 1])) for c in range(3)]
        several = UnifiedFocal(kind=kind, multi_label=True)(data.y_true, data.y_pred)
        assert float(several) == pytest.approx(np.mean(each), rel=1e-5)
    with pytest.raises(ValueError, match="< 1"):
        UnifiedFocal(gamma=1.0)
    with pytest.raises(ValueError, match="asymmetric"):
        UnifiedFocal(kind="both")


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("top_k", [1, 7, 1000, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_hardest_pixels(top_k, channels):
    data, weight = batch(channels), np.random.default_rng(1).random((4, 6, 5)).astype("float32") + 0.1
    ids = data.ids.copy()
    ids[0, :3], ids[1, 1:] = 255, 255
    ids[3] = 255
    each, mass, slope = [], [], np.zeros_like(data.y_pred, "float64")
    for n in range(4):
        valid = [(i, j) for i in range(6) for j in range(5) if ids[n, i, j] != 255]
        if channels == 1:
            p = {(i, j): abs(1 - ids[n, i, j] - float(data.y_pred[n, i, j, 0])) for i, j in valid}
        else:
            p = {(i, j): float(data.y_pred[n, i, j, ids[n, i, j]]) for i, j in valid}
        number = int(np.ceil(round(top_k * len(valid), 6))) if isinstance(top_k, float) else min(top_k, len(valid))
        hardest = sorted(valid, key=lambda at, n=n, p=p: -weight[n][at] * -np.log(p[at]))[:number]
        share = max(number, 1)
        each.append(sum(weight[n][at] * -np.log(p[at]) for at in hardest) / share)
        mass.append(sum(float(weight[n][at]) for at in hardest) / share)
        for at in hardest:
            channel = 0 if channels == 1 else ids[n][at]
            sign = 1 if channels == 1 and ids[n][at] == 0 else -1
            slope[n][at][channel] = sign * weight[n][at] / p[at] / share / 4
    loss = CrossEntropy(top_k=top_k, ignore_class=255)
    got, other = value_and_grad(lambda p: loss(ids, p, weight), data.y_pred)
    assert got == pytest.approx(np.mean(each), rel=1e-5)
    np.testing.assert_allclose(other, slope, atol=1e-5 * np.abs(slope).max())
    ratio = CrossEntropy(top_k=top_k, ignore_class=255, reduction="mean_with_sample_weight")(ids, data.y_pred, weight)
    assert float(ratio) == pytest.approx(sum(each) / sum(mass), rel=1e-5)


def test_all_pixels_are_the_hardest_of_all():
    data = batch(3)
    expected = float(CrossEntropy()(data.ids, data.y_pred))
    for top_k in (1.0, 10**6):
        assert float(CrossEntropy(top_k=top_k)(data.ids, data.y_pred)) == pytest.approx(expected, rel=1e-6)
    for top_k, error in ((0, ValueError), (1.5, ValueError), (0.0, ValueError), ("all", TypeError), (True, TypeError)):
        with pytest.raises(error, match="top_k"):
            CrossEntropy(top_k=top_k)


def test_class_balanced_weights():
    counts, beta = [5000, 20, 3, 0], 0.99
    raw = [1 / sum(beta**i for i in range(n)) if n else 0 for n in counts]  # the effective number is a geometric series
    expected = [w * 3 / sum(raw) for w in raw]
    assert losses.class_balanced_weights(counts, beta) == pytest.approx(expected, rel=1e-9)
    assert losses.class_balanced_weights([10, 30], 0) == [1, 1]
    assert losses.class_balanced_weights([10, 30], 1) == pytest.approx([1.5, 0.5])
    assert losses.class_balanced_weights([10, 30], 1 - 1e-12) == pytest.approx([1.5, 0.5], rel=1e-3)
    for bad, beta in (([-1, 2], 0.9), ([0, 0], 0.9), ([1, 2], 1.5)):
        with pytest.raises(ValueError, match=r"counts|beta"):
            losses.class_balanced_weights(bad, beta)


@pytest.mark.parametrize("connectivity", [None, 4])
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("rule", [{"components": 1}, {"components": 2}, {"area": 3}, {"area": 9}])
def test_components_equal_scipy(connectivity, jit, rule):
    y_true, y_pred = masks()
    weight = np.random.default_rng(2).random((4, 12, 10)).astype("float32")
    expected, slope = [], np.zeros_like(y_pred, "float64")
    for n in range(4):
        p = y_pred[n, :, :, 0]
        labels, count = scipy.ndimage.label(p > 0.5, NEIGHBOURS[connectivity])
        sizes = [int((labels == i + 1).sum()) for i in range(count)]
        if "area" in rule:
            bad = [i for i in range(count) if sizes[i] < rule["area"]]
        else:
            bad = sorted(range(count), key=lambda i, sizes=sizes: -sizes[i])[rule["components"] :]
        offends = np.isin(labels, [i + 1 for i in bad])
        inside = (weight[n] * p)[labels > 0].sum()
        expected.append((weight[n] * p)[offends].sum() / inside)
        slope[n, :, :, 0] = weight[n] * offends / inside / 4
    assert np.ptp(expected) > 0
    loss = (MinimumArea if "area" in rule else Connectivity)(**rule, connectivity=connectivity)
    got, other = value_and_grad(lambda p: loss(y_true, p, weight), y_pred, jit=jit)
    assert got == pytest.approx(np.mean(expected), rel=1e-5)
    np.testing.assert_allclose(other, slope, atol=1e-6 * np.abs(slope).max())


def test_components_of_classes_volumes_and_ignored_pixels():
    data = batch(3, size=(2, 5, 6, 4))
    got = Connectivity(reduction="none", connectivity=6)(data.ids, data.y_pred)
    expected = np.zeros((2, 2))
    winner = data.y_pred.argmax(-1)
    for n, c in itertools.product(range(2), (1, 2)):
        labels, count = scipy.ndimage.label(winner[n] == c)
        largest = max(range(1, count + 1), key=lambda i, labels=labels: (labels == i).sum())
        p = data.y_pred[n, ..., c]
        expected[n, c - 1] = p[(labels > 0) & (labels != largest)].sum() / p[labels > 0].sum()
    np.testing.assert_allclose(ops.convert_to_numpy(got), expected.mean(1), rtol=1e-5)
    # An ignored bridge joins nothing.
    bridge = np.full((1, 1, 3, 1), 0.9, "float32")
    ids = np.array([[[1, 255, 1]]])
    assert float(Connectivity()(np.ones_like(ids), bridge)) == 0
    assert float(Connectivity(ignore_class=255)(ids, bridge)) == pytest.approx(0.5)
    assert float(Connectivity()(np.zeros((1, 4, 4, 1)), np.zeros((1, 4, 4, 1), "float32"))) == 0


def descended(function, x, rate):
    """Where 60 steps of gradient descent lead; one function for all, which is compiled once."""
    for _ in range(60):
        x = x - rate * value_and_grad(function, x.astype("float32"))[1]
    return x.astype("float32")


def test_rules_move_a_mask():
    """Gradient descent on the rule alone removes specks, and makes a mask that is too small grow."""
    y_true, y_pred = masks()
    logits = np.log(y_pred / (1 - y_pred))
    for loss in (Connectivity(from_logits=True, connectivity=4), MinimumArea(3, from_logits=True, connectivity=4)):
        assert float(loss(y_true, logits)) > 0.02
        assert float(loss(y_true, descended(functools.partial(loss, y_true), logits, 60))) == 0
    loss = MinimumArea(70, per="image", from_logits=True)
    moved = descended(functools.partial(loss, y_true), logits, 500)
    assert float(loss(y_true, moved)) == pytest.approx(0, abs=1e-3)
    assert float(loss(np.zeros_like(y_true), logits.astype("float32"))) == 0


def test_bad_rules_are_refused():
    with pytest.raises(ValueError, match="images"):
        Connectivity()(np.zeros((2, 1)), np.zeros((2, 1), "float32"))
    with pytest.raises(ValueError, match="connectivity"):
        Connectivity(connectivity=6)(np.zeros((1, 4, 4, 1)), np.ones((1, 4, 4, 1), "float32"))
    with pytest.raises(ValueError, match="area"):
        MinimumArea(0)
    with pytest.raises(ValueError, match="per='component'"):
        MinimumArea(9, per="image", threshold=0.3)
    with pytest.raises(ValueError, match="components"):
        Connectivity(0)
    with pytest.raises(ValueError, match="margin"):
        SoftConstraint(loss_functions.excess, margin=-1)


@pytest.mark.parametrize(("margin", "power"), [(0.0, 1), (0.2, 1), (0.1, 2)])
def test_soft_constraint(margin, power):
    y_true, y_pred = masks()
    excess = (y_pred.sum((1, 2, 3)) - y_true.sum((1, 2, 3))) / 100
    hinge = np.maximum(excess + margin, 0)
    loss = SoftConstraint(loss_functions.excess, margin, power=power)
    weight = np.array([1, 0, 2, 3], "float32")
    got, slope = value_and_grad(lambda p: loss(y_true, p, weight), y_pred)
    assert got == pytest.approx((weight * hinge**power).mean(), rel=1e-5)
    expected = weight * (hinge > 0) * (1 if power == 1 else 2 * hinge) / 400
    np.testing.assert_allclose(slope, np.broadcast_to(expected[:, None, None, None], slope.shape), rtol=1e-4, atol=1e-9)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert float(again(y_true, y_pred, weight)) == pytest.approx(got)


def _value_and_differences(function, x, step=1e-6):
    x = x.astype("float64")
    slope = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[at] += step
        behind[at] -= step
        slope[at] = (function(ahead) - function(behind)) / (2 * step)
    return function(x), slope
