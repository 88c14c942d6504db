"""A row for every call that `kerasmith migrate` knows: the call, the number of the peer, and what ours is given.

`Row.theirs` is the number of the installed library, or of the formula that it documents where it does not run beside Keras 3
(segmentation_models, Addons, KerasCV: `formulas`). `Row.times` is the factor between both that the notes of the call speak of.
"""

import functools
import importlib
from typing import Any, NamedTuple

import monai.losses
import monai.metrics
import numpy as np
import torch
import torchmetrics
import torchmetrics.classification
import torchmetrics.detection
import torchmetrics.image
import torchmetrics.retrieval
import torchmetrics.segmentation

from tests.migration import batches as b
from tests.migration import formulas as f
from tests.oracles import libraries
from tests.oracles.metric_learning import losses as pml


class Row(NamedTuple):
    call: str
    theirs: Any
    y_true: Any
    y_pred: Any
    times: float = 1.0


def first(array):
    """Channels first, as a tensor."""
    return torch.tensor(np.ascontiguousarray(np.moveaxis(np.asarray(array), -1, 1)))


def made(call, **names):
    """The object that a call of an installed library makes."""
    return eval(call, {"monai": monai, "torch": torch, "torchmetrics": torchmetrics, "pml": pml, **names})


def monai_loss(call, y_true, y_pred, times=1.0):
    return Row(call, lambda: made(call)(first(y_pred), first(y_true)), y_true, y_pred, times)


def monai_metric(call, y_true, y_pred, decided=None):
    """`decided`: binarised predictions, which MONAI wants."""

    def theirs():
        metric = made(call)
        metric(first(y_pred if decided is None else decided).float(), first(y_true))
        value = metric.aggregate()
        return value[0] if isinstance(value, tuple) else value

    return Row(call, theirs, y_true, y_pred)


def smp_loss(call, y_true, y_pred, times=1.0):
    name = call.replace("segmentation_models_pytorch.losses", "smp")
    given = first(y_true) if np.ndim(y_true) == np.ndim(y_pred) else torch.tensor(y_true)
    return Row(call, lambda: made(name, smp=libraries.smp)(first(y_pred), given), y_true, y_pred, times)


@functools.cache
def smp_metrics():
    return importlib.import_module("segmentation_models_pytorch.metrics.functional")


def smp_metric(name, reduction, more=""):
    def theirs():
        functional = smp_metrics()
        counts = functional.get_stats(
            torch.tensor(b.probabilities.argmax(-1)), torch.tensor(b.ids), "multiclass", num_classes=3
        )
        return getattr(functional, name)(*counts, reduction=reduction, **({"beta": 2.0} if more else {}))

    call = f"segmentation_models_pytorch.metrics.{name}(tp, fp, fn, tn, reduction={reduction!r}{more})"
    return Row(call, theirs, b.ids, b.probabilities)


def tm(call, y_true, y_pred, theirs_true=None, theirs_pred=None):
    def theirs():
        metric = made(call)
        metric.update(
            torch.tensor(np.asarray(y_pred if theirs_pred is None else theirs_pred)),
            torch.tensor(np.asarray(y_true if theirs_true is None else theirs_true)),
        )
        return metric.compute()

    return Row(call, theirs, y_true, y_pred)


def query(call):
    def theirs():
        return made(call)(torch.tensor(b.query_scores), torch.tensor(b.relevance), indexes=torch.tensor(b.query_ids))

    return Row(call, theirs, np.stack([b.query_ids, b.relevance], -1), b.query_scores[:, None])


def metric_learning(call, ids=b.embedding_ids):
    name = call.replace("pytorch_metric_learning.losses", "pml")
    return Row(call, lambda: made(name)(torch.tensor(b.embeddings), torch.tensor(ids)), ids, b.embeddings)


def keras_own(call, y_true, y_pred, times=1.0):
    def theirs():
        import keras

        made_one = eval(call, {"keras": keras})
        if isinstance(made_one, keras.losses.Loss):
            return made_one(y_true, y_pred)
        made_one.update_state(y_true, y_pred)
        return made_one.result()

    return Row(call, theirs, y_true, y_pred, times)


