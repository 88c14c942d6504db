"""The keys of a configuration: what each takes, and what stands there when it was not set."""

import dataclasses
from typing import Any

REQUIRED = "required"
AUTO = "auto"


@dataclasses.dataclass(frozen=True)
class Field:
    """One key.

    Attributes:
        name: the key.
        kind: how its value is read, a function of `values`.
        default: a plain value, `AUTO` where the data decide, or `REQUIRED`.
        doc: one sentence for the docs.
        example: a value as it stands in a file.
        choices: the values of a "choice".
        least, most: the bounds of a number.
    """

    name: str
    kind: str
    default: Any
    doc: str
    example: str
    choices: tuple[str, ...] = ()
    least: float = 0
    most: float = 1e6


FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("images", "path", REQUIRED, "the folder of images: PNG, JPEG, TIFF, NumPy or NIfTI", "data/images"),
        Field("masks", "path", REQUIRED, "the folder of masks, found by the names of the images", "data/masks"),
        Field(
            "classes",
            "classes",
            REQUIRED,
            "how many classes, background included; or their names from id 0 on; or {name: id}",
            "[background, vessel]",
        ),
        Field("void", "optional_whole", None, "the id of pixels that count for nothing", "255", most=2**31 - 1),
        Field("instances", "flag", False, "masks hold one id for each object: objects that touch are kept apart", "true"),
        Field(
            "validation",
            "validation",
            AUTO,
            "what is held out: a share of the files, a list of names of files, `none`, or a folder of images",
            "0.2",
        ),
        Field("validation_masks", "optional_path", None, "the masks where `validation` is a folder", "data/held_out_masks"),
        Field(
            "group",
            "optional_pattern",
            None,
            "a regular expression of file names; files with the same first group stay together",
            "'(patient[0-9]+)_'",
        ),
        Field(
            "folds", "optional_whole", None, "trains so many times, each with another part held out", "5", least=2, most=100
        ),
        Field("fold", "optional_whole", None, "trains this one of the folds only, counted from 1", "1", least=1, most=100),
        Field(
            "model",
            "model",
            AUTO,
            "`unet(widths=[...])`, a network of `keras.applications` with a decoder, or `module:function`",
            "unet(widths=[16, 32, 64])",
        ),
        Field("loss", "loss", AUTO, "a sum of losses, each times numbers and schedules", "0.5*dice + 0.5*ce"),
        Field("metrics", "calls", AUTO, "metrics of the validation, a list", "[dice_score, iou]"),
        Field("optimizer", "call", AUTO, "an optimizer of Keras and its arguments", "adamw(weight_decay=0.01)"),
        Field("schedule", "call", AUTO, "the learning rate over epochs, or `constant`", "one_cycle(30, 0.003)"),
        Field("epochs", "whole", AUTO, "how many epochs; may be raised later", "60", least=1),
        Field("steps", "whole", AUTO, "batches in an epoch", "100", least=1),
        Field("batch", "whole", AUTO, "patches in a batch", "8", least=1, most=4096),
        Field(
            "patch", "sizes", AUTO, "pixels of a patch along each axis; one number for all", "[128, 128]", least=8, most=4096
        ),
        Field(
            "normalization",
            "choice",
            AUTO,
            "of intensities, by those of the training images",
            "zscore",
            choices=("zscore", "percentile", "unit", "none"),
        ),
        Field("oversample", "number", AUTO, "the share of patches whose middle is a pixel of an object", "0.33", most=1),
        Field(
            "augment",
            "augment",
            AUTO,
            "`none`, or amounts: rotate, mirror, scale, stretch, contrast, brightness, noise",
            "{rotate: true, scale: 0.2}",
        ),
        Field("callbacks", "calls", (), "further callbacks, a list", "[early_stopping(patience=10)]"),
        Field(
            "threshold",
            "threshold",
            "fit",
            "probability above which a pixel is foreground; `fit`: the best one on the training images",
            "0.5",
            most=1,
        ),
        Field(
            "precision",
            "choice",
            "float32",
            "of the computation",
            "mixed_float16",
            choices=("float32", "mixed_float16", "mixed_bfloat16"),
        ),
        Field("seed", "whole", 0, "of weights, patches and the split", "0", most=2**31 - 1),
        Field("backend", "choice", AUTO, "of Keras", "jax", choices=("tensorflow", "jax", "torch")),
        Field("tensorboard", "flag", AUTO, "writes event files; needs the package tensorboard", "false"),
        Field(
            "check",
            "flag",
            True,
            "asks before the first step whether network, loss, metrics and masks belong together; an error ends the command",
            "false",
        ),
        Field("from", "optional_path", None, "the directory of a run whose weights this one starts from", "runs/first"),
        Field(
            "out",
            "path",
            AUTO,
            "the directory of the run; by default `runs/` where the command runs, and the name of the configuration",
            "runs/vessels",
        ),
    )
}
"""{key: Field}, in the order in which they are written."""
