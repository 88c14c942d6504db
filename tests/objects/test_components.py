"""Components and overlaps against flood fill, scikit-image and scipy."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import measure

from kerasmith.objects.components import label_objects, overlaps, renumber_objects
from tests.oracles import objects as oracle

pytestmark = pytest.mark.host("labels objects on the host")

CONNECTIVITIES = [(1, None, 1), (2, None, 2), (2, 4, 1), (2, 8, 2), (3, None, 3), (3, 6, 1), (3, 18, 2), (3, 26, 3)]


def random_masks(dimensions, number=40, seed=0, largest=9):
    rng = np.random.default_rng(seed)
    for _ in range(number):
        yield rng.random(rng.integers(1, largest, dimensions)) < rng.uniform(0.05, 0.7)


@pytest.mark.parametrize(("dimensions", "connectivity", "order"), CONNECTIVITIES)
def test_objects_and_their_order_equal_flood_fill(dimensions, connectivity, order):
    for mask in random_masks(dimensions):
        expected = oracle.components(mask, order)
        labels, count = label_objects(mask, connectivity)
        assert labels.shape == mask.shape
        assert labels.dtype.kind == "i"
        assert count == len(expected)
        assert oracle.instances(labels) == expected


@pytest.mark.parametrize(("dimensions", "connectivity", "order"), CONNECTIVITIES[1:])
def test_large_masks_equal_skimage_and_scipy(dimensions, connectivity, order):
    # Both number objects by their first pixel, too.
    mask = np.random.default_rng(1).random((97, 101) if dimensions == 2 else (23, 29, 31)) < (0.4 if order == 1 else 0.15)
    labels, count = label_objects(mask, connectivity)
    expected, number = measure.label(mask, connectivity=order, return_num=True)
    np.testing.assert_array_equal(labels, expected)
    assert count == number == ndimage.label(mask, ndimage.generate_binary_structure(dimensions, order))[1]


@pytest.mark.parametrize("min_size", [0, 1, 2, 4, 1000])
def test_small_objects_are_dropped_and_the_rest_is_numbered_on(min_size):
    for mask in random_masks(2, seed=2):
        kept = [pixels for pixels in oracle.components(mask, 1) if len(pixels) >= min_size]
        labels, count = label_objects(mask, 4, min_size)
        assert count == len(kept)
        assert oracle.instances(labels) == kept


def test_any_memory_layout_and_dtype():
    base = np.random.default_rng(3).random((12, 14, 6)) < 0.4
    for view in (base[::2, ::-1, 3], base[..., 1].T, np.asfortranarray(base), base.transpose(2, 0, 1)[::2], base[:, 5, 5]):
        expected, number = label_objects(view.copy())
        frozen = view.view()
        frozen.flags.writeable = False
        for mask in (frozen, view.astype("int32") * 256, view.astype("float32") * 0.5, view.tolist()):
            labels, count = label_objects(mask)
            assert count == number
            np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 0), (0, 0, 0), (3, 4), (2, 3, 4)])
def test_empty_images_and_empty_masks(shape):
    labels, count = label_objects(np.zeros(shape, bool))
    assert count == 0
    assert labels.shape == shape
    assert not labels.any()
    assert len(overlaps(labels, labels).iou) == 0


def test_full_mask_is_one_object():
    labels, count = label_objects(np.ones((5, 7), bool), 4)
    assert count == 1
    assert (labels == 1).all()


@pytest.mark.parametrize(
    ("shape", "connectivity", "message"),
    [
        ((4, 4), 6, "2-D images must be None or one of 4, 8. Received: connectivity=6"),
        ((4, 4, 4), 8, "3-D images must be None or one of 6, 18, 26. Received: connectivity=8"),
        ((0, 4), 26, "one of 4, 8"),
        ((2, 2, 2, 2), None, "4 spatial axes"),
        ((), None, "0 spatial axes"),
    ],
)
def test_wrong_connectivity_names_the_choices(shape, connectivity, message):
    with pytest.raises(ValueError, match=message):
        label_objects(np.zeros(shape, bool), connectivity)


def test_instance_labels_with_gaps_are_renumbered():
    labels = np.array([[0, 2_000_000_000, 7], [7, 0, 3], [0, 3, 7]], "uint32")
    numbered, count = renumber_objects(labels)
    assert count == 3
    assert numbered.tolist() == [[0, 3, 2], [2, 0, 1], [0, 1, 2]]
    numbered, count = renumber_objects(labels, min_size=3)
    assert count == 1
    assert numbered.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert renumber_objects(np.zeros((0, 3), int))[1] == 0


def test_bad_instance_labels_are_named():
    with pytest.raises(ValueError, match=r"must be integers.*float64"):
        renumber_objects(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"must be integers.*bool"):
        renumber_objects(np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="a label of -1"):
        renumber_objects(np.array([-1, 2]))


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_overlaps_equal_sets_of_pixels(dimensions):
    rng = np.random.default_rng(4)
    for mask in random_masks(dimensions, seed=5):
        other = rng.random(mask.shape) < 0.5
        expected = oracle.pair_ious(oracle.components(mask, 1), oracle.components(other, dimensions))
        labels_a = label_objects(mask, {1: None, 2: 4, 3: 6}[dimensions])[0]
        first, second, iou = overlaps(labels_a, label_objects(other)[0])
        assert list(zip(first.tolist(), second.tolist())) == sorted(expected)
        assert iou.tolist() == [float(expected[pair]) for pair in sorted(expected)]


def test_many_objects_need_no_table_of_all_pairs():
    # 160,000 objects on either side: a table of all pairs would hold 2.6e10 entries.
    mask = np.zeros((800, 800), bool)
    mask[::2, ::2] = True
    labels, count = label_objects(mask)
    assert count == 160_000
    pairs = overlaps(labels, labels)
    np.testing.assert_array_equal(pairs.first, np.arange(count))
    np.testing.assert_array_equal(pairs.first, pairs.second)
    assert (pairs.iou == 1).all()