def formula(call, function, y_true, y_pred, times=1.0, **config):
    """A documented formula, in float64."""
    return Row(call, lambda: function(np.float64(y_true), np.float64(y_pred), **config), y_true, y_pred, times)


def kinds(name, arguments="", kinds=("Binary", "Multiclass", "Multilabel")):
    """Rows of a metric of torchmetrics for each kind of labels."""
    batch = {
        "Binary": ("", b.labels, b.scores[:, None], b.labels, b.scores),
        "Multiclass": ("num_classes=3, ", b.class_ids, b.class_scores, None, None),
        "Multilabel": ("num_labels=3, ", b.label_sets, b.label_scores, None, None),
    }
    for kind in kinds:
        size, *arrays = batch[kind]
        yield tm(f"torchmetrics.classification.{kind}{name}({size}{arguments})", *arrays)


def averages(name, arguments=""):
    for average in ("micro", "weighted"):
        yield from kinds(name, f"{arguments}average={average!r}", ("Multiclass", "Multilabel"))


def full_ssim():
    """The structural similarity at every place, the border with it."""
    metric = torchmetrics.image.StructuralSimilarityIndexMeasure(data_range=1.0, return_full_image=True)
    return metric(first(b.noisy), first(b.image))[1]


MASK, LOGITS = (b.mask, b.mask_logits), (b.one_hot, b.logits)
HARD = (b.probabilities.max(-1, keepdims=True) == b.probabilities).astype("float32")
SM = "segmentation_models.losses"


def ready(name, *terms):
    """A loss that segmentation_models has ready: a sum of its formulas."""
    y, p = (b.mask, b.mask_probabilities) if not name.startswith(("c", "categorical")) else (b.one_hot, b.probabilities)
    return Row(f"{SM}.{name}", lambda: sum(term(np.float64(y), np.float64(p)) for term in terms), y, p)


def thirds(function):
    """Ours sums over the three classes what segmentation_models takes the mean of."""
    return lambda y, p: 3 * function(y, p)


jaccard = functools.partial(f.region_loss, jaccard=True)

