"""Multi-task strategies: LibMTL's on plain gradients, convex problems by SciPy, projections by loops; all in float64.

Each function takes (K, D) gradients and gives the combined gradient (D,).
"""

import importlib
import importlib.util
import sys
import types
from unittest import mock

import numpy as np
import torch
from scipy.optimize import minimize


def _libmtl(module):
    """A strategy of LibMTL without the package's own __init__, which imports torchvision."""
    if "LibMTL" not in sys.modules:
        package = types.ModuleType("LibMTL")
        package.__path__ = list(importlib.util.find_spec("LibMTL").submodule_search_locations)
        sys.modules["LibMTL"] = package
    return getattr(importlib.import_module(f"LibMTL.weighting.{module}"), module)


def _combined(module, gradients, **kwargs):
    """The gradient that a strategy of LibMTL leaves at shared weights theta for losses <g_k, theta>."""
    count, size = gradients.shape
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        strategy = _libmtl(module)()
        theta = torch.nn.Parameter(torch.zeros(size))
        strategy.task_num, strategy.device, strategy.rep_grad = count, torch.device("cpu"), False
        strategy.get_share_params = lambda: [theta]
        strategy.zero_grad_share_params = lambda: theta.grad.zero_()
        strategy.init_param()
        strategy.backward(torch.tensor(gradients) @ theta, **kwargs)
    finally:
        torch.set_default_dtype(before)
    return theta.grad.numpy()


def libmtl_pcgrad(gradients, order):
    """LibMTL's PCGrad, which shuffles the tasks with Python's generator, made to take them in a given order."""
    rows = iter(order)

    def shuffle(tasks):
        tasks[:] = [int(task) for task in next(rows)]

    with mock.patch("random.shuffle", shuffle):
        return _combined("PCGrad", gradients)


def libmtl_cagrad(gradients, c):
    """For three tasks: LibMTL's objective has the 3 written into it."""
    return _combined("CAGrad", gradients, calpha=c, rescale=1)


def libmtl_imtl(gradients):
    return _combined("IMTL", gradients)


def libmtl_dwa(last, before, temperature):
    """(K,) weights of LibMTL's DWA after an epoch with mean losses `last` and one with `before`."""
    strategy = _libmtl("DWA")()
    strategy.task_num, strategy.device, strategy.epoch = len(last), torch.device("cpu"), 2
    strategy.train_loss_buffer = np.stack([before, last], axis=1)
    return strategy.backward(torch.ones(len(last), requires_grad=True), T=temperature)


def pcgrad(gradients, order):
    """Yu et al. 2020, algorithm 1, on the vectors themselves."""
    total = np.zeros(gradients.shape[1])
    for i, row in enumerate(order):
        v = gradients[i].copy()
        for j in row:
            if j != i and v @ gradients[j] < 0:
                v = v - v @ gradients[j] / (gradients[j] @ gradients[j]) * gradients[j]
        total += v
    return total


def imtl(gradients):
    """The v = sum a_k g_k, sum a = 1, with equal projections on all directions, as a linear system in a."""
    units = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
    projections = units @ gradients.T
    rows = np.concatenate([projections[1:] - projections[:1], np.ones((1, len(gradients)))])
    return np.linalg.solve(rows, np.eye(len(gradients))[-1]) @ gradients


def nash(gradients):
    """(G / |G|) a = 1 / a, by BFGS on the convex function of log a whose slope that is, from the cosines."""
    gram = gradients @ gradients.T
    length = np.sqrt(np.diag(gram))
    cosines = gram / length / length[:, None]

    def value_and_slope(y):
        b = np.exp(y)
        return b @ cosines @ b / 2 - y.sum(), b * (cosines @ b) - 1

    b = np.exp(minimize(value_and_slope, np.zeros(len(gram)), jac=True, method="BFGS", options={"gtol": 1e-12}).x)
    return (b / length * np.sqrt(np.linalg.norm(gram))) @ gradients


def cagrad(gradients, c):
    """The authors' problem over the simplex by SLSQP, the best of K + 1 starts."""
    count = len(gradients)
    mean = gradients.mean(0)
    radius = c * np.linalg.norm(mean)
    scale = np.linalg.norm(gradients, axis=1).max() * np.linalg.norm(mean)
    gram, to_mean = gradients @ gradients.T / scale, gradients @ mean / scale

    def length(w):
        return np.sqrt(w @ gram @ w * scale + 1e-20 * np.max(np.diag(gram)) * scale)

    def value(w):
        return w @ to_mean + radius * length(w) / scale

    def slope(w):
        return to_mean + radius * gram @ w / length(w)

    starts = [np.full(count, 1 / count), *(0.1 / count + 0.9 * np.eye(count))]
    simplex = {"type": "eq", "fun": lambda w: 1 - w.sum(), "jac": lambda w: -np.ones(count)}
    runs = [
        minimize(value, w, jac=slope, bounds=[(0, 1)] * count, constraints=simplex, options={"ftol": 1e-15, "maxiter": 1000})
        for w in starts
    ]
    worst = min(runs, key=lambda run: run.fun).x @ gradients
    return (mean + radius * worst / np.linalg.norm(worst)) / (1 + c * c)
