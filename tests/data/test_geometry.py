import numpy as np
import pytest

from kerasmith.data import Augmentation, TileMap

pytestmark = pytest.mark.host("moves images with NumPy")

STRONG = Augmentation(scale=0.4, stretch=0.3, contrast=0.4, brightness=0.2, noise=0.2)


def test_identity_cuts_the_tile_out():
    image = np.random.default_rng(0).normal(size=(20, 30))
    place = TileMap(np.eye(2), (9.5, 12.5), image.shape, 8)
    np.testing.assert_array_equal(place.smooth(image), image[6:14, 9:17])
    np.testing.assert_array_equal(place.nearest(image), image[6:14, 9:17])


def test_quarter_turn_is_rot90():
    image = np.random.default_rng(0).normal(size=(9, 9))
    place = TileMap([[0, 1], [-1, 0]], (4, 4), image.shape, 9)
    np.testing.assert_allclose(place.smooth(image), np.rot90(image))


def test_smooth_equals_a_plain_loop():
    rng = np.random.default_rng(1)
    image = rng.normal(size=(12, 15))
    place = STRONG.draw_map(rng, image.shape, 7)
    got = place.smooth(image)
    for i in range(7):
        for j in range(7):
            row, column = place.rows[i, j], place.columns[i, j]
            want = sum(
                image[r, c] * max(0, 1 - abs(row - r)) * max(0, 1 - abs(column - c)) for r in range(12) for c in range(15)
            )
            assert got[i, j] == pytest.approx(want, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_positions_stay_inside_even_for_tiles_larger_than_the_image(seed):
    place = STRONG.draw_map(np.random.default_rng(seed), (13, 8), 64)
    for positions, length in ((place.rows, 13), (place.columns, 8)):
        assert positions.min() >= 0
        assert positions.max() <= length - 1
    assert np.isfinite(place.smooth(np.ones((13, 8)))).all()


def test_mirror_continues_the_image_at_its_edge():
    place = TileMap(np.eye(2), (0, 4), (5, 9), 5)
    np.testing.assert_array_equal(place.rows[:, 0], [2, 1, 0, 1, 2])


def test_strength_zero_changes_nothing():
    plain = Augmentation(rotate=False, mirror=False)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(plain.draw_values(rng, np.eye(4)), np.eye(4))
    place = plain.draw_map(rng, (40, 40), 4)
    np.testing.assert_allclose(np.diff(place.rows, axis=0), 1, atol=1e-12)


def test_both_mirrored_and_plain_tiles_are_drawn():
    def handedness(seed):
        place = Augmentation().draw_map(np.random.default_rng(seed), (500, 500), 2)
        steps = [[p[1, 0] - p[0, 0], p[0, 1] - p[0, 0]] for p in (place.rows, place.columns)]
        return round(np.linalg.det(steps))

    assert {handedness(seed) for seed in range(20)} == {-1, 1}


def test_wrong_shapes_and_strengths_are_refused():
    with pytest.raises(ValueError, match="contrast"):
        Augmentation(contrast=-0.1)
    with pytest.raises(ValueError, match=r"shape \(5, 9\)"):
        TileMap(np.eye(2), (0, 0), (5, 9), 3).nearest(np.zeros((9, 5)))
    with pytest.raises(ValueError, match="2 x 2"):
        TileMap(np.eye(2), (0, 0), (1, 9), 3)
