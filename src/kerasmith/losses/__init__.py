"""Losses that keep sample weights, masks and one value per sample. See README.md for the two families."""

from kerasmith.losses.cross_entropy import CrossEntropy, cross_entropy
from kerasmith.losses.dice import Dice, dice
from kerasmith.losses.dice_ce import DiceCE, dice_ce
from kerasmith.losses.dice_focal import DiceFocal, dice_focal
from kerasmith.losses.dice_iou import DiceIoU, dice_iou
from kerasmith.losses.focal import Focal, focal
from kerasmith.losses.focal_tversky import FocalTversky, focal_tversky
from kerasmith.losses.generalized_dice import GeneralizedDice, generalized_dice
from kerasmith.losses.jaccard import Jaccard, jaccard
from kerasmith.losses.log_cosh_dice import LogCoshDice, log_cosh_dice
from kerasmith.losses.tversky import Tversky, tversky
