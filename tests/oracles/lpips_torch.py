"""LPIPS, plain convolutions of PyTorch in float64 with the published arrays; images are channels last."""

import numpy as np
import torch
import torch.nn.functional as F

SHIFT = torch.tensor([-0.030, -0.088, -0.188], dtype=torch.float64)[:, None, None]
SCALE = torch.tensor([0.458, 0.448, 0.450], dtype=torch.float64)[:, None, None]


def _alexnet(x, convolutions):
    features = []
    for i, ((weight, bias), stride, padding) in enumerate(zip(convolutions, (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), strict=True)):
        if i in (1, 2):
            x = F.max_pool2d(x, 3, 2)
        x = F.relu(F.conv2d(x, weight, bias, stride, padding))
        features.append(x)
    return features


def _vgg16(x, convolutions):
    features, convolutions = [], iter(convolutions)
    for block, number in enumerate((2, 2, 3, 3, 3)):
        if block:
            x = F.max_pool2d(x, 2, 2)
        for _ in range(number):
            x = F.relu(F.conv2d(x, *next(convolutions), padding=1))
        features.append(x)
    return features


def lpips(net, convolutions, linear, y_true, y_pred):
    """((B,) values, gradient of their mean by y_pred) of images in -1..1.

    Args:
        net: "alex" or "vgg".
        convolutions: [(kernel (H, W, in, out), bias)].
        linear: five (C,) arrays.
        y_true, y_pred: (B, H, W, 3).
    """
    layers = [(_double(np.transpose(kernel, (3, 2, 0, 1))), _double(bias)) for kernel, bias in convolutions]
    y, p = (_double(np.moveaxis(a, -1, 1)) for a in (y_true, y_pred))
    p.requires_grad_(True)
    function = {"alex": _alexnet, "vgg": _vgg16}[net]
    total = 0
    for a, b, weights in zip(*(function((x - SHIFT) / SCALE, layers) for x in (y, p)), linear, strict=True):
        difference = (_normalized(a) - _normalized(b)) ** 2
        total = total + (difference * _double(weights)[:, None, None]).sum(1).mean((1, 2))
    total.mean().backward()
    return total.detach().numpy(), np.moveaxis(p.grad.numpy(), 1, -1)


def _normalized(x):
    # A vector of zeros has no direction and, behind a ReLU, no gradient; the root alone would make it NaN.
    square = (x**2).sum(1, keepdim=True)
    return x / (torch.where(square > 0, square, 1).sqrt() * (square > 0) + 1e-10)


def _double(array):
    return torch.tensor(np.ascontiguousarray(array), dtype=torch.float64)
