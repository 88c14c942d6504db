"""Labels at lower resolutions against plain loops, scikit-image and PyTorch."""

import numpy as np
import pytest
from keras import ops

from kerasmith.labels import label_pyramid
from tests.oracles import label_pyramid_loops as loops
from tests.support.cover import each_value

pytestmark = pytest.mark.formula("operations on tensors beside an oracle")

SIZES = {
    "sequence": ((2, 12), (4,)),
    "image": ((2, 8, 6), (2, 3)),
    "volume": ((2, 3, 4, 10), (1, 2, 5)),
}


@pytest.fixture(params=SIZES, ids=str)
def case(request):
    return SIZES[request.param]


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def tensor(x, dtype="float32"):
    return ops.convert_to_tensor(np.asarray(x, dtype))


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("channels", [None, 3])
def test_area_mean_against_loops_and_scikit_image(case, channels):
    transform = pytest.importorskip("skimage.transform")
    shape, sizes = case
    x = np.random.default_rng(0).random(shape if channels is None else (*shape, channels)).astype("float32")
    got = numpy(label_pyramid.area_mean(tensor(x), 1, sizes))
    np.testing.assert_allclose(got, loops.down(x, sizes, "area")[0], rtol=1e-6)
    blocks = (1, *sizes) if channels is None else (1, *sizes, 1)
    np.testing.assert_allclose(got, transform.downscale_local_mean(x, blocks), rtol=1e-6)


def test_one_hot_labels_keep_the_mass_of_each_class(case):
    shape, sizes = case
    ids = np.random.default_rng(1).integers(0, 3, shape)
    got = numpy(label_pyramid.area_mean(tensor(np.eye(3)[ids]), 1, sizes))
    np.testing.assert_allclose(got.sum(-1), 1, rtol=1e-6)
    np.testing.assert_allclose(got.reshape(-1, 3).mean(0), [(ids == c).mean() for c in range(3)], rtol=1e-6)


def test_picked_pixels_against_loops_and_the_nearest_exact_of_pytorch(case):
    torch = pytest.importorskip("torch")
    shape, sizes = case
    ids = np.random.default_rng(2).integers(0, 256, shape).astype("uint8")
    got = label_pyramid.picked(ops.convert_to_tensor(ids), 1, sizes)
    assert "uint8" in str(got.dtype)
    got = ops.convert_to_numpy(got)
    np.testing.assert_array_equal(got, loops.down(ids, sizes, "nearest")[0])
    nearest = torch.nn.functional.interpolate(torch.as_tensor(ids[:, None]), size=got.shape[1:], mode="nearest-exact")
    np.testing.assert_array_equal(got, nearest.numpy()[:, 0])


def test_picked_pixels_against_scikit_image_for_odd_blocks():
    # A block of even size has no pixel in its middle, and scikit-image takes the one before it in some versions.
    transform = pytest.importorskip("skimage.transform")
    ids = np.random.default_rng(3).integers(0, 256, (9, 15)).astype("uint8")
    got = ops.convert_to_numpy(label_pyramid.picked(ops.convert_to_tensor(ids[None]), 1, (3, 5)))[0]
    nearest = transform.resize(ids, (3, 3), order=0, anti_aliasing=False, preserve_range=True)
    np.testing.assert_array_equal(got, nearest)


@pytest.mark.thinned("each row compiles anew", by=each_value)
@pytest.mark.parametrize("channels", [None, "last", "first"])
def test_weighted_mean_ignores_what_has_no_weight(case, channels):
    shape, sizes = case
    rng = np.random.default_rng(4)
    x = rng.random(shape if channels is None else (*shape, 2)).astype("float32")
    weight = (rng.random(shape) * (rng.random(shape) > 0.4)).astype("float32")
    weight[0, : sizes[0]] = 0  # whole blocks without weight
    expected = loops.down(x, sizes, "area", weight)[0]
    x[weight == 0] = np.nan
    if channels == "first":
        x, expected = np.moveaxis(x, -1, 1), np.moveaxis(expected, -1, 1)
    got = label_pyramid.weighted_area_mean(tensor(x), tensor(weight), 2 if channels == "first" else 1, sizes)
    np.testing.assert_allclose(numpy(got), expected, rtol=1e-5, atol=1e-7)
    assert (numpy(got)[0].take(0, axis=1 if channels == "first" else 0) == 0).all()


@pytest.mark.parametrize(
    ("labels", "output", "axis", "first", "sizes", "ids"),
    [
        ((4, 8, 6), (4, 4, 2, 3), -1, 1, (2, 3), True),
        ((4, 8, 6, 1), (4, 4, 2, 3), -1, 1, (2, 3), True),
        ((4, 8, 6, 3), (4, 8, 6, 3), -1, 1, (1, 1), False),
        ((4, 8, 6, 1), (4, 4, 2, 1), -1, 1, (2, 3), False),
        ((4, 8, 6), (4, 4, 2, 1), -1, 1, (2, 3), False),
        ((4, 8, 6), (4, 3, 4, 2), 1, 1, (2, 3), True),
        ((4, 1, 8, 6), (4, 3, 4, 2), 1, 2, (2, 3), True),
        ((4, 3, 8, 6), (4, 3, 4, 2), 1, 2, (2, 3), False),
        ((4, 12), (4, 3, 2), -1, 1, (4,), True),
        ((4,), (4, 3), -1, 1, (), True),
        ((4, 3), (4, 3), -1, 1, (), False),
        ((4, 4, 8, 6, 2), (4, 4, 4, 3, 2), -1, 1, (1, 2, 2), False),
    ],
)
def test_what_shapes_say(labels, output, axis, first, sizes, ids):
    y, p = tensor(np.zeros(labels)), tensor(np.zeros(output))
    assert label_pyramid.blocks(y, p, axis) == (first, sizes)
    assert label_pyramid.hold_ids(y, p, axis) is ids


@pytest.mark.parametrize(
    ("labels", "output", "axis", "message"),
    [
        ((2, 9, 8, 1), (2, 4, 4, 1), -1, r"\(4, 4\).*\(2, 4, 4, 1\) must divide.*\(2, 9, 8, 1\), \(9, 8\), by whole .*Pad or"),
        ((2, 4, 4), (2, 8, 8, 3), -1, r"\(2, 8, 8, 3\) is finer than the labels of shape \(2, 4, 4\)\. Give labels"),
        ((2, 16, 16), (2, 3, 8, 8), -1, "set `axis=1` in the loss if channels come first"),
        ((2, 8), (2, 4, 4, 1), -1, "as many axes as the output has, or one less"),
    ],
)
def test_bad_shapes(labels, output, axis, message):
    with pytest.raises(ValueError, match=message):
        label_pyramid.blocks(tensor(np.zeros(labels)), tensor(np.zeros(output)), axis)


def test_unknown_sizes():
    class Unknown:
        shape = (None, None, None, 1)

    with pytest.raises(ValueError, match=r"must be known.*\(None, None, None, 1\).*ensure_shape"):
        label_pyramid.blocks(tensor(np.zeros((2, 4, 4, 1))), Unknown())
