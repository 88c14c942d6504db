import sys

import numpy as np
import pytest

from kerasmith.data import MissingDataPackage
from kerasmith.recipes import nuclei_image

pytestmark = pytest.mark.host("reads and cuts an image with NumPy")


def test_the_image_is_read_without_importing_stardist():
    image, labels = nuclei_image.load()
    assert image.shape == labels.shape == (512, 512)
    assert image.dtype == np.float32
    assert len(np.unique(labels)) == 126
    assert "stardist" not in sys.modules


def test_the_parts_cover_the_image_without_overlap():
    image, labels = nuclei_image.load()
    train, held_out = nuclei_image.split(image, labels)
    assert train.image.shape == train.labels.shape == (512, 352)
    assert held_out.image.shape == held_out.labels.shape == (512, 160)
    np.testing.assert_array_equal(np.hstack([train.labels, held_out.labels]), labels)
    np.testing.assert_array_equal(held_out.mask, labels[:, 352:] > 0)


def test_nothing_held_out_reaches_the_training_part():
    image, labels = nuclei_image.load()
    clean, _ = nuclei_image.split(image, labels)
    image, labels = image.copy(), labels.copy()
    image[:, nuclei_image.BORDER :] = np.nan
    labels[:, nuclei_image.BORDER :] = 7777
    poisoned, _ = nuclei_image.split(image, labels)
    np.testing.assert_array_equal(poisoned.image, clean.image)
    np.testing.assert_array_equal(poisoned.labels, clean.labels)


def test_both_parts_are_normalised_by_the_training_part():
    train, held_out = nuclei_image.split(*nuclei_image.load())
    assert train.image.mean() == pytest.approx(0, abs=1e-4)
    assert train.image.std() == pytest.approx(1, abs=1e-4)
    same = np.hstack([train.image[:, :160]] * 2), np.zeros((512, 320), np.int32)
    left, right = nuclei_image.split(*same, border=160)
    np.testing.assert_array_equal(left.image, right.image)
    assert abs(held_out.image.mean()) > 1e-3


def test_tiles_are_pieces_in_order():
    array = np.arange(48).reshape(12, 4)
    pieces = nuclei_image.tiles(array, 3)
    assert pieces.shape == (3, 4, 4, 1)
    assert pieces.dtype == np.float32
    np.testing.assert_array_equal(np.vstack(pieces[..., 0]), array)


def test_a_missing_package_is_reported_before_anything_else(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDataPackage, match="pip install tifffile"):
        nuclei_image.load()
