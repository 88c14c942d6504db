"""Lovasz, Boundary, HausdorffDT and CenterlineDice against smp, kornia, MONAI and plain loops with SciPy."""

import itertools

import kornia.losses
import monai.losses
import numpy as np
import pytest
import torch
from keras import ops

from kerasmith.data import signed_distance_maps
from kerasmith.losses import Boundary, CenterlineDice, HausdorffDT, Jaccard, Lovasz
from tests.losses.battery import batch, masks
from tests.oracles import libraries as lib
from tests.oracles import shape_loops
from tests.support.cover import each_value
from tests.support.gradients import value_and_grad

pytestmark = pytest.mark.formula("values and gradients beside an oracle")

EVERY = [Lovasz(), Boundary(), HausdorffDT(), HausdorffDT(0.5), CenterlineDice(2), CenterlineDice(2, smooth=0)]
every = pytest.mark.parametrize("loss", EVERY, ids=lambda loss: loss.name)
jits = pytest.mark.parametrize("jit", [False, True])


def check(loss, y_true, y_pred, value, slope, sample_weight=None, jit=False):
    got, own = value_and_grad(lambda p: loss(y_true, p, sample_weight), y_pred, jit=jit)
    assert got == pytest.approx(value, rel=1e-5)
    np.testing.assert_allclose(own, slope, atol=1e-5 * np.abs(slope).max())


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@pytest.mark.parametrize("scope", ["image", "batch"])
def test_lovasz_hinge_equals_smp_and_kornia(scope, jit):
    data = batch(1, logits=True)
    smp = lib.smp.LovaszLoss("binary", per_image=scope == "image")
    oracles = [lambda p, y: smp(p.float(), y)]  # smp takes no float64
    oracles += [lambda p, y: kornia.losses.lovasz_hinge_loss(p, y[:, 0])] * (scope == "image")
    for oracle in oracles:
        expected = lib.value_and_grad(lambda y, p, ids, oracle=oracle: oracle(p, y), data.y_true, data.y_pred, data.ids)
        for kind in ("auto", "hinge"):
            loss = Lovasz(kind, scope=scope, from_logits=True)
            check(loss, data.y_true, data.y_pred, *expected, jit=jit)
            check(loss, data.ids, data.y_pred, *expected, jit=jit)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize("ignore", [None, 255])
def test_lovasz_softmax_equals_smp(scope, ignore, jit):
    data = batch(4, size=(3, 6, 5), logits=True)
    ids = data.ids.copy()
    ids[0][ids[0] == 2] = 1  # class 2 is absent from an image
    if ignore:
        ids[1, :2] = ignore
    oracle = lib.smp.LovaszLoss("multiclass", per_image=scope == "image", ignore_index=ignore)
    value, slope = lib.value_and_grad(lambda y, p, ids: oracle(p.float(), ids), data.y_true, data.y_pred, ids)
    loss = Lovasz(scope=scope, from_logits=True, ignore_class=ignore)
    check(loss, ids, data.y_pred, value, slope, jit=jit)
    first = Lovasz(scope=scope, from_logits=True, ignore_class=ignore, axis=1)
    check(first, ids, np.moveaxis(data.y_pred, -1, 1), value, np.moveaxis(slope, -1, 1), jit=jit)
    if ignore:
        _, own = value_and_grad(lambda p: loss(ids, p), data.y_pred, jit=jit)
        assert np.all(own[1, :2] == 0)


def test_lovasz_softmax_equals_kornia():
    data, weights = batch(4, logits=True), [1.0, 2.0, 0.5, 0.0]
    ids = np.where(data.ids == 2, 1, data.ids)
    for row in (None, weights):
        tensor = None if row is None else torch.tensor(row, dtype=torch.float64)
        share = 1 if row is None else 4 / sum(row)  # kornia divides by the number of classes

        def oracle(y, p, ids, tensor=tensor, share=share):
            return kornia.losses.lovasz_softmax_loss(p, ids, tensor) * share

        expected = lib.value_and_grad(oracle, data.y_true, data.y_pred, ids)
        check(Lovasz(from_logits=True, absent="score", class_weights=row), ids, data.y_pred, *expected)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize("channels", [1, 3])
