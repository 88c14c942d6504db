"""The losses of this package, channels last."""

from bench.contenders.contender import Contender
from kerasmith import losses

_LOSSES = {
    "dice": (losses.Dice, {}),
    "dice_batch": (losses.Dice, {"scope": "batch"}),
    "tversky": (losses.Tversky, {"alpha": 0.3, "beta": 0.7}),
    "cross_entropy": (losses.CrossEntropy, {}),
    "focal": (losses.Focal, {}),
    "dice_ce": (losses.DiceCE, {}),
    "dice_focal": (losses.DiceFocal, {}),
}


def contender(loss, case):
    make, config = _LOSSES[loss]
    return Contender(make(from_logits=case.logits, **config), case.truth(), case.predictions())
