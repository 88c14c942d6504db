"""Default names of parts."""

import re


def snake_case(class_name):
    """`FocalTversky` -> "focal_tversky", `DiceCE` -> "dice_ce", `IoU` -> "iou"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name.replace("IoU", "Iou")).lower()
