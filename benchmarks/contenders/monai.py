"""The losses of MONAI, channels first. Its sums of Dice and another loss, and its focal loss, take logits only."""

import numpy as np

from benchmarks.contenders.contender import Contender, channels_first

try:
    from monai import losses
    from monai.networks import one_hot
except ImportError:
    losses = None


def contender(loss, case):
    if loss not in ("dice", "dice_batch", "tversky", "focal", "dice_ce", "dice_focal", "hausdorff_dt"):
        return None
    only_logits = loss in ("focal", "dice_ce", "dice_focal")
    if losses is None or (only_logits and not case.logits):
        return None
    channels = case.channels
    ids = {"to_onehot_y": case.ids}
    activation = ids | {"sigmoid": case.logits and channels == 1, "softmax": case.logits and channels > 1}
    made = {
        "dice": lambda: losses.DiceLoss(**activation),
        "dice_batch": lambda: losses.DiceLoss(batch=True, **activation),
        "tversky": lambda: losses.TverskyLoss(alpha=0.3, beta=0.7, **activation),
        # Its mean over classes is taken back: a pixel has one label.
        "focal": lambda: _times(losses.FocalLoss(use_softmax=channels > 1, **ids), channels),
        "dice_ce": lambda: losses.DiceCELoss(lambda_dice=0.5, lambda_ce=0.5, **activation),
        "hausdorff_dt": lambda: losses.HausdorffDTLoss(include_background=channels == 1, **activation),
        "dice_focal": lambda: _dice_focal(channels, **ids),
    }[loss]()
    truth = case.truth()
    y_true = truth[:, None].astype(np.int64) if case.ids else channels_first(truth)
    return Contender(lambda y, p: made(p, y), y_true, channels_first(case.predictions()), channel_axis=1)


def _dice_focal(channels, to_onehot_y):
    """MONAI's sum of the two knows the focal loss behind a sigmoid only; for several classes it is put together here."""
    if channels == 1:
        return losses.DiceFocalLoss(sigmoid=True, lambda_dice=0.5, lambda_focal=0.5)
    dice, focal = losses.DiceLoss(softmax=True), losses.FocalLoss(use_softmax=True)

    def loss(p, y):
        y = one_hot(y, channels) if to_onehot_y else y
        return 0.5 * dice(p, y) + 0.5 * channels * focal(p, y)

    return loss


def _times(loss, factor):
    return lambda p, y: factor * loss(p, y)
