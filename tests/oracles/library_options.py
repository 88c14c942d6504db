"""Losses of Keras and optax, and what libraries make of ignored pixels, class weights and independent masks.

Each function returns an oracle: (one-hot labels, predictions, ids), channels-last NumPy arrays -> float64 value and gradient.
"""

import functools

import keras
import kornia.losses
import monai.losses
import numpy as np
import torch
import torch.nn.functional as F
from keras import ops

from tests.oracles import libraries
from tests.support import float64
from tests.support.gradients import value_and_grad

IGNORED = 255
JIT = keras.backend.backend() == "jax"  # one program compiles faster than all its operations


def of_torch(oracle):
    """An oracle from a function of float64 PyTorch tensors, channels first."""
    return functools.partial(libraries.value_and_grad, oracle)


def of_keras(loss, ids=False):
    """An oracle from a Keras loss on whichever backend runs."""

    def oracle(truth, prediction, labels):
        with float64.enabled():
            given = ops.convert_to_tensor(labels if ids else truth, "int32" if ids else "float64")
            return value_and_grad(lambda p: loss(given, p), ops.convert_to_tensor(prediction, "float64"), jit=JIT)

    return oracle


def of_optax(function):
    """An oracle from a function of optax: (logits, labels) -> losses of any shape, whose mean counts."""

    def oracle(truth, prediction, labels):
        import jax
        import jax.numpy as jnp

        with float64.jax_enabled():
            y = jnp.asarray(truth, "float64")
            value, slope = jax.jit(jax.value_and_grad(lambda p: jnp.mean(function(p, y))))(jnp.asarray(prediction, "float64"))
            return float(value), np.asarray(slope)

    return oracle


def kornia_tversky(alpha, beta):
    return of_torch(lambda y, p, ids: kornia.losses.tversky_loss(p, ids, alpha, beta, eps=1e-12, ignore_index=IGNORED))


def kornia_dice(class_weights):
    weight = torch.tensor(class_weights, dtype=torch.float64)
    return of_torch(lambda y, p, ids: kornia.losses.dice_loss(p, ids, "macro", 1e-12, weight, IGNORED))


def kornia_focal(gamma, alpha=None, class_weights=None):
    """Ignored pixels stay in kornia's mean, and so do the classes."""
    weight = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float64)

    def oracle(y, p, ids):
        losses = kornia.losses.focal_loss(p, ids, alpha, gamma, "sum", weight, IGNORED)
        return losses / (ids != IGNORED).sum()

    return of_torch(oracle)


def monai_ignoring(kind, channels, **config):
    activation = {"sigmoid": channels == 1, "softmax": channels > 1}
    loss = getattr(monai.losses, kind)(to_onehot_y=channels > 1, ignore_index=IGNORED, **activation, **config)
    return of_torch(lambda y, p, ids: loss(p, ids[:, None].to(p)))


def monai_focal_ignoring(gamma):
    loss = monai.losses.FocalLoss(gamma=gamma, to_onehot_y=True, use_softmax=True, ignore_index=IGNORED)
    return of_torch(lambda y, p, ids: loss(p, ids[:, None].to(p)))


def monai_weighted_dice(class_weights):
    # MONAI averages the weighted classes, without dividing by the weights.
    loss = monai.losses.DiceLoss(softmax=True, weight=torch.tensor(class_weights), smooth_nr=2e-5, smooth_dr=2e-5)
    return of_torch(lambda y, p, ids: loss(p, y) * len(class_weights) / sum(class_weights))


def smp(kind, mode, **config):
    loss = getattr(libraries.smp, kind)(mode=mode, **config)
    return of_torch(lambda y, p, ids: loss(p, ids if mode == "multiclass" or "ignore_index" in config else y))


def smp_smoothed_binary(smooth_factor):
    loss = libraries.smp.SoftBCEWithLogitsLoss(smooth_factor=smooth_factor)
    return of_torch(lambda y, p, ids: loss(p, y))


def smp_smoothed(smooth_factor):
    loss = libraries.smp.SoftCrossEntropyLoss(smooth_factor=smooth_factor)
    return of_torch(lambda y, p, ids: loss(p, ids))


def torch_ignoring(**config):
    return of_torch(lambda y, p, ids: F.cross_entropy(p, ids, ignore_index=IGNORED, **config))


def torch_soft():
    return of_torch(lambda y, p, ids: F.cross_entropy(p, y))


def torch_independent():
    return of_torch(lambda y, p, ids: F.binary_cross_entropy_with_logits(p, y))
