"""Losses that keep sample weights, masks and one value per sample. See README.md for the two families."""

from kerasmith.base import KerasLoss, WeightedSum
from kerasmith.losses._adversarial import AdversarialLoss
from kerasmith.losses._arc_face import ArcFace, arc_face
from kerasmith.losses._boundary import Boundary, boundary
from kerasmith.losses._centerline_dice import CenterlineDice, centerline_dice
from kerasmith.losses._charbonnier import Charbonnier, charbonnier
from kerasmith.losses._class_balanced_weights import class_balanced_weights
from kerasmith.losses._click_dwell import ClickDwell, click_dwell
from kerasmith.losses._connectivity import Connectivity, connectivity
from kerasmith.losses._contrastive import Contrastive, contrastive
from kerasmith.losses._cross_entropy import CrossEntropy, cross_entropy
from kerasmith.losses._dice import Dice, dice
from kerasmith.losses._dice_ce import DiceCE, dice_ce
from kerasmith.losses._dice_focal import DiceFocal, dice_focal
from kerasmith.losses._dice_iou import DiceIoU, dice_iou
from kerasmith.losses._discriminator_loss import DiscriminatorLoss, discriminator_loss
from kerasmith.losses._elementwise import ElementwiseLoss
from kerasmith.losses._embedding import EmbeddingLoss
from kerasmith.losses._exposure_weighted import ExposureWeighted, exposure_weighted
from kerasmith.losses._focal import Focal, focal
from kerasmith.losses._focal_tversky import FocalTversky, focal_tversky
from kerasmith.losses._from_function import FunctionLoss, from_function
from kerasmith.losses._gaussian_nll import GaussianNLL, gaussian_nll
from kerasmith.losses._generalized_dice import GeneralizedDice, generalized_dice
from kerasmith.losses._generator_loss import GeneratorLoss, generator_loss
from kerasmith.losses._gradient_penalty import GradientPenalty
from kerasmith.losses._gram_style import GramStyle, gram_style
from kerasmith.losses._hausdorff_dt import HausdorffDT, hausdorff_dt
from kerasmith.losses._image import ImageLoss
from kerasmith.losses._jaccard import Jaccard, jaccard
from kerasmith.losses._log_cosh_dice import LogCoshDice, log_cosh_dice
from kerasmith.losses._lovasz import Lovasz, lovasz
from kerasmith.losses._lpips import LPIPS, lpips
from kerasmith.losses._minimum_area import MinimumArea, minimum_area
from kerasmith.losses._ms_ssim import MSSSIM, ms_ssim
from kerasmith.losses._multi_similarity import MultiSimilarity, multi_similarity
from kerasmith.losses._nt_xent import NTXent, nt_xent
from kerasmith.losses._penalized_mse import PenalizedMSE, penalized_mse
from kerasmith.losses._perceptual import Perceptual, perceptual
from kerasmith.losses._pinball import Pinball, pinball
from kerasmith.losses._pixelwise import PixelLoss
from kerasmith.losses._region import RegionLoss
from kerasmith.losses._segmentation import SegmentationLoss
from kerasmith.losses._shape import ShapeLoss
from kerasmith.losses._soft_constraint import SoftConstraint, soft_constraint
from kerasmith.losses._ssim import SSIM, ssim
from kerasmith.losses._sup_con import SupCon, sup_con
from kerasmith.losses._total_variation import TotalVariation, total_variation
from kerasmith.losses._triplet import Triplet, triplet
from kerasmith.losses._tversky import Tversky, tversky
from kerasmith.losses._unified_focal import UnifiedFocal, unified_focal

__all__ = [
    "AdversarialLoss",
    "ArcFace",
    "Boundary",
    "CenterlineDice",
    "Charbonnier",
    "ClickDwell",
    "Connectivity",
    "Contrastive",
    "CrossEntropy",
    "Dice",
    "DiceCE",
    "DiceFocal",
    "DiceIoU",
    "DiscriminatorLoss",
    "ElementwiseLoss",
    "EmbeddingLoss",
    "ExposureWeighted",
    "Focal",
    "FocalTversky",
    "FunctionLoss",
    "GaussianNLL",
    "GeneralizedDice",
    "GeneratorLoss",
    "GradientPenalty",
    "GramStyle",
    "HausdorffDT",
    "ImageLoss",
    "Jaccard",
    "KerasLoss",
    "LogCoshDice",
    "LPIPS",
    "Lovasz",
    "MSSSIM",
    "MinimumArea",
    "MultiSimilarity",
    "NTXent",
    "PenalizedMSE",
    "Perceptual",
    "Pinball",
    "PixelLoss",
    "RegionLoss",
    "SSIM",
    "SegmentationLoss",
    "ShapeLoss",
    "SoftConstraint",
    "SupCon",
    "TotalVariation",
    "Triplet",
    "Tversky",
    "UnifiedFocal",
    "WeightedSum",
    "arc_face",
    "boundary",
    "centerline_dice",
    "charbonnier",
    "class_balanced_weights",
    "click_dwell",
    "connectivity",
    "contrastive",
    "cross_entropy",
    "dice",
    "dice_ce",
    "dice_focal",
    "dice_iou",
    "discriminator_loss",
    "exposure_weighted",
    "focal",
    "focal_tversky",
    "from_function",
    "gaussian_nll",
    "generalized_dice",
    "generator_loss",
    "gram_style",
    "hausdorff_dt",
    "jaccard",
    "log_cosh_dice",
    "lovasz",
    "lpips",
    "minimum_area",
    "ms_ssim",
    "multi_similarity",
    "nt_xent",
    "penalized_mse",
    "perceptual",
    "pinball",
    "soft_constraint",
    "ssim",
    "sup_con",
    "total_variation",
    "triplet",
    "tversky",
    "unified_focal",
]


def __dir__() -> list[str]:
    return __all__
