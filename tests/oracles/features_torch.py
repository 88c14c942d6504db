"""Perceptual and style losses of `tests.support.tiny_backbone`, plain PyTorch in float64; images are channels last."""

import numpy as np
import torch
import torch.nn.functional as F


def features(x, weights, epsilon=1e-3):
    """[output of "first", output of "second"] for (B, C, H, W)."""
    kernel1, bias1, gamma, beta, mean, variance, kernel2, bias2 = weights
    first = F.relu(F.conv2d(x, _kernel(kernel1), _double(bias1)))
    normalized = F.batch_norm(first, *map(_double, (mean, variance, gamma, beta)), training=False, eps=epsilon)
    return [first, F.conv2d(normalized, _kernel(kernel2), _double(bias2), stride=2)]


def perceptual(y_true, y_pred, weights, alpha, distance, layer_weights=(0.5, 0.5)):
    """((B,) values, gradient of their mean by y_pred)."""

    def function(y, p):
        total = (1 - alpha) * _mean_distance(y, p, distance)
        for w, a, b in zip(layer_weights, features(y, weights), features(p, weights), strict=True):
            total = total + alpha * w * _mean_distance(a, b, distance)
        return total

    return _value_and_grad(function, y_true, y_pred)


def gram_style(y_true, y_pred, weights, layer_weights=(0.5, 0.5)):
    """((B,) values, gradient of their mean by y_pred), by Gatys' formula."""

    def function(y, p):
        total = 0
        for w, a, b in zip(layer_weights, features(y, weights), features(p, weights), strict=True):
            n, m = a.shape[1], a.shape[2] * a.shape[3]
            gram = [torch.einsum("bihw,bjhw->bij", f, f) for f in (a, b)]
            total = total + w / (4 * n**2 * m**2) * ((gram[0] - gram[1]) ** 2).sum((1, 2))
        return total

    return _value_and_grad(function, y_true, y_pred)


def _mean_distance(a, b, distance):
    return ((a - b).abs() if distance == "l1" else (a - b) ** 2).mean((1, 2, 3))


def _value_and_grad(function, y_true, y_pred):
    y, p = (_double(np.moveaxis(a, -1, 1)) for a in (y_true, y_pred))
    p.requires_grad_(True)
    values = function(y, p)
    values.mean().backward()
    return values.detach().numpy(), np.moveaxis(p.grad.numpy(), 1, -1)


def _kernel(array):
    return _double(np.transpose(array, (3, 2, 0, 1)))


def _double(array):
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float64)
