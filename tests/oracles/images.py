"""Structural similarity and total variation of pytorch-msssim, MONAI, kornia, TensorFlow and plain NumPy.

Oracles take channels-last NumPy arrays. Those of PyTorch return (value, gradient) of the mean over images, in float64.
"""

import functools
import importlib

import kornia.losses
import monai.losses
import numpy as np
import pytorch_msssim
import torch
import torch.nn.functional as F


def _torch(function, y_true, y_pred, dtype=torch.float64):
    y, p = (torch.tensor(np.ascontiguousarray(np.moveaxis(a, -1, 1)), dtype=dtype) for a in (y_true, y_pred))
    p.requires_grad_(True)
    value = function(y, p)
    value.backward()
    return float(value.detach()), np.moveaxis(p.grad.numpy(), 1, -1)


def _exact_window(size, sigma, channels, rank):
    # pytorch-msssim makes its window in float32.
    distance = torch.arange(size, dtype=torch.float64) - size // 2
    window = torch.exp(-(distance**2) / (2 * sigma**2))
    return (window / window.sum()).reshape(1, 1, *(1,) * (rank - 1), size).repeat(channels, 1, *(1,) * rank)


def msssim_ssim(max_val, size, sigma, k=(0.01, 0.03)):
    def function(y, p):
        window = _exact_window(size, sigma, y.shape[1], y.ndim - 2)
        return 1 - pytorch_msssim.ssim(p, y, max_val, win=window, K=k)

    return functools.partial(_torch, function)


def msssim_ms_ssim(max_val, size, sigma, weights):
    def function(y, p):
        window = _exact_window(size, sigma, y.shape[1], y.ndim - 2)
        return 1 - pytorch_msssim.ms_ssim(p, y, max_val, win=window, weights=weights)

    return functools.partial(_torch, function)


def wang_ms_ssim(max_val, size, sigma, weights):
    """From pytorch-msssim's terms, but with the last row of an odd side repeated, as in Wang's own code, instead of zeros."""
    terms = importlib.import_module("pytorch_msssim.ssim")._ssim

    def function(y, p):
        window, product = _exact_window(size, sigma, y.shape[1], 2), 1
        for scale, weight in enumerate(weights, start=1):
            index, contrast = terms(p, y, max_val, window)
            product = product * torch.relu(index if scale == len(weights) else contrast) ** weight
            margin = (0, y.shape[-1] % 2, 0, y.shape[-2] % 2)
            y, p = (F.avg_pool2d(F.pad(a, margin, mode="replicate"), 2) for a in (y, p))
        return 1 - product.mean()

    return functools.partial(_torch, function)


def monai_ssim(rank, max_val, size, sigma):
    """MONAI computes in float32, whatever comes in."""
    loss = monai.losses.SSIMLoss(rank, max_val, win_size=size, kernel_sigma=sigma)
    return functools.partial(_torch, lambda y, p: loss(p, y), dtype=torch.float32)


def skimage_ssim(max_val, sigma):
    """The mean loss of the images and their channels; the window is 11 for a sigma of 1.5."""
    from skimage.metrics import structural_similarity

    def value(y_true, y_pred):
        each = [
            structural_similarity(
                *(a.astype("float64") for a in pair),
                data_range=max_val,
                channel_axis=-1,
                gaussian_weights=True,
                sigma=sigma,
                use_sample_covariance=False,
            )
            for pair in zip(y_true, y_pred)
        ]
        return 1 - np.mean(each)

    return value


def tensorflow_ssim(max_val, **config):
    """Value and gradient in float32."""
    import tensorflow as tf

    return functools.partial(_tensorflow, lambda y, p: 1 - tf.reduce_mean(tf.image.ssim(p, y, max_val, **config)))


def tensorflow_ms_ssim(max_val, weights, **config):
    import tensorflow as tf

    def function(y, p):
        return 1 - tf.reduce_mean(tf.image.ssim_multiscale(p, y, max_val, power_factors=weights, **config))

    return functools.partial(_tensorflow, function)


def _tensorflow(function, y_true, y_pred):
    import tensorflow as tf

    y, p = (tf.convert_to_tensor(a.astype("float32")) for a in (y_true, y_pred))
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = function(y, p)
    return float(value), tape.gradient(value, p).numpy().astype("float64")


def kornia_total_variation():
    """kornia's sum over each channel of each image, divided by the number of pixels."""
    return functools.partial(_torch, lambda y, p: kornia.losses.total_variation(p).mean() / (p.shape[-2] * p.shape[-1]))


def ssim_loops(y_true, y_pred, windows, c1, c2):
    """1 - SSIM at each place of single images without channels, in any number of axes, from the definition."""
    kernel = functools.reduce(np.multiply.outer, windows)
    shape = tuple(n - len(w) + 1 for n, w in zip(y_true.shape, windows))
    result = np.zeros(shape)
    for place in np.ndindex(shape):
        inside = tuple(slice(i, i + len(w)) for i, w in zip(place, windows))
        x, y = y_pred[inside].astype("float64"), y_true[inside].astype("float64")
        mx, my = (kernel * x).sum(), (kernel * y).sum()
        vx, vy = (kernel * (x - mx) ** 2).sum(), (kernel * (y - my) ** 2).sum()
        covariance = (kernel * (x - mx) * (y - my)).sum()
        result[place] = 1 - (2 * mx * my + c1) * (2 * covariance + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return result


def variation_loops(image, isotropic):
    """The map of one image without channels."""
    result = np.zeros(image.shape)
    for place in np.ndindex(image.shape):
        steps = []
        for axis, size in enumerate(image.shape):
            ahead = tuple(i + (k == axis) for k, i in enumerate(place))
            steps.append(float(image[ahead]) - float(image[place]) if ahead[axis] < size else 0.0)
        result[place] = np.sqrt(np.square(steps).sum()) if isotropic else np.abs(steps).sum()
    return result