def test_weighted_lovasz_equals_plain_loops(channels, scope, jit):
    data, rng = batch(channels), np.random.default_rng(3)
    weight = rng.random((4, 6, 5)).astype("float32") * (rng.random((4, 6, 5)) > 0.3)
    rows = [(n,) for n in range(4)] if scope == "image" else [(0, 1, 2, 3)]
    value, slope = 0.0, np.zeros(data.y_pred.shape)
    for images, c in itertools.product(rows, range(channels)):
        images = list(images)
        y, p = data.y_true[images][..., c], data.y_pred[images][..., c]
        one, by_error = shape_loops.lovasz(np.abs(y - p).ravel(), y.ravel(), weight[images].ravel().astype("float64"))
        share = len(images) / 4 / channels
        value += one * share
        slope[images, ..., c] = by_error.reshape(p.shape) * np.sign(p - y) * share
    loss = Lovasz(scope=scope)
    check(loss, data.y_true, data.y_pred, value, slope, weight, jit=jit)
    _, own = value_and_grad(lambda p: loss(data.y_true, p, weight), data.y_pred, jit=jit)
    assert np.all(own[weight == 0] == 0)
    if channels > 1:
        each = [float(loss(data.y_true[..., c], data.y_pred[..., c : c + 1], weight)) for c in range(channels)]
        several = Lovasz(scope=scope, multi_label=True)(data.y_true, data.y_pred, weight)
        assert float(several) == pytest.approx(np.mean(each), rel=1e-5)


def test_lovasz_over_the_batch_has_sample_weights_inside():
    data, times = batch(1, logits=True), np.array([2, 0, 1, 3])
    loss = Lovasz(scope="batch", from_logits=True, reduction="mean_with_sample_weight")
    got = float(loss(data.y_true, data.y_pred, times.astype("float32")))
    repeated = float(loss(np.repeat(data.y_true, times, 0), np.repeat(data.y_pred, times, 0)))
    assert got == pytest.approx(repeated, rel=1e-5)


def test_lovasz_of_decisions_is_the_jaccard_loss():
    for channels in (1, 3):
        data = batch(channels)
        hard = (data.y_pred > 0.5) if channels == 1 else np.eye(3)[data.y_pred.argmax(-1)]
        hard = hard.astype("float32")
        expected = float(Jaccard(smooth=0)(data.y_true, hard))
        assert float(Lovasz()(data.y_true, hard)) == pytest.approx(expected, rel=1e-5)
    hinge = Lovasz(from_logits=True)(batch(1).y_true, 2 * (batch(1).y_pred > 0.5).astype("float32") - 1)
    hard = (batch(1).y_pred > 0.5).astype("float32")
    assert float(hinge) == pytest.approx(2 * float(Jaccard(smooth=0)(batch(1).y_true, hard)), rel=1e-5)


def test_lovasz_of_absent_classes():
    y_true, y_pred = np.zeros((1, 2, 2, 1), "float32"), np.array([0.1, 0.7, 0.2, 0.0], "float32").reshape(1, 2, 2, 1)
    assert float(Lovasz()(y_true, y_pred)) == pytest.approx(0.7)
    assert float(Lovasz()(y_true, y_pred, np.array([[[1, 0], [1, 1]]], "float32"))) == pytest.approx(0.2)
    assert float(Lovasz(absent="skip")(y_true, y_pred)) == 0
    for absent, expected in (("auto", 0.3), ("skip", 0.3), ("score", (0.3 + 0.2 + 0.1) / 3)):
        p = np.array([[[0.7, 0.2, 0.1]]], "float32")
        assert float(Lovasz(absent=absent)(np.array([[0]]), p)) == pytest.approx(expected, rel=1e-5)


