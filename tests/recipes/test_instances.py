import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label

from kerasmith.recipes.instances import cores_of, split_instances
from kerasmith.recipes.matching import match_objects

pytestmark = pytest.mark.host("NumPy and text")


def disks(*centres, radius=9, shape=(40, 60)):
    """Labelled disks; later ones cover earlier ones."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int32)
    for number, (row, column) in enumerate(centres, 1):
        labels[np.hypot(rows - row, columns - column) < radius] = number
    return labels


TOUCHING = disks((20, 15), (20, 30), (10, 50))


def loop_cores(labels, fraction, depth):
    """The definition, with one distance transform for each object."""
    cores = np.zeros(labels.shape, bool)
    for number in np.unique(labels[labels > 0]):
        # A margin of the object itself: the image border is no edge.
        inside = np.pad(labels == number, 50, mode="edge")
        distance = ndimage.distance_transform_edt(inside)[50:-50, 50:-50]
        largest = distance[labels == number].max()
        cores |= (labels == number) & (distance > min(depth, fraction * largest))
    return cores


@pytest.mark.parametrize(("fraction", "depth"), [(0.6, 4.0), (0.3, 100.0), (0.9, 2.0)])
def test_cores_equal_the_definition(fraction, depth):
    np.testing.assert_array_equal(cores_of(TOUCHING, fraction=fraction, depth=depth), loop_cores(TOUCHING, fraction, depth))


def test_every_object_keeps_a_core_and_no_two_touch():
    labels = disks((20, 15), (20, 30), (35, 55), (2, 2), radius=8)
    labels[0, 40] = 5
    cores = cores_of(labels)
    assert set(labels[cores]) == {1, 2, 3, 4, 5}
    assert label(cores, connectivity=1).max() == 5


def test_no_objects_no_cores():
    assert not cores_of(np.zeros((5, 6), int)).any()


def test_cores_and_mask_give_touching_objects_back():
    objects = split_instances(TOUCHING > 0, cores_of(TOUCHING) * 1.0)
    assert objects.max() == 3
    assert len(np.unique(objects[objects > 0])) == 3
    np.testing.assert_array_equal(objects > 0, TOUCHING > 0)
    matching = match_objects(TOUCHING, objects, iou_threshold=0.85)
    assert matching.true_positives == (1, 2, 3)


def test_fronts_meet_where_the_core_probability_is_lowest():
    mask = np.ones((5, 21), bool)
    cores = np.abs(np.arange(21) - 7.0)[None].repeat(5, 0) / 14  # lowest in column 7, not in the middle between the seeds
    cores[:, :2] = 0.9
    objects = split_instances(mask, cores, threshold=0.8)
    assert objects.max() == 2
    assert np.all(objects[:, :7] == 1)
    assert np.all(objects[:, 8:] == 2)


def test_merged_cores_are_one_object():
    mask = disks((20, 15), (20, 30)) > 0
    objects = split_instances(mask, mask * 1.0)
    assert objects.max() == 1


def test_mask_without_a_core_is_an_object_if_large_enough():
    mask = np.zeros((20, 30), bool)
    mask[2:8, 2:8] = mask[12:14, 20:22] = True
    objects = split_instances(mask, np.zeros((20, 30)), min_object=30)
    assert set(np.unique(objects)) == {0, 1}
    assert objects[12:14, 20:22].max() == 0
    assert (objects[2:8, 2:8] == 1).all()


def test_small_cores_seed_nothing():
    mask = np.ones((6, 20), bool)
    cores = np.zeros((6, 20))
    cores[1:5, 1:5] = 0.9
    cores[2, 15] = 0.9
    assert split_instances(mask, cores, min_core=4).max() == 1
    assert split_instances(mask, cores, min_core=1).max() == 2


def test_growth_stays_inside_the_mask_and_its_pieces():
    mask = np.ones((9, 30), bool)
    mask[:, 12:15] = False
    cores = np.zeros((9, 30))
    cores[3:6, 3:9] = 0.9
    objects = split_instances(mask, cores)
    assert set(np.unique(objects[:, :12])) == {1}
    assert set(np.unique(objects[:, 15:])) == {2}
    assert not objects[:, 12:15].any()


def test_empty_prediction():
    objects = split_instances(np.zeros((4, 5), bool), np.zeros((4, 5)))
    assert objects.shape == (4, 5)
    assert not objects.any()
