"""The losses of segmentation-models-pytorch, channels first. It sums over the batch, so it competes there only."""

import importlib
import importlib.util
import pathlib
import sys
import types

import numpy as np

from benchmarks.contenders.contender import Contender, channels_first

_PACKAGE = "segmentation_models_pytorch"
# It subtracts Jaccard indices close to 1 from each other, and float32 keeps few digits of the differences.
_LOST = {"lovasz": 0.05}


def _losses():
    """The `losses` room alone: the package itself imports model zoos that a loss does not need."""
    spec = importlib.util.find_spec(_PACKAGE) if _PACKAGE not in sys.modules else None
    if spec is not None:
        shell = types.ModuleType(_PACKAGE)
        shell.__path__ = [str(pathlib.Path(spec.origin).parent)]
        sys.modules[_PACKAGE] = shell
    return importlib.import_module(f"{_PACKAGE}.losses") if _PACKAGE in sys.modules else None


def contender(loss, case):
    if loss not in ("dice_batch", "focal", "lovasz"):
        return None
    mode = "binary" if case.channels == 1 else ("multiclass" if case.ids else "multilabel")
    # "multilabel" has no softmax, "multiclass" and focal always have an activation.
    fits = case.logits if loss == "focal" else not (case.logits and mode == "multilabel")
    losses = _losses()
    if losses is None or not fits or (loss == "focal" and mode != "binary") or (loss == "lovasz" and len(case.shape) != 4):
        return None
    made = {
        "dice_batch": lambda: losses.DiceLoss(mode=mode, from_logits=case.logits),
        "focal": lambda: losses.FocalLoss(mode="binary", gamma=2.0),
        "lovasz": lambda: losses.LovaszLoss(mode, per_image=True, from_logits=case.logits),
    }[loss]()
    truth = case.truth()
    y_true = truth.astype(np.int64) if case.ids else channels_first(truth)
    return Contender(lambda y, p: made(p, y), y_true, channels_first(case.predictions()), 1, _LOST.get(loss, 3e-4))