def test_bad_lovasz_is_refused():
    data = batch(3, logits=True)
    with pytest.raises(ValueError, match="from_logits=True"):
        Lovasz("hinge")
    with pytest.raises(ValueError, match="competing"):
        Lovasz("hinge", from_logits=True)(data.ids, data.y_pred)
    for bad in ({"kind": "both"}, {"scope": "all"}, {"absent": "no"}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            Lovasz(**bad)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@pytest.mark.parametrize("size", [(3, 9, 7), (2, 5, 6, 4), (3, 11)])
@pytest.mark.parametrize("channels", [1, 3])
def test_distances_equal_plain_loops(size, channels, jit):
    data, rng = batch(channels, size=size), np.random.default_rng(4)
    weight = rng.random(size).astype("float32")
    spacing = [0.5, 2.0, 1.3][: len(size) - 1]
    cases = [(False, spacing)] if jit else itertools.product((False, True), (None, spacing))
    for background, step in cases:
        classes = range(1, 3) if channels == 3 and not background else range(channels)
        values, slope = shape_loops.boundary(data.y_true, data.y_pred, weight, classes, step)
        config = {"include_background": background, "spacing": step}
        check(Boundary(**config), data.ids, data.y_pred, values.mean(), slope, weight, jit=jit)
        maps = signed_distance_maps(data.y_true, spacing=step)
        check(Boundary(maps=True, include_background=background), maps, data.y_pred, values.mean(), slope, weight, jit=jit)
        for alpha in (2.0, 1.0):
            values, slope = shape_loops.hausdorff(data.y_true, data.y_pred, weight, classes, alpha, step)
            check(HausdorffDT(alpha, **config), data.y_true, data.y_pred, values.mean(), slope, weight, jit=jit)
    ratio = HausdorffDT(1.0, **config, reduction="mean_with_sample_weight")(data.y_true, data.y_pred, weight)
    mass = weight.reshape(len(weight), -1).mean(1)
    assert float(ratio) == pytest.approx(values.sum() / mass.sum(), rel=1e-5)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@pytest.mark.parametrize("size", [(4, 6, 5), (2, 5, 6, 4)])
@pytest.mark.parametrize("alpha", [2.0, 1.0])
def test_hausdorff_equals_monai(size, alpha, jit):
    for channels in (1, 3):
        data = batch(channels, size=size, logits=True)
        data.y_true[0] = 0 if channels == 1 else [0, 0, 1]  # an empty mask, and a full one
        activation = {"sigmoid": True} if channels == 1 else {"softmax": True}
        for background in (True, False):
            oracle = monai.losses.HausdorffDTLoss(alpha=alpha, include_background=background, **activation)
            expected = lib.value_and_grad(lambda y, p, ids, oracle=oracle: oracle(p, y), data.y_true, data.y_pred, data.ids)
            loss = HausdorffDT(alpha, from_logits=True, include_background=background)
            check(loss, data.y_true, data.y_pred, *expected, jit=jit)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("size", [(4, 6, 5), (4, 13, 16), (2, 7, 6, 8)])
@pytest.mark.parametrize(("iterations", "jit"), [(0, False), (1, False), (3, False), (3, True)])
def test_centerline_dice_equals_monai(size, iterations, jit):
    oracle = monai.losses.SoftclDiceLoss(iterations, 1.0, 1.0, 1e-12)
    data = batch(1, size=size)
    expected = lib.value_and_grad(lambda y, p, ids: oracle(p, y), data.y_true, data.y_pred, data.ids)
    check(CenterlineDice(iterations), data.ids, data.y_pred, *expected, jit=jit)
    data = batch(3, size=size)

    def per_class(y, p, ids):  # MONAI's sums run over the classes too
        return (oracle(p[:, 1:2], y[:, 1:2]) + oracle(p[:, 2:], y[:, 2:])) / 2

    expected = lib.value_and_grad(per_class, data.y_true, data.y_pred, data.ids)
    check(CenterlineDice(iterations), data.ids, data.y_pred, *expected, jit=jit)


def test_centerline_dice_prefers_whole_vessels():
    """Of two masks with equally many wrong pixels the one that is cut costs more."""
    truth = np.zeros((1, 9, 20, 1), "float32")
    truth[:, 3:6] = 1
    cut, thin = truth.copy(), truth.copy()
    cut[:, 3:6, 8:12] = 0
    thin[:, 3, 4:16] = 0
    assert cut.sum() == thin.sum()
    loss = CenterlineDice(3)
    assert float(loss(truth, truth)) == pytest.approx(0, abs=1e-6)
    assert float(loss(truth, thin)) < 0.5 * float(loss(truth, cut))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@every
def test_ignored_pixels_count_for_nothing(loss, jit):
    data = batch(3)
    ids = data.ids.copy()
    ids[0, :3], ids[1, :, 1:4], ids[2] = 255, 255, 255
    loss = type(loss).from_config({**loss.get_config(), "ignore_class": 255})
    value, slope = value_and_grad(lambda p: loss(ids, p), data.y_pred, jit=jit)
    assert np.all(slope[ids == 255] == 0)
    assert np.any(slope != 0)
    other = np.where((ids == 255)[..., None], data.y_pred[:, ::-1, ::-1], data.y_pred)
    assert float(loss(ids, other)) == pytest.approx(value, rel=1e-6)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@jits
@every
def test_edges_of_the_domain_stay_finite(loss, jit):
    y_true, _ = masks()
    images = [np.zeros_like(y_true), np.ones_like(y_true), y_true]
    single = [np.zeros((2, 1, 1, 1), "float32"), np.ones((2, 1, 1, 1), "float32")]
    unreduced = type(loss).from_config({**loss.get_config(), "reduction": "none"})
    for group in (images, single):
        truth, prediction = (np.concatenate(x) for x in zip(*itertools.product(group, group), strict=True))
        value, slope = value_and_grad(lambda p, truth=truth: ops.sum(unreduced(truth, p)), prediction, jit=jit)
        assert np.isfinite(value)
        assert np.all(np.isfinite(slope))
        perfect = ops.convert_to_numpy(unreduced(truth, truth))
        if not isinstance(loss, Boundary):
            np.testing.assert_allclose(perfect, 0, atol=1e-6)


def test_boundary_moves_a_border():
    """Shifted probabilities cost more the further they are off."""
    truth = np.zeros((1, 1, 20, 1), "float32")
    truth[:, :, 8:12] = 1
    costs = [float(Boundary()(truth, np.roll(truth, shift, 2))) for shift in range(7)]
    assert np.all(np.diff(costs) > 0)
    # Half a pixel of the border is worth the same on either side.
    grown, shrunk = truth.copy(), truth.copy()
    grown[0, 0, 12], shrunk[0, 0, 11] = 1, 0
    assert float(Boundary()(truth, grown)) == pytest.approx(float(Boundary()(truth, shrunk)))


def test_bad_shapes_are_refused():
    ones = np.ones((2, 4, 4, 1), "float32")
    for loss in (Boundary(spacing=[1.0]), HausdorffDT(spacing=[1.0, 1.0, 1.0])):
        with pytest.raises(ValueError, match=r"spacing.*2 spatial axes"):
            loss(ones, ones)
    for loss in (Boundary(), HausdorffDT(), CenterlineDice()):
        with pytest.raises(ValueError, match="images"):
            loss(ones[:, 0, 0], ones[:, 0, 0])
        with pytest.raises(ValueError, match="1-D, 2-D"):
            loss(np.ones((1, 2, 2, 2, 2, 1)), np.ones((1, 2, 2, 2, 2, 1), "float32"))
    for make in (lambda: Boundary(spacing=0), lambda: HausdorffDT(spacing=[1, -1]), lambda: HausdorffDT(-1)):
        with pytest.raises(ValueError, match=r"spacing|alpha"):
            make()
    with pytest.raises(ValueError, match="sample_weight"):
        Boundary(maps=True, ignore_class=255)
    with pytest.raises(ValueError, match="signed_distance_maps"):
        Boundary(maps=True, spacing=2.0)
    with pytest.raises(ValueError, match="broadcast"):
        Boundary(maps=True)(ones[:, :3], ones)
    for bad, error in ((-1, ValueError), (1.5, TypeError)):
        with pytest.raises(error, match="iterations"):
            CenterlineDice(bad)


def test_uneven_layouts_agree():
    data = batch(3, size=(2, 5, 6), logits=True)
    probabilities = ops.convert_to_numpy(ops.softmax(data.y_pred))
    for loss in EVERY:
        expected = float(loss(data.ids, probabilities))
        config = loss.get_config()
        first = type(loss).from_config({**config, "axis": 1, "from_logits": True})
        assert float(first(data.ids, np.moveaxis(data.y_pred, -1, 1))) == pytest.approx(expected, rel=1e-5)
        assert float(loss(data.y_true, probabilities)) == pytest.approx(expected, rel=1e-5)
