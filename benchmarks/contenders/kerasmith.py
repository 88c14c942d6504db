"""The losses of this package, channels last."""

from benchmarks.contenders.contender import Contender
from kerasmith import losses

_LOSSES = {
    "dice": (losses.Dice, {}),
    "dice_batch": (losses.Dice, {"scope": "batch"}),
    "tversky": (losses.Tversky, {"alpha": 0.3, "beta": 0.7}),
    "cross_entropy": (losses.CrossEntropy, {}),
    "focal": (losses.Focal, {}),
    "dice_ce": (losses.DiceCE, {}),
    "dice_focal": (losses.DiceFocal, {}),
    "lovasz": (losses.Lovasz, {}),
    "hausdorff_dt": (losses.HausdorffDT, {}),
}
_OF_PAIRS = {
    "triplet_hard": losses.Triplet(mining="hard"),
    "triplet_semi_hard": losses.Triplet(mining="semi_hard"),
    "triplet_all": losses.Triplet(mining="all"),
    "nt_xent": losses.NTXent(temperature=0.2),
    "sup_con": losses.SupCon(temperature=0.2),
    "multi_similarity": losses.MultiSimilarity(alpha=2.0, beta=10.0, base=0.5, epsilon=0.1),
}


def contender(loss, case):
    if loss in _OF_PAIRS:
        return Contender(_OF_PAIRS[loss], case.truth(), case.predictions(), channel_axis=None)
    make, config = _LOSSES[loss]
    return Contender(make(from_logits=case.logits, **config), case.truth(), case.predictions())
