"""Regression losses of scikit-learn, kornia and PyTorch, and plain loops, all in float64.

Oracles are functions (y_true, y_pred, sample_weight) of NumPy arrays; those that are differentiable return (value, gradient).
"""

import functools

import kornia.losses
import numpy as np
import torch
from sklearn import metrics


def sklearn_pinball(quantiles):
    """Mean over the quantiles; y_true (B,), y_pred (B, Q)."""

    def value(y_true, y_pred, sample_weight=None):
        each = [
            metrics.mean_pinball_loss(y_true, y_pred[:, i], alpha=q, sample_weight=sample_weight)
            for i, q in enumerate(quantiles)
        ]
        return np.mean(each)

    return value


def sklearn_poisson_deviance(rate, y_pred, exposure):
    """Mean deviance 2 (y log(y / p) - y + p), weighed by the exposure."""
    return metrics.mean_poisson_deviance(rate, y_pred, sample_weight=exposure)


def _torch(function, y_true, y_pred):
    y, p = (torch.tensor(np.asarray(a, "float64")) for a in (y_true, y_pred))
    p.requires_grad_(True)
    value = function(y, p)
    value.backward()
    return float(value.detach()), p.grad.numpy()


def torch_gaussian(variance, full, floor):
    loss = torch.nn.GaussianNLLLoss(full=full, eps=floor)
    variance = {"log": torch.exp, "softplus": torch.nn.functional.softplus, "identity": torch.nn.Identity()}[variance]

    def function(y, p):
        mean, second = p.chunk(2, dim=-1)
        return loss(mean, y, variance(second))

    return functools.partial(_torch, function)


def kornia_charbonnier():
    return functools.partial(_torch, lambda y, p: kornia.losses.charbonnier_loss(p, y, reduction="mean"))


def torch_penalized(factor, center, power):
    def function(y, p):
        pull = (p - center).abs() if power == 1 else (p - center).square()
        return torch.nn.functional.mse_loss(p, y) + factor * pull.mean()

    return functools.partial(_torch, function)


def torch_click_dwell(dwell_weight, logits, log_dwell, delta):
    """By selecting the clicked rows, where ours takes all of them; y_true and y_pred (B, 2)."""

    def function(y, p):
        click = torch.nn.functional.binary_cross_entropy_with_logits if logits else torch.nn.functional.binary_cross_entropy
        rows = y[:, 0] == 1
        target = torch.log(1 + y[rows, 1]) if log_dwell else y[rows, 1]
        if delta is None:
            dwell = torch.nn.functional.mse_loss(p[rows, 1], target, reduction="sum")
        else:
            dwell = torch.nn.functional.huber_loss(p[rows, 1], target, reduction="sum", delta=delta)
        return click(p[:, 0], y[:, 0]) + dwell_weight * dwell / len(y)

    return functools.partial(_torch, function)


def pinball_loops(quantiles, penalty, y_true, y_pred):
    """Value and gradient by hand; y_true (B,), y_pred (B, Q)."""
    total, slope = 0.0, np.zeros_like(y_pred)
    samples, count = y_pred.shape
    for i in range(samples):
        for j, q in enumerate(quantiles):
            error = y_true[i] - y_pred[i, j]
            total += (q * error if error > 0 else (q - 1) * error) / (samples * count)
            slope[i, j] += (-q if error > 0 else 1 - q) / (samples * count)
            if j and y_pred[i, j - 1] > y_pred[i, j]:
                total += penalty * (y_pred[i, j - 1] - y_pred[i, j]) / (samples * (count - 1))
                slope[i, j - 1] += penalty / (samples * (count - 1))
                slope[i, j] -= penalty / (samples * (count - 1))
    return total, slope
