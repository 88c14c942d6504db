"""Made boards: few pixels of faults, every kind, the same for a seed."""

import numpy as np
import pytest

from kerasmith.recipes.boards import KINDS, MOST, make_boards

pytestmark = pytest.mark.host("draws boards with NumPy alone")


def test_faults_are_rare_of_every_kind_and_where_they_are_said_to_be():
    boards = make_boards(48, size=80, seed=1)
    assert boards.images.shape == (48, 80, 80, 1)
    assert boards.images.dtype == "float32"
    assert np.isfinite(boards.images).all()
    share = (boards.kinds > 0).mean(axis=(1, 2))
    assert 0 < share.max() <= MOST
    assert (share == 0).any(), "some boards are right"
    np.testing.assert_array_equal(boards.faults > 0, boards.kinds > 0)
    counts = np.zeros(len(KINDS), int)
    for kinds, faults in zip(boards.kinds, boards.faults):
        for fault in range(1, faults.max() + 1):
            (kind,) = np.unique(kinds[faults == fault])
            assert (faults == fault).sum() >= 4
            counts[kind - 1] += 1
    # Drawn in turn; a place that is not free drops some.
    assert counts.min() >= 8


def test_copper_is_bright_and_where_it_is_missing_dark():
    boards = make_boards(60, size=80, seed=2)
    light = {kind: boards.images[..., 0][boards.kinds == i].mean() for i, kind in enumerate(KINDS, start=1)}
    # A pinhole is as small as the blur of the camera, in a pad that is bright.
    for surplus in ("short", "spur", "spurious copper"):
        for missing in ("open", "mouse bite"):
            assert light[surplus] > light[missing] + 0.05


def test_the_seed_decides():
    first, again, other = (make_boards(3, size=64, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.kinds, again.kinds)
    assert np.abs(first.images - other.images).max() > 0.1
