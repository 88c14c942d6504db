"""Every loss of kerasmith, and the functions beside the classes, each on the inputs that it is made for."""

from kerasmith import losses
from tests.support.loss_functions import excess, pulled
from tests.zoo.entries import Right

MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
LOGITS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](-4,4)"}
CLASSES = {"y_true": "float32[4,8,8,3]onehot", "y_pred": "float32[4,8,8,3]simplex"}
ID_MASKS = {"y_true": "int32[4,8,8]{0,2}", "y_pred": "float32[4,8,8,3]simplex"}
VOLUMES = {"y_true": "float32[2,6,6,6,1]{0,1}", "y_pred": "float32[2,6,6,6,1](0,1)"}
REGRESSION = {"y_true": "float32[8,4](-2,2)", "y_pred": "float32[8,4](-2,2)"}
QUANTILES = {"y_true": "float32[8,4](-2,2)", "y_pred": "float32[8,4,3](-2,2)"}
MEANS = {"y_true": "float32[8,3](-2,2)", "y_pred": "float32[8,6](-2,2)"}
RATES = {"y_true": "float32[8,2](0.1,3)", "y_pred": "float32[8,1](0.1,3)"}
CLICKS = {"y_true": "float32[8,3,2]{0,1}", "y_pred": "float32[8,3,2](0,1)"}
IMAGES = {"y_true": "float32[4,16,16,3](0,1)", "y_pred": "float32[4,16,16,3](0,1)"}
DISTANCES = {"y_true": "float32[8,1]{0,1}", "y_pred": "float32[8,1](0,2)"}
EMBEDDINGS = {"y_true": "int32[12]{0,2}", "y_pred": "float32[12,8]"}
COSINES = {"y_true": "int32[8]{0,4}", "y_pred": "float32[8,5](-1,1)"}

PAIRS = {"independent": False}

_REGION = (losses.Dice, losses.Jaccard, losses.Tversky, losses.FocalTversky, losses.GeneralizedDice, losses.LogCoshDice)
_PIXEL = (losses.CrossEntropy, losses.Focal, losses.UnifiedFocal, losses.DiceCE, losses.DiceFocal, losses.DiceIoU)
_SHAPE = (losses.Boundary, losses.HausdorffDT, losses.CenterlineDice, losses.Lovasz)

RIGHT = [
    *(Right(loss, MASKS) for loss in (*_REGION, *_PIXEL, *_SHAPE)),
    Right(losses.Dice, LOGITS, {"from_logits": True}),
    Right(losses.Dice, CLASSES, {"class_weights": [1.0, 2.0, 3.0], "include_background": False}),
    Right(losses.Dice, ID_MASKS, {"ignore_class": 0}),
    Right(losses.Dice, MASKS, {"scope": "batch"}, contract=PAIRS, note="the statistic of the whole batch"),
    Right(losses.Jaccard, VOLUMES, {"smooth": 1.0}),
    Right(losses.FocalTversky, CLASSES, {"alpha": 0.3, "beta": 0.7, "gamma": 2.0}),
    Right(losses.CrossEntropy, ID_MASKS),
    Right(losses.CrossEntropy, MASKS, {"top_k": 0.2}),
    Right(losses.CrossEntropy, LOGITS, {"from_logits": True, "label_smoothing": 0.1}),
    Right(losses.Focal, CLASSES, {"gamma": 0.5, "alpha": 0.25}),
    Right(losses.Lovasz, LOGITS, {"kind": "hinge", "from_logits": True}),
    Right(losses.Connectivity, MASKS),
    Right(losses.MinimumArea, MASKS, {"area": 3, "connectivity": 4}),
    Right(losses.MinimumArea, MASKS, {"area": 60, "per": "image"}),
    Right(losses.PenalizedMSE, REGRESSION, {"factor": 0.3}),
    Right(losses.Charbonnier, REGRESSION),
    Right(losses.Pinball, REGRESSION, {"quantiles": 0.3}),
    Right(losses.Pinball, QUANTILES, {"quantiles": [0.1, 0.5, 0.9], "crossing_penalty": 2.0}),
    Right(losses.GaussianNLL, MEANS),
    Right(losses.GaussianNLL, MEANS, {"variance": "softplus", "full": True}),
    Right(losses.ExposureWeighted, RATES),
    Right(losses.ClickDwell, CLICKS, {"dwell_weight": 0.5}),
    Right(losses.SSIM, IMAGES),
    Right(losses.MSSSIM, IMAGES, {"window": 5, "scale_weights": [0.4, 0.6]}),
    Right(losses.TotalVariation, IMAGES),
    Right(losses.TotalVariation, IMAGES, {"kind": "isotropic"}),
    Right(losses.Contrastive, DISTANCES),
    Right(losses.Triplet, EMBEDDINGS, {"margin": 2.0}),
    Right(losses.Triplet, EMBEDDINGS, {"mining": "all", "margin": 3.0}),
    Right(losses.NTXent, EMBEDDINGS),
    Right(losses.SupCon, EMBEDDINGS),
    Right(losses.MultiSimilarity, EMBEDDINGS),
    Right(losses.ArcFace, COSINES, {"scale": 8.0}),
    Right(losses.SoftConstraint, MASKS, {"fn": excess, "margin": 0.5}),
    Right(losses.FunctionLoss, MASKS, {"fn": pulled, "fixed": {"factor": 0.3}}),
    Right(losses.KerasLoss, REGRESSION, {"loss": "mse"}),
    Right(0.3 * losses.Dice() + losses.Focal(name="focal"), MASKS),
    *(Right(function, MASKS) for function in (losses.dice, losses.jaccard, losses.tversky, losses.focal_tversky)),
    *(Right(function, MASKS) for function in (losses.generalized_dice, losses.log_cosh_dice, losses.dice_iou, losses.dice_ce)),
    *(Right(function, MASKS) for function in (losses.dice_focal, losses.cross_entropy, losses.focal, losses.unified_focal)),
    *(Right(function, MASKS) for function in (losses.boundary, losses.hausdorff_dt, losses.centerline_dice, losses.lovasz)),
    Right(losses.connectivity, MASKS),
    *(Right(function, REGRESSION) for function in (losses.penalized_mse, losses.charbonnier)),
    Right(losses.gaussian_nll, MEANS),
    Right(losses.click_dwell, CLICKS),
    Right(losses.ssim, IMAGES),
    Right(losses.total_variation, IMAGES),
    Right(losses.contrastive, DISTANCES),
    *(Right(function, EMBEDDINGS) for function in (losses.triplet, losses.nt_xent, losses.sup_con)),
    Right(losses.multi_similarity, EMBEDDINGS),
    Right(losses.arc_face, COSINES),
]
