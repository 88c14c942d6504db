"""draw_field: each pixel has the colour of the value at its place."""

import numpy as np
import pytest

from kerasmith.report import draw_field

pytestmark = pytest.mark.host("pixels of NumPy arrays")
SIDE, TITLE, GAP = 60, 18, 8


def panels(x, reference, prediction):
    picture = draw_field(x, reference, prediction, side=SIDE)
    assert picture.dtype == np.uint8
    assert picture.shape[0] == SIDE + TITLE
    return [picture[TITLE:, i * (SIDE + GAP) : i * (SIDE + GAP) + SIDE].astype(int) for i in range(3)]


def grid(n, m):
    return np.stack(np.meshgrid(np.linspace(0, 1, n), np.linspace(2, 5, m), indexing="ij"), -1).reshape(-1, 2)


def test_maps_have_the_first_axis_to_the_right_and_the_second_upwards():
    x = grid(7, 9)
    to_the_right, upwards, error = panels(x, x[:, 0], (x[:, 1] - 2) / 3)
    brightness = to_the_right.sum(axis=-1)
    assert (brightness == brightness[0]).all()
    assert (np.diff(brightness[0]) >= 0).all()
    assert brightness[0, -1] > brightness[0, 0] + 200
    brightness = upwards.sum(axis=-1)
    assert (brightness == brightness[:, :1]).all()
    assert (np.diff(brightness[:, 0]) <= 0).all()
    # Too high where x is small and y large, above on the left: orange; blue on the right below.
    assert error[0, 0, 0] > error[0, 0, 2] + 100
    assert error[-1, -1, 2] > error[-1, -1, 0] + 100
    np.testing.assert_array_equal(error[-1, 0], error[0, -1])
    assert error[-1, 0].min() > 240


def test_what_lies_outside_is_grey_and_values_may_be_equal():
    x = grid(21, 21)
    x = x[(x[:, 0] - 0.5) ** 2 + ((x[:, 1] - 3.5) / 3) ** 2 <= 0.25]
    reference, _, error = panels(x, np.ones(len(x)), np.ones(len(x)))
    assert (reference[0, 0] == 200).all()
    assert (reference[SIDE // 2, SIDE // 2] != 200).any()
    assert error[SIDE // 2, SIDE // 2].min() > 240
    scattered = np.random.default_rng(0).random((400, 2))
    right, _, _ = panels(scattered, scattered[:, 0], scattered[:, 0])
    filled = right[SIDE // 2 - 8 : SIDE // 2 + 8].sum(axis=-1)
    assert filled[:, -8:].mean() > filled[:, :8].mean() + 150


def test_other_numbers_of_axes_and_mistakes():
    line = np.linspace(0, 1, 50)[:, None]
    assert draw_field(line, line[:, 0], line[:, 0] ** 2, side=SIDE).shape == (SIDE + TITLE, 3 * SIDE + 2 * GAP, 3)
    assert draw_field(np.zeros((1, 1)), np.zeros(1), np.zeros(1), side=SIDE).shape[0] == SIDE + TITLE
    cloud = np.random.default_rng(0).random((50, 3))
    picture = draw_field(cloud, cloud[:, 0], cloud[:, 0], side=SIDE)
    assert picture.shape == (SIDE + TITLE, SIDE, 3)
    off = np.argwhere(picture[TITLE:].sum(axis=-1) < 500)
    np.testing.assert_array_equal(off.sum(axis=1), SIDE - 1)  # all on the diagonal
    with pytest.raises(ValueError, match="N values"):
        draw_field(cloud, cloud, cloud[:, 0])
