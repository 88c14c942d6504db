"""PSNR and SSIM against scikit-image, LPIPS against PyTorch."""

import numpy as np
import pytest
from keras import ops
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from kerasmith import losses, metrics
from kerasmith.backbones.lpips import published_weights
from tests.metrics.battery import photographs
from tests.oracles import lpips_torch
from tests.support.metric_runs import run


def images(shape=(5, 24, 21, 3), seed=0, top=1.0):
    rng = np.random.default_rng(seed)
    y = rng.random(shape)
    x = np.clip(y + rng.normal(0, 1, shape) * np.linspace(0.02, 0.5, shape[0]).reshape(-1, *[1] * (len(shape) - 1)), 0, 1)
    return (top * y).astype("float32"), (top * x).astype("float32")


def ssim(y, x, top, **options):
    return structural_similarity(
        y.astype("float64"), x.astype("float64"), data_range=top, channel_axis=-1, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("top", [1.0, 255.0])
@pytest.mark.parametrize("shape", [(5, 24, 21, 3), (4, 12, 13, 14, 1)])
def test_equal_scikit_image(top, shape):
    y, x = images(shape, top=top)
    weight = np.arange(1.0, shape[0] + 1).astype("float32")
    noise = [peak_signal_noise_ratio(a.astype("float64"), b.astype("float64"), data_range=top) for a, b in zip(y, x)]
    similar = [ssim(a, b, top) for a, b in zip(y, x)]
    for given in (None, weight):
        got = run(metrics.PSNR(top), (y, x, given)) | run(metrics.SSIM(top), (y, x, given))
        assert got["psnr"] == pytest.approx(np.average(noise, weights=given), rel=1e-6)
        assert got["ssim"] == pytest.approx(np.average(similar, weights=given), abs=2e-6)
        assert got["psnr_cases"] == got["ssim_cases"] == (shape[0] if given is None else weight.sum())
    first = np.moveaxis(y, -1, 1), np.moveaxis(x, -1, 1)
    assert run(metrics.PSNR(top, axis=1), first)["psnr"] == pytest.approx(np.mean(noise), rel=1e-6)
    assert run(metrics.SSIM(top, axis=1), first)["ssim"] == pytest.approx(np.mean(similar), abs=2e-6)


def test_ssim_is_1_minus_the_loss():
    y, x = images()
    loss = float(ops.convert_to_numpy(losses.SSIM(window=7, sigma=1.0)(y, x)))
    assert run(metrics.SSIM(window=7, sigma=1.0), (y, x))["ssim"] == pytest.approx(1 - loss, abs=1e-6)


def test_equal_images_are_capped_counted_or_left_out():
    y, x = images()
    x[1], x[3] = y[1], y[3]
    noise = [peak_signal_noise_ratio(y[i], x[i], data_range=1) for i in (0, 2, 4)]
    got = run(metrics.PSNR(cap=60), (y, x))
    assert got == pytest.approx({"psnr": (sum(noise) + 120) / 5, "psnr_cases": 5, "psnr_identical": 2}, rel=1e-6)
    got = run(metrics.PSNR(cap=None), (y, x))
    assert got == pytest.approx({"psnr": np.mean(noise), "psnr_cases": 3, "psnr_identical": 2}, rel=1e-6)
    assert run(metrics.PSNR(cap=10), (y, x))["psnr"] == pytest.approx(np.mean(np.minimum([*noise, 10, 10], 10)), rel=1e-6)
    assert run(metrics.SSIM(), (y, y))["ssim"] == 1
    assert run(metrics.PSNR(), (np.zeros_like(y), np.zeros_like(y)))["psnr"] == 100


def test_pixel_weights():
    y, x = images()
    rng = np.random.default_rng(1)
    weight = rng.integers(0, 3, y.shape[:3]).astype("float32")
    noise = [-10 * np.log10(np.average(((a - b) ** 2).mean(-1), weights=w)) for a, b, w in zip(y, x, weight)]
    got = run(metrics.PSNR(), (y, np.where(weight[..., None] == 0, np.nan, x), weight))
    assert got["psnr"] == pytest.approx(np.mean(noise), rel=1e-5)
    similar = []
    for a, b, w in zip(y, x, weight):
        places = ssim(a, b, 1.0, full=True)[1].mean(-1)[5:-5, 5:-5]
        similar.append(np.average(places, weights=w[5:-5, 5:-5]))
    assert run(metrics.SSIM(), (y, x, weight[..., None]))["ssim"] == pytest.approx(np.mean(similar), abs=2e-6)
    weight[2] = 0
    assert run(metrics.PSNR(), (y, x, weight))["psnr_cases"] == 4
    assert run(metrics.SSIM(), (y, x, weight))["ssim_cases"] == 4


def test_bad_input_is_named():
    y, x = images()
    with pytest.raises(ValueError, match="images or volumes"):
        metrics.PSNR().update_state(y[0, 0], x[0, 0])
    with pytest.raises(ValueError, match=r"at least 11 x 11.*9 x 21"):
        metrics.SSIM().update_state(y[:, :9], x[:, :9])
    with pytest.raises(ValueError, match="`window` needs one number for each of the 2"):
        metrics.SSIM(window=[3, 3, 3]).update_state(y, x)
    with pytest.raises(ValueError, match="must be odd"):
        metrics.SSIM(window=8)
    with pytest.raises(ValueError, match="`cap`"):
        metrics.PSNR(cap=0)
    with pytest.raises(ValueError, match="`max_val`"):
        metrics.PSNR(max_val=0)


def test_lpips_is_a_mean_over_images():
    truth, prediction = (a[:2] for a in photographs(np.random.default_rng(0)))
    expected, _ = lpips_torch.lpips("alex", *published_weights("alex"), 2 * truth - 1, 2 * prediction - 1)
    metric = metrics.LPIPS(value_range=(0, 1))
    metric.update_state(truth[:1], prediction[:1], [1.0])
    metric.update_state(truth[1:], prediction[1:], [3.0])
    np.testing.assert_allclose(float(metric.result()["lpips"]), np.average(expected, weights=[1, 3]), atol=1e-6)
    assert float(metric.result()["lpips_cases"]) == 4
    with pytest.raises(ValueError, match=r"one weight per image, \(B,\)"):
        metric.update_state(truth, prediction, np.ones((2, 31, 32)))