VALUES = [
    *(
        monai_loss(f"monai.losses.{call}", *batch)
        for call, batch in [
            ("DiceLoss(sigmoid=True)", MASK),
            ("DiceLoss(sigmoid=True, jaccard=True, smooth_nr=1.0, smooth_dr=1.0)", MASK),
            ("DiceLoss(softmax=True, include_background=False, batch=True)", LOGITS),
            ("DiceLoss(softmax=True, weight=torch.tensor([0.5, 2.0, 1.0]))", LOGITS),
            ("DiceLoss(True, False, True)", MASK),
            ("DiceLoss()", (b.mask, b.mask_probabilities)),
            ("MaskedDiceLoss(softmax=True)", LOGITS),
            ("DiceCELoss(sigmoid=True)", MASK),
            ("DiceCELoss(softmax=True, lambda_dice=0.3, lambda_ce=0.7)", LOGITS),
            ("DiceFocalLoss(sigmoid=True, gamma=1.5, lambda_focal=0.4)", MASK),
            ("GeneralizedDiceLoss(softmax=True, smooth_nr=1e-12, smooth_dr=1e-12)", LOGITS),
            ("FocalLoss(gamma=1.5)", MASK),
            ("FocalLoss(alpha=0.3)", MASK),
            ("FocalLoss()", (b.masks, b.masks_logits)),
            ("TverskyLoss(sigmoid=True, alpha=0.3, beta=0.7)", MASK),
            ("TverskyLoss(softmax=True, batch=True)", LOGITS),
            ("SSIMLoss(spatial_dims=2, win_size=7, kernel_sigma=1.2)", (b.image, b.noisy)),
            ("SoftclDiceLoss(smooth=1e-12)", (b.mask[:1], b.mask_probabilities[:1])),
        ]
    ),
    monai_loss("monai.losses.FocalLoss(use_softmax=True)", *LOGITS, times=1 / 3),
    Row(
        "monai.losses.ContrastiveLoss(temperature=0.3)",
        lambda: monai.losses.ContrastiveLoss(temperature=0.3)(torch.tensor(b.embeddings[:4]), torch.tensor(b.embeddings[4:])),
        b.views,
        b.embeddings,
    ),
    Row(
        "monai.losses.PatchAdversarialLoss(criterion='bce')",
        lambda: monai.losses.PatchAdversarialLoss(criterion="bce")(
            first(b.mask_logits), target_is_real=True, for_discriminator=True
        ),
        np.ones(3),
        b.mask_logits,
    ),
    monai_metric("monai.metrics.DiceMetric()", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.DiceMetric(include_background=False, ignore_empty=False)", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.MeanIoU()", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.HausdorffDistanceMetric()", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.HausdorffDistanceMetric(percentile=95)", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.SurfaceDistanceMetric(symmetric=True)", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.SurfaceDistanceMetric()", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.SurfaceDiceMetric(class_thresholds=[1.0, 1.0])", b.one_hot, b.probabilities, HARD),
    monai_metric("monai.metrics.PSNRMetric(max_val=1.0)", b.image, b.noisy),
    monai_metric("monai.metrics.SSIMMetric(spatial_dims=2)", b.image, b.noisy),
    monai_metric("monai.metrics.ROCAUCMetric()", np.eye(3)[b.class_ids], b.class_scores),
    monai_metric("monai.metrics.AveragePrecisionMetric()", np.eye(3)[b.class_ids], b.class_scores),
    *(
        smp_loss(f"segmentation_models_pytorch.losses.{call}", *batch)
        for call, batch in [
            ("DiceLoss(mode='binary')", MASK),
            ("DiceLoss('multiclass', smooth=1.0)", (b.ids, b.logits)),
            ("DiceLoss('multilabel', from_logits=False)", (b.masks, b.masks_probabilities)),
            ("JaccardLoss('binary', smooth=0.5)", MASK),
            ("JaccardLoss('multiclass')", (b.ids, b.logits)),
            ("TverskyLoss('binary', alpha=0.3, beta=0.7)", MASK),
            ("FocalLoss('binary', alpha=0.3)", MASK),
            ("FocalLoss('multilabel', gamma=1.0)", (b.masks, b.masks_logits)),
            ("LovaszLoss('binary', per_image=True)", (b.mask, b.mask_logits)),
            ("LovaszLoss('multiclass')", (b.ids, b.logits)),
            ("SoftBCEWithLogitsLoss()", MASK),
            ("SoftBCEWithLogitsLoss(smooth_factor=0.1)", MASK),
            ("SoftBCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))", MASK),
            ("SoftCrossEntropyLoss(smooth_factor=0.0)", (b.ids, b.logits)),
        ]
    ),
    Row(
        "segmentation_models_pytorch.losses.FocalLoss('multiclass')",
        lambda: libraries.smp.FocalLoss("multiclass")(first(b.logits), torch.tensor(b.ids)),
        b.one_hot,
        b.logits,
    ),
    smp_metric("iou_score", "micro"),
    smp_metric("iou_score", "macro-imagewise"),
    smp_metric("f1_score", "macro"),
    smp_metric("f1_score", "micro-imagewise"),
    smp_metric("fbeta_score", "macro", ", beta=2.0"),
    *kinds("F1Score"),
    *averages("F1Score"),
    *kinds("FBetaScore", "beta=2.0"),
    *kinds("Precision"),
    *kinds("Recall"),
    *kinds("Specificity"),
    *kinds("JaccardIndex"),
    *kinds("Accuracy", kinds=("Binary", "Multiclass")),
    *kinds("Accuracy", "average='micro'", kinds=("Multiclass",)),
    *kinds("CohenKappa", "weights='quadratic'", kinds=("Multiclass",)),
    *kinds("CohenKappa", kinds=("Binary",)),
    *kinds("MatthewsCorrCoef", kinds=("Binary", "Multiclass")),
    *kinds("AUROC"),
    *kinds("AveragePrecision"),
    *kinds("AveragePrecision", "average='weighted'", ("Multiclass", "Multilabel")),
    *kinds("AveragePrecision", "average='micro'", ("Multilabel",)),
    *kinds("CalibrationError", "n_bins=10", kinds=("Binary", "Multiclass")),
    *kinds("CalibrationError", "norm='max'", kinds=("Binary",)),
    tm("torchmetrics.F1Score(task='multiclass', num_classes=3, average='macro')", b.class_ids, b.class_scores),
    tm("torchmetrics.JaccardIndex(task='multilabel', num_labels=3)", b.label_sets, b.label_scores),
    *(
        tm(f"torchmetrics.segmentation.{call}", b.ids, b.probabilities.argmax(-1))
        for call in (
            "DiceScore(num_classes=3, input_format='index')",
            "DiceScore(num_classes=3, include_background=False, average='micro', input_format='index')",
            "MeanIoU(num_classes=3, input_format='index')",
        )
    ),
    tm(
        "torchmetrics.segmentation.HausdorffDistance(num_classes=3)",
        b.one_hot,
        b.probabilities,
        np.moveaxis(b.one_hot, -1, 1).astype("int64"),
        np.moveaxis(HARD, -1, 1).astype("int64"),
    ),
    tm("torchmetrics.image.PeakSignalNoiseRatio(data_range=1.0)", b.image[:1], b.noisy[:1]),
    Row(
        "torchmetrics.image.StructuralSimilarityIndexMeasure(data_range=1.0)",
        lambda: full_ssim()[..., 5:-5, 5:-5].mean(),
        b.image,
        b.noisy,
    ),
    Row(
        "torchmetrics.image.TotalVariation()",
        lambda: torchmetrics.image.TotalVariation()(first(b.image)),
        np.zeros(2),
        b.image,
        b.image.size,
    ),
    *(
        query(f"torchmetrics.retrieval.{call}")
        for call in (
            "RetrievalMRR()",
            "RetrievalMAP(empty_target_action='skip')",
            "RetrievalNormalizedDCG(top_k=3)",
            "RetrievalPrecision(top_k=3)",
            "RetrievalRecall(top_k=3)",
            "RetrievalHitRate(top_k=3)",
            "RetrievalRPrecision()",
        )
    ),
    tm("torchmetrics.detection.PanopticQuality(things={1, 2}, stuffs={0})", b.panoptic, b.panoptic_predictions),
    *(
        metric_learning(f"pytorch_metric_learning.losses.{call}")
        for call in (
            "NTXentLoss(temperature=0.3)",
            "SupConLoss(temperature=0.3)",
            "MultiSimilarityLoss(alpha=2, beta=10)",
            "TripletMarginLoss(margin=4.0)",
        )
    ),
    keras_own("keras.losses.Dice()", b.mask, b.mask_probabilities),
    keras_own("keras.losses.Tversky()", b.mask, b.mask_probabilities),
    keras_own("keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)", *MASK),
    keras_own("keras.losses.CategoricalCrossentropy(from_logits=True)", *LOGITS),
    keras_own("keras.losses.SparseCategoricalCrossentropy()", b.ids, b.probabilities),
    keras_own("keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, from_logits=True)", *MASK),
    keras_own("keras.losses.BinaryFocalCrossentropy(gamma=1.0)", b.mask, b.mask_probabilities),
    keras_own("keras.losses.CategoricalFocalCrossentropy(alpha=0.3)", b.one_hot, b.probabilities),
    keras_own("keras.metrics.MeanIoU(num_classes=3)", b.ids, b.probabilities.argmax(-1)),
    keras_own("keras.metrics.OneHotMeanIoU(num_classes=3)", b.one_hot, b.probabilities),
    keras_own("keras.metrics.BinaryIoU(threshold=0.4)", b.mask, b.mask_probabilities),
    keras_own("keras.metrics.BinaryIoU(target_class_ids=[1])", b.mask, b.mask_probabilities),
    keras_own("keras.metrics.F1Score(average='macro')", np.eye(3)[b.class_ids], b.class_scores),
    keras_own("keras.metrics.FBetaScore(average='weighted', beta=2.0)", np.eye(3)[b.class_ids], b.class_scores),
    keras_own("keras.metrics.Precision()", b.labels[:, None], b.scores[:, None]),
    keras_own("keras.metrics.Recall(thresholds=0.4)", b.labels[:, None], b.scores[:, None]),
    formula(f"{SM}.JaccardLoss()", jaccard, b.one_hot, b.probabilities),
    formula(f"{SM}.JaccardLoss(per_image=True, smooth=1.0)", jaccard, b.one_hot, b.probabilities, per_image=True, smooth=1.0),
    formula(f"{SM}.DiceLoss()", f.region_loss, b.mask, b.mask_probabilities),
    formula(f"{SM}.DiceLoss(beta=2, per_image=True)", f.region_loss, b.mask, b.mask_probabilities, beta=2, per_image=True),
    formula(
        f"{SM}.DiceLoss(class_weights=np.array([0.5, 2.0, 1.0]))",
        # Without the constant that the page names.
        lambda y, p: f.region_loss(y, p, class_weights=[0.5, 2.0, 1.0]) - (1 - 3.5 / 3),
        b.one_hot,
        b.probabilities,
    ),
    formula(f"{SM}.BinaryCELoss()", f.binary_cross_entropy, b.mask, b.mask_probabilities),
    formula(f"{SM}.CategoricalCELoss()", f.categorical_cross_entropy, b.one_hot, b.probabilities, 1 / 3),
    formula(f"{SM}.BinaryFocalLoss(alpha=0.3)", f.binary_focal, b.mask, b.mask_probabilities, alpha=0.3),
    formula(f"{SM}.CategoricalFocalLoss()", f.categorical_focal, b.one_hot, b.probabilities, 1 / 3),
    ready("jaccard_loss", jaccard),
    ready("dice_loss", f.region_loss),
    ready("binary_crossentropy", f.binary_cross_entropy),
    ready("categorical_crossentropy", thirds(f.categorical_cross_entropy)),
    ready("binary_focal_loss", f.binary_focal),
    ready("categorical_focal_loss", thirds(f.categorical_focal)),
    ready("bce_dice_loss", f.binary_cross_entropy, f.region_loss),
    ready("bce_jaccard_loss", f.binary_cross_entropy, jaccard),
    ready("cce_dice_loss", thirds(f.categorical_cross_entropy), f.region_loss),
    ready("cce_jaccard_loss", thirds(f.categorical_cross_entropy), jaccard),
    ready("binary_focal_dice_loss", f.binary_focal, f.region_loss),
    ready("binary_focal_jaccard_loss", f.binary_focal, jaccard),
    ready("categorical_focal_dice_loss", thirds(f.categorical_focal), f.region_loss),
    ready("categorical_focal_jaccard_loss", thirds(f.categorical_focal), jaccard),
    formula(
        "segmentation_models.metrics.IOUScore(threshold=0.5)",
        lambda y, p: f.region_score(y, p > 0.5, jaccard=True, smooth=0.0),
        b.mask,
        b.mask_probabilities,
    ),
    formula(
        "segmentation_models.metrics.FScore(beta=2, threshold=0.4, per_image=True)",
        lambda y, p: f.region_score(y, p > 0.4, beta=2, per_image=True, smooth=0.0),
        b.mask,
        b.mask_probabilities,
    ),
    *(
        formula(
            f"segmentation_models.metrics.{name}(threshold=0.5)",
            f.share,
            b.mask,
            b.mask_probabilities,
            quantity=name.lower(),
            threshold=0.5,
            smooth=0.0,
        )
        for name in ("Precision", "Recall")
    ),
    formula("tensorflow_addons.losses.SigmoidFocalCrossEntropy()", f.focal_over_last_axis, b.mask, b.mask_probabilities),
    Row(
        "tensorflow_addons.losses.ContrastiveLoss(margin=1.5)",
        lambda: f.contrastive(1 - np.float64(b.labels), 2 * np.float64(b.scores), 1.5),
        b.labels,
        2 * b.scores,
    ),
    formula("tensorflow_addons.losses.PinballLoss(tau=0.2)", f.pinball, b.noisy, b.image, tau=0.2),
    *(
        formula(f"tensorflow_addons.losses.{call}", function, b.embedding_ids, b.embeddings, **config)
        for call, function, config in [
            ("TripletSemiHardLoss()", f.triplet_semi_hard, {}),
            ("TripletSemiHardLoss(0.5, 'squared-L2')", f.triplet_semi_hard, {"margin": 0.5, "metric": "squared-L2"}),
            ("TripletHardLoss(distance_metric='angular')", f.triplet_hard, {"metric": "angular"}),
            ("TripletHardLoss(soft=True)", f.triplet_hard, {"soft": True}),
        ]
    ),
    formula("tensorflow_addons.metrics.F1Score(num_classes=3, average='macro')", f.f_beta, b.class_ids, b.class_scores),
    formula(
        "tensorflow_addons.metrics.FBetaScore(num_classes=3, average='weighted', beta=2.0)",
        f.f_beta,
        b.class_ids,
        b.class_scores,
        beta=2.0,
        average="weighted",
    ),
    Row(
        "tensorflow_addons.metrics.CohenKappa(num_classes=3, weightage='linear')",
        lambda: made("torchmetrics.classification.MulticlassCohenKappa(3, weights='linear')")(
            torch.tensor(b.class_scores), torch.tensor(b.class_ids)
        ),
        b.class_ids,
        b.class_scores,
    ),
    Row(
        "tensorflow_addons.metrics.MatthewsCorrelationCoefficient(num_classes=3)",
        lambda: made("torchmetrics.classification.MulticlassMatthewsCorrCoef(3)")(
            torch.tensor(b.class_scores), torch.tensor(b.class_ids)
        ),
        b.class_ids,
        b.class_scores,
    ),
    Row(
        "tensorflow_addons.metrics.RSquare()",
        lambda: 1 - ((b.image - b.noisy) ** 2).sum() / ((b.image - b.image.mean()) ** 2).sum(),
        b.image.reshape(-1, 1),
        b.noisy.reshape(-1, 1),
    ),
    formula(
        ("keras_cv.losses.FocalLoss(alpha=0.3, gamma=1.0)"),
        f.focal_over_last_axis,
        b.mask,
        b.mask_probabilities,
        alpha=0.3,
        gamma=1.0,
    ),
    Row(
        "keras_cv.losses.SimCLRLoss(temperature=0.3)",
        lambda: f.sim_clr(np.float64(b.embeddings[:4]), np.float64(b.embeddings[4:]), 0.3),
        b.views,
        b.embeddings,
    ),
    *(
        Row(call, lambda call=call, y=y, p=p: made(call)(first(p), y), given, p)
        for call, y, given, p in [
            ("torch.nn.BCELoss()", first(b.mask), b.mask, b.mask_probabilities),
            ("torch.nn.BCEWithLogitsLoss()", first(b.mask), b.mask, b.mask_logits),
            ("torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))", first(b.mask), b.mask, b.mask_logits),
            ("torch.nn.CrossEntropyLoss(label_smoothing=0.1)", torch.tensor(b.ids), b.ids, b.logits),
        ]
    ),
]


# A schedule: the rates of theirs at some steps.
STEPS = range(40)


def of_torch(call, rate):
    def theirs():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
        schedule = made(call, optimizer=optimizer)
        rates = []
        for _ in STEPS:
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.step()
        return rates

    return call, theirs


def of_keras(call):
    def theirs():
        import keras

        return [float(eval(call, {"keras": keras})(step)) for step in STEPS]

    return call, theirs


def of_addons(name, factor, more=""):
    call = f"tensorflow_addons.optimizers.{name}(initial_learning_rate=1e-3, maximal_learning_rate=1e-2, step_size=6{more})"
    return call, lambda: [f.cyclic(step, 1e-3, 1e-2, 6, factor) for step in STEPS]


SCHEDULES = [
    of_torch("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=5, T_mult=2, eta_min=1e-4)", 1e-3),
    of_torch("torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=60, cycle_momentum=False)", 1e-3),
    of_torch(("torch.optim.lr_scheduler.CyclicLR(optimizer, 1e-3, 1e-2, step_size_up=6, cycle_momentum=False)"), 1e-3),
    of_keras("keras.optimizers.schedules.CosineDecayRestarts(0.02, 6, t_mul=2.0, m_mul=0.5, alpha=0.1)"),
    of_addons("TriangularCyclicalLearningRate", lambda cycle, step: 1.0),
    of_addons("Triangular2CyclicalLearningRate", lambda cycle, step: 0.5 ** (cycle - 1)),
    of_addons("ExponentialCyclicalLearningRate", lambda cycle, step: 0.95**step, ", gamma=0.95"),
]

# Their line is made, no number stands beside it: callbacks, which act; what makes one of ours with other arguments.
MADE = [
    "keras.metrics.AUC()",
    "keras.metrics.AUC(curve='PR')",
    "keras.callbacks.BackupAndRestore('checkpoints')",
    "keras.callbacks.ModelCheckpoint('best.keras', save_best_only=True)",
    "keras.callbacks.CSVLogger('log.csv')",
    "keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=3)",
    "keras.callbacks.TensorBoard('logs')",
    "keras.callbacks.TerminateOnNaN()",
    "keras.callbacks.ProgbarLogger()",
    "keras.callbacks.SwapEMAWeights()",
    "tensorflow_addons.callbacks.TimeStopping(seconds=3600)",
    "tensorflow_addons.callbacks.TQDMProgressBar()",
    "tensorflow_addons.optimizers.MovingAverage(optimizer, average_decay=0.99)",
    "tensorflow_addons.optimizers.SWA(optimizer, start_averaging=100, average_period=10)",
    "torchmetrics.classification.BinaryConfusionMatrix()",
    "torchmetrics.classification.MulticlassConfusionMatrix(num_classes=3)",
    "pytorch_metric_learning.losses.ContrastiveLoss(pos_margin=0.2)",
    "pytorch_metric_learning.losses.ArcFaceLoss(num_classes=10, embedding_size=32)",
    "pytorch_metric_learning.losses.CircleLoss()",
    "pytorch_metric_learning.losses.SelfSupervisedLoss(pml.losses.NTXentLoss(temperature=0.2))",
    "pytorch_metric_learning.miners.MultiSimilarityMiner(epsilon=0.2)",
    "pytorch_metric_learning.miners.BatchHardMiner()",
    "pytorch_metric_learning.miners.TripletMarginMiner(margin=0.3, type_of_triplets='semihard')",
    "torch.nn.GaussianNLLLoss()",
    "lightning.pytorch.callbacks.ModelCheckpoint(monitor='val_dice', mode='max', save_top_k=2)",
    "lightning.pytorch.callbacks.EarlyStopping('val_loss', patience=5)",
    "lightning.pytorch.callbacks.StochasticWeightAveraging(swa_lrs=1e-2, swa_epoch_start=8)",
    "lightning.pytorch.callbacks.EMAWeightAveraging(decay=0.99)",
    "lightning.pytorch.callbacks.LearningRateMonitor()",
    "lightning.pytorch.callbacks.LearningRateFinder(min_lr=1e-6, max_lr=1.0)",
    "lightning.pytorch.callbacks.Timer('00:12:00:00')",
    "lightning.pytorch.callbacks.RichProgressBar()",
    "lightning.pytorch.callbacks.TQDMProgressBar()",
    "lightning.pytorch.callbacks.OnExceptionCheckpoint('checkpoints')",
    "lightning.pytorch.loggers.CSVLogger('.')",
    "lightning.pytorch.loggers.TensorBoardLogger('logs')",
]


def installed(path):
    """The class that a full name means, or None where its library is not there."""
    library, _, rest = path.partition(".")
    try:
        if library == "segmentation_models_pytorch":
            return getattr(libraries.smp, rest.removeprefix("losses."), None) if rest.startswith("losses.") else None
        module = importlib.import_module(path.rpartition(".")[0])
    except ImportError:
        return None
    part = getattr(module, path.rpartition(".")[2])
    return part.__init__.__get__(object()) if library == "torchmetrics" and "__new__" in vars(part) else part
