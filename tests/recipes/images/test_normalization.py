import json

import numpy as np
import pytest

from kerasmith.recipes.images.normalization import Normalization
from kerasmith.recipes.images.resampling import resample, resampled_size

pytestmark = pytest.mark.host("NumPy on small arrays")

RNG = np.random.default_rng(0)
ARRAYS = [RNG.normal(5000 + 100 * i, 3, size=(20 + i, 30, 2)) for i in range(4)]


def test_the_data_set_has_one_mean():
    pixels = np.concatenate([array.reshape(-1, 2) for array in ARRAYS])
    fitted = Normalization("zscore").fit(iter(ARRAYS))
    np.testing.assert_allclose(fitted.mean, pixels.mean(0))
    np.testing.assert_allclose(fitted.std, pixels.std(0))
    np.testing.assert_allclose(fitted(ARRAYS[1]), (ARRAYS[1] - pixels.mean(0)) / pixels.std(0), rtol=1e-4, atol=1e-5)


def test_percentiles_and_ranges():
    pixels = np.concatenate([array.reshape(-1, 2) for array in ARRAYS])
    fitted = Normalization("percentile").fit(ARRAYS)
    np.testing.assert_allclose([fitted.low, fitted.high], np.percentile(pixels, [0.5, 99.5], axis=0))
    result = fitted(ARRAYS[0])
    assert result.min() == 0
    assert result.max() <= 1
    photographs = [np.full((4, 4, 3), 51, np.uint8)]
    np.testing.assert_allclose(Normalization("unit").fit(photographs)(photographs[0]), 0.2, rtol=1e-6)
    assert Normalization("none").fit(photographs)(photographs[0]).max() == 51


@pytest.mark.parametrize("kind", ["zscore", "percentile", "unit", "none"])
def test_without_numbers_each_image_has_its_own_and_nothing_is_lost_on_disk(kind):
    own = Normalization(kind)(ARRAYS[0])
    np.testing.assert_array_equal(own, Normalization(kind).fit(ARRAYS[:1])(ARRAYS[0]))
    assert own.dtype == np.float32
    assert np.isfinite(Normalization(kind)(np.full((4, 4, 1), 7.0))).all()
    fitted = Normalization(kind).fit(ARRAYS)
    assert Normalization.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="zscore"):
        Normalization("z-score")
    with pytest.raises(ValueError, match="no 'median'"):
        Normalization.from_dict({"kind": "none", "median": 3})
    with pytest.raises(ValueError, match="no image"):
        Normalization("unit").fit([])
    with pytest.raises(ValueError, match="3 channels"):
        Normalization("zscore").fit([np.zeros((2, 2, 2)), np.zeros((2, 2, 3))])
    with pytest.raises(ValueError, match="of 2 channels"):
        Normalization("zscore").fit(ARRAYS)(np.zeros((2, 2, 3)))


def test_resampling_is_linear_between_centres():
    ramp = np.arange(12.0)[:, None] * 2 + np.arange(8.0)
    size = resampled_size(ramp.shape, (1.0, 1.0), (0.5, 2.0))
    assert size == (24, 4)
    result = resample(ramp[..., None], size)[..., 0]
    rows, columns = (np.arange(24) + 0.5) / 2 - 0.5, (np.arange(4) + 0.5) * 2 - 0.5
    expected = np.clip(rows, 0, 11)[:, None] * 2 + np.clip(columns, 0, 7)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    np.testing.assert_array_equal(resample(ramp, ramp.shape), ramp)
    ids = RNG.integers(0, 5, (6, 7, 8))
    fine = resample(ids, (12, 21, 8), nearest=True)
    np.testing.assert_array_equal(fine, ids.repeat(2, 0).repeat(3, 1))
    np.testing.assert_array_equal(resample(fine, ids.shape, nearest=True), ids)
    assert fine.dtype == ids.dtype
    assert resample(np.ones((1, 1)), (3, 3)).tolist() == [[1, 1, 1]] * 3
