"""What is timed of the metrics: one update of each, beside other libraries that count the same thing."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from benchmarks.updates import update


@dataclasses.dataclass(frozen=True)
class Subject:
    """One row.

    Attributes:
        name: of the row.
        batch: what it is updated with, as text.
        floor_name: what the call of time 1 is.
        make: mode -> ({library: call}, floor). A call updates once; what it returns is compared by `agree`.
        unit_bytes: size of the inputs, the unit of memory; None if memory is not measured.
        tolerance: how far the results of the libraries may be apart.
        same_as: {library: the one of ours that must equal it}, "kerasmith" by default.
    """

    name: str
    batch: str
    floor_name: str
    make: Callable
    unit_bytes: int | None = None
    tolerance: float = 1e-6
    same_as: dict = dataclasses.field(default_factory=dict)


def confusion(classes):
    """Counts of class ids, as `keras.metrics.MeanIoU(sparse_y_pred=True)` takes them."""

    def make(mode):
        from kerasmith.metrics import ConfusionMatrix

        truth, prediction = _ids(classes)
        index = (truth * classes + prediction).astype("int64").ravel()
        floor = lambda: np.bincount(index, minlength=classes * classes)  # noqa: E731
        ours = ConfusionMatrix(classes)
        builtin = keras.metrics.MeanIoU(classes)
        calls = {
            "kerasmith": update(ours, mode, truth, prediction, lambda: ours.matrix()),
            "keras": update(builtin, mode, truth, prediction, lambda: keras.ops.convert_to_numpy(builtin.total_cm.value)),
        }
        if keras.backend.backend() == "torch":
            calls["torchmetrics"] = _torchmetrics_confusion(classes, truth, prediction)
        return calls, floor

    return Subject(f"ConfusionMatrix, C = {classes}", "8 x 256 x 256 ids", "np.bincount", make, 2 * 4 * 8 * 256 * 256)


def seven(shared):
    """Seven metrics of the same counts, in one `Shared` or through one update each."""

    def make(mode):
        from kerasmith import metrics

        truth, prediction = _ids(5)
        index = (truth * 5 + prediction).astype("int64").ravel()
        kinds = [metrics.ConfusionMatrix, metrics.CohenKappa, metrics.MCC, metrics.TruePositives, metrics.DiceScore]
        made = [*(kind(5) for kind in kinds), metrics.IoU(5, per="dataset"), metrics.IoU(5, average=None, name="each")]
        made = metrics.Shared(made) if shared else made
        return {"kerasmith": update(made, mode, truth, prediction)}, lambda: np.bincount(index, minlength=25)

    return Subject("Shared of seven" if shared else "the same seven alone", "8 x 256 x 256 ids, C = 5", "np.bincount", make)


def auc():
    """A million scores, most of them close to 0 or 1, as those of a trained network are."""

    def make(mode):
        from kerasmith.metrics import AUC

        truth, scores = _saturated_scores()
        bins = np.zeros(len(scores), "int64")

        def floor():
            np.multiply(scores, 1000, out=bins, casting="unsafe")
            return np.bincount(bins, minlength=1001), np.bincount(bins, truth, minlength=1001)

        ours, builtin = AUC(), keras.metrics.AUC()
        calls = {
            "kerasmith": update(ours, mode, truth[:, None], scores[:, None], lambda: float(ours.result())),
            "keras": update(builtin, mode, truth[:, None], scores[:, None]),
        }
        if keras.backend.backend() == "torch":
            calls["torchmetrics"] = _torchmetrics_auc(truth, scores)
        return calls, floor

    return Subject("AUC", "1,000,000 scores", "binning, and np.bincount twice", make, 2 * 4 * 1_000_000, tolerance=5e-3)


def surfaces():
    """HD, HD95, ASSD and NSD of one pair of masks."""

    def make(mode):
        import edt

        from benchmarks import surface_libraries

        truth, prediction = surface_libraries.pair(128)
        return surface_libraries.calls(truth, prediction), lambda: edt.edt(truth, parallel=1)

    return Subject("SurfaceDistance", "a pair of 128^3", "one edt of the volume", make, 2 * 128**3, 1e-4, SAME_SURFACES)


SAME_SURFACES = {"surface-distance": "kerasmith, dual grid", "kerasmith, dual grid": "kerasmith, dual grid"}
SUBJECTS = (*(confusion(classes) for classes in (2, 5, 21)), seven(True), seven(False), auc(), surfaces())


def _ids(classes):
    random = np.random.default_rng(7)
    return tuple(random.integers(0, classes, (8, 256, 256)).astype("int32") for _ in range(2))


def _saturated_scores():
    random = np.random.default_rng(7)
    truth = (random.random(1_000_000) < 0.5).astype("float32")
    logits = random.normal(0.0, 4.0, truth.shape) + 16.0 * truth
    return truth, (1.0 / (1.0 + np.exp(-logits))).astype("float32")


def _torchmetrics_confusion(classes, truth, prediction):
    import torch
    from torchmetrics.classification import MulticlassConfusionMatrix

    metric = MulticlassConfusionMatrix(classes)
    y, p = torch.from_numpy(truth), torch.from_numpy(prediction)

    def call():
        metric.update(p, y)
        return metric.compute().numpy()

    return call


def _torchmetrics_auc(truth, scores):
    import torch
    from torchmetrics.classification import BinaryAUROC

    metric = BinaryAUROC(thresholds=200)
    y, p = torch.from_numpy(truth).int(), torch.from_numpy(scores)

    def call():
        metric.update(p, y)

    return call
