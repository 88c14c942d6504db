"""Losses of outside libraries in one form: (one-hot labels, predictions, ids) -> scalar, float64 PyTorch, channels first."""

import importlib
import importlib.util
import sys
import types

import kornia.losses
import monai.losses
import numpy as np
import torch
import torch.nn.functional as F
from monai.losses import unified_focal_loss


def _smp_losses():
    """The losses of segmentation-models-pytorch without the package's own __init__, which imports torchvision."""
    name = "segmentation_models_pytorch"
    if f"{name}.losses" not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = list(importlib.util.find_spec(name).submodule_search_locations)
        sys.modules[name] = package
    return importlib.import_module(f"{name}.losses")


smp = _smp_losses()


def value_and_grad(oracle, truth, prediction, ids):
    """The oracle's value and gradient for channels-last NumPy arrays, as float64 arrays."""
    y, p = (torch.tensor(np.ascontiguousarray(np.moveaxis(a, -1, 1)), dtype=torch.float64) for a in (truth, prediction))
    p.requires_grad_(True)
    value = oracle(y, p, torch.tensor(ids.astype("int64")))
    value.backward()
    return float(value.detach()), np.moveaxis(p.grad.numpy(), 1, -1)


def monai_dice(channels, logits, smooth, **config):
    activation = {"sigmoid": channels == 1, "softmax": channels > 1} if logits else {}
    loss = monai.losses.DiceLoss(smooth_nr=2 * smooth, smooth_dr=2 * smooth, **activation, **config)
    return lambda y, p, ids: loss(p, y)


def monai_tversky(channels, logits, smooth, alpha, beta, batch):
    activation = {"sigmoid": channels == 1, "softmax": channels > 1} if logits else {}
    loss = monai.losses.TverskyLoss(alpha=alpha, beta=beta, smooth_nr=smooth, smooth_dr=smooth, batch=batch, **activation)
    return lambda y, p, ids: loss(p, y)


def monai_generalized_dice(logits):
    loss = monai.losses.GeneralizedDiceLoss(smooth_nr=1e-12, smooth_dr=1e-12, softmax=logits)
    return lambda y, p, ids: loss(p, y)


def monai_dice_ce(channels, smooth, dice_weight, ce_weight):
    activation = {"sigmoid": True} if channels == 1 else {"softmax": True}
    loss = monai.losses.DiceCELoss(
        smooth_nr=2 * smooth, smooth_dr=2 * smooth, lambda_dice=dice_weight, lambda_ce=ce_weight, **activation
    )
    return lambda y, p, ids: loss(p, y)


def monai_dice_focal(smooth, gamma, dice_weight, focal_weight):
    loss = monai.losses.DiceFocalLoss(
        sigmoid=True,
        smooth_nr=2 * smooth,
        smooth_dr=2 * smooth,
        gamma=gamma,
        lambda_dice=dice_weight,
        lambda_focal=focal_weight,
    )
    return lambda y, p, ids: loss(p, y)


def monai_focal(channels, gamma, alpha=None):
    # MONAI averages over channels too, where the formula sums over classes.
    loss = monai.losses.FocalLoss(gamma=gamma, alpha=alpha, use_softmax=channels > 1)
    return lambda y, p, ids: loss(p, y) * channels


def smp_region(kind, channels, logits, smooth, **config):
    mode = "binary" if channels == 1 else "multiclass"
    loss = getattr(smp, kind)(mode=mode, from_logits=logits, smooth=smooth, eps=0.0, **config)
    return lambda y, p, ids: loss(p, y if channels == 1 else ids)


def smp_focal(gamma, alpha=None):
    loss = smp.FocalLoss(mode="binary", gamma=gamma, alpha=alpha)
    return lambda y, p, ids: loss(p, y)


def kornia_dice():
    return lambda y, p, ids: kornia.losses.dice_loss(p, ids, average="macro", eps=1e-12)


def kornia_binary_focal(gamma, alpha):
    return lambda y, p, ids: kornia.losses.binary_focal_loss_with_logits(p, y, alpha=alpha, gamma=gamma, reduction="mean")


def torch_cross_entropy(**config):
    if "weight" in config:
        config["weight"] = torch.tensor(config["weight"], dtype=torch.float64)
    return lambda y, p, ids: F.cross_entropy(p, ids, **config)


def torch_nll():
    return lambda y, p, ids: F.nll_loss(torch.log(p), ids)


def torch_binary_cross_entropy(logits):
    return lambda y, p, ids: (F.binary_cross_entropy_with_logits if logits else F.binary_cross_entropy)(p, y)


def monai_asymmetric_focal(gamma, delta):
    """Twice MONAI's value: it takes the mean over pixels and both classes, the paper's authors over pixels."""
    loss = unified_focal_loss.AsymmetricFocalLoss(gamma=gamma, delta=delta)
    return lambda y, p, ids: 2 * loss(p, y)


def monai_asymmetric_tversky(gamma, delta):
    loss = unified_focal_loss.AsymmetricFocalTverskyLoss(gamma=gamma, delta=delta)
    return lambda y, p, ids: loss(p, y)
