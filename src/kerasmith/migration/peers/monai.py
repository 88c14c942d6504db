"""Losses of MONAI 1.6."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import both, choice, drop, lost, note, scales, sets, to

_LAYOUT = (
    "MONAI is called as loss(input, target) on (B, C, *spatial); ours as loss(y_true, y_pred) on (B, *spatial, C), or with "
    "axis=1 on MONAI's order."
)
_ENTRIES = "MONAI gives one entry per image and class (or pixel); here it is one value per image, the mean over its classes."
_CHANNELS = "MONAI's mean is over the C channels too, so that with softmax its value is this one / C."

_ACTIVATION = {
    "include_background": to("include_background", True),
    "to_onehot_y": note(True, "Class ids are read as they are: nothing to convert."),
    "sigmoid": both(
        sets(True, from_logits=True), note(True, "For several channels with a sigmoid each add `multi_label=True`.")
    ),
    "softmax": sets(True, from_logits=True),
    "other_act": lost(None, "let the model apply it; here `from_logits=True` is sigmoid or softmax."),
    "reduction": both(
        choice("reduction", {"mean": None, "sum": "sum", "none": "none"}), note("sum", _ENTRIES), note("none", _ENTRIES)
    ),
}
_SQUARED = lost(False, "sums of squares in the denominator have no counterpart; the loss is close to plain Dice.")
_SMOOTH = {"smooth_nr": drop, "smooth_dr": drop}
_REGION = {**_ACTIVATION, **_SMOOTH, "batch": sets(True, scope="batch")}
_WEIGHT = both(to("class_weights", None), scales(mean_of=True))
_SOFT = lost(False, "`soft_labels=True` here is another formula: the smaller of p and y in the place of their product.")
_IGNORE = to("ignore_class", None)
_REGION_PARAMETERS = (
    "include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, {}"
    "reduction='mean', smooth_nr=1e-05, smooth_dr=1e-05, batch=False{}"
)


def _smooth(factor: float):
    """MONAI adds two numbers to a ratio that is twice ours (Dice), or to ours itself (Tversky)."""

    def finish(line: Line, arguments: Mapping[str, Argument]) -> None:
        above, below = arguments["smooth_nr"], arguments["smooth_dr"]
        if not (above.literal and below.literal):
            line.lost.append(f"`smooth_nr={above.text}`: write `smooth={factor} * {above.text}`.")
            return
        if above.value != below.value:
            line.lost.append(f"`smooth_dr={below.text}`: one number, `smooth`, is added above and below.")
        to("smooth", 1e-5, lambda value: factor * value)(line, above)

    return finish


def _dice(line: Line, arguments: Mapping[str, Argument]) -> None:
    _smooth(0.5)(line, arguments)
    if arguments["jaccard"].text == "True":
        line.ours = line.ours.replace("losses.Dice}", "losses.Jaccard}")


def _sum(line: Line, arguments: Mapping[str, Argument]) -> None:
    _smooth(0.5)(line, arguments)
    if arguments["sigmoid"].text != "True" and arguments["softmax"].text != "True":
        line.lost.append(
            "without `sigmoid=True` or `softmax=True` the Dice term reads values that the other term takes for logits."
        )


IMAGE = {
    "spatial_dims": drop,
    "data_range": to("max_val", 1.0),
    "kernel_type": lost("gaussian", "the window is Gaussian."),
    "win_size": to("window", 11),
    "kernel_sigma": to("sigma", 1.5),
    "k1": to("k1", 0.01),
    "k2": to("k2", 0.03),
    "reduction": choice("reduction", {"mean": None, "sum": "sum", "none": "none"}),
    "get_not_nans": drop,
}

CALLS = (
    Call(
        "monai.losses.DiceLoss",
        _REGION_PARAMETERS.format("squared_pred=False, jaccard=False, ", ", weight=None, soft_label=False, ignore_index=None"),
        "losses.Dice",
        {
            **_REGION,
            "squared_pred": _SQUARED,
            "jaccard": drop,
            "weight": _WEIGHT,
            "soft_label": _SOFT,
            "ignore_index": _IGNORE,
        },
        (_LAYOUT,),
        finish=_dice,
    ),
    Call(
        "monai.losses.MaskedDiceLoss",
        _REGION_PARAMETERS.format("squared_pred=False, jaccard=False, ", ", weight=None, soft_label=False"),
        "losses.Dice",
        {**_REGION, "squared_pred": _SQUARED, "jaccard": drop, "weight": _WEIGHT, "soft_label": _SOFT},
        (_LAYOUT, "The mask is `sample_weight` here, (B, *spatial): 0 leaves a pixel out."),
        finish=_dice,
    ),
    Call(
        "monai.losses.DiceCELoss",
        _REGION_PARAMETERS.format(
            "squared_pred=False, jaccard=False, ", ", weight=None, lambda_dice=1.0, lambda_ce=1.0, label_smoothing=0.0"
        ),
        "losses.DiceCE",
        {
            **_REGION,
            "squared_pred": _SQUARED,
            "jaccard": lost(False, "write `lambda_dice * Jaccard(...) + lambda_ce * CrossEntropy(...)`."),
            "weight": lost(None, "`class_weights` here divide by their sum in both terms."),
            "lambda_dice": to("dice_weight"),
            "lambda_ce": to("ce_weight"),
            "label_smoothing": lost(0.0, "here it would smooth the labels of the Dice term too."),
        },
        (_LAYOUT, "With several channels MONAI's cross-entropy is a softmax one, whatever the activation."),
        finish=_sum,
    ),
    Call(
        "monai.losses.DiceFocalLoss",
        _REGION_PARAMETERS.format(
            "squared_pred=False, jaccard=False, ",
            ", gamma=2.0, weight=None, lambda_dice=1.0, lambda_focal=1.0, alpha=None",
        ),
        "losses.DiceFocal",
        {
            **_REGION,
            "squared_pred": _SQUARED,
            "jaccard": lost(False, "write `lambda_dice * Jaccard(...) + lambda_focal * Focal(...)`."),
            "gamma": to("gamma", 2.0),
            "weight": lost(None, "`class_weights` here divide by their sum."),
            "lambda_dice": to("dice_weight"),
            "lambda_focal": to("focal_weight"),
            "alpha": to("alpha", None),
        },
        (_LAYOUT, _CHANNELS.replace("value", "focal term")),
        finish=_sum,
    ),
    Call(
        "monai.losses.GeneralizedDiceLoss",
        "include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, w_type='square', "
        "reduction='mean', smooth_nr=1e-05, smooth_dr=1e-05, batch=False, soft_label=False",
        "losses.GeneralizedDice",
        {
            **_REGION,
            "w_type": lost("square", "classes are weighed by their squared size."),
            "soft_label": _SOFT,
            "smooth_nr": drop,
        },
        (
            _LAYOUT,
            "`smooth_nr` is added to sums divided by squared sizes, ours in pixels of the smallest class: the "
            "values are equal "
            "for small numbers only, and MONAI's 1e-5 is not small beside 1 / size^2.",
        ),
    ),
    Call(
        "monai.losses.FocalLoss",
        "include_background=True, to_onehot_y=False, gamma=2.0, alpha=None, weight=None, reduction='mean', use_softmax=False, "
        "ignore_index=None",
        "losses.Focal",
        {
            "include_background": to("include_background", True),
            "to_onehot_y": _ACTIVATION["to_onehot_y"],
            "gamma": to("gamma", 2.0),
            "alpha": to("alpha", None),
            "weight": lost(None, "`class_weights` here divide by their sum."),
            "reduction": _ACTIVATION["reduction"],
            "use_softmax": both(
                sets(False, from_logits=True, multi_label=True), sets(True, from_logits=True), note(True, _CHANNELS)
            ),
            "ignore_index": _IGNORE,
        },
        (_LAYOUT,),
    ),
    Call(
        "monai.losses.TverskyLoss",
        "include_background=True, to_onehot_y=False, sigmoid=False, softmax=False, other_act=None, alpha=0.5, beta=0.5, "
        "reduction='mean', smooth_nr=1e-05, smooth_dr=1e-05, batch=False, soft_label=False, ignore_index=None",
        "losses.Tversky",
        {**_REGION, "alpha": to("alpha", 0.5), "beta": to("beta", 0.5), "soft_label": _SOFT, "ignore_index": _IGNORE},
        (_LAYOUT,),
        finish=_smooth(1.0),
    ),
    Call(
        "monai.losses.ContrastiveLoss",
        "temperature=0.5, batch_size=-1",
        "losses.NTXent",
        {"temperature": to("temperature", 0.07), "batch_size": drop},
        ("MONAI takes two batches of embeddings; stack them, y_pred = concatenate([a, b]), y_true = [0..N-1, 0..N-1].",),
    ),
    Call(
        "monai.losses.SSIMLoss",
        "spatial_dims, data_range=1.0, kernel_type='gaussian', win_size=11, kernel_sigma=1.5, k1=0.01, "
        "k2=0.03, reduction='mean'",
        "losses.SSIM",
        IMAGE,
        (_LAYOUT,),
    ),
    Call(
        "monai.losses.SoftclDiceLoss",
        "iter_=3, smooth_nr=1.0, smooth_dr=1.0, smooth=0.0001, include_background=True, to_onehot_y=False, sigmoid=False, "
        "softmax=False, other_act=None, reduction='mean'",
        "losses.CenterlineDice",
        {
            **_ACTIVATION,
            "iter_": to("iterations", 10),
            "smooth_nr": to("smooth", 1.0),
            "smooth_dr": drop,
            "smooth": drop,
            "include_background": to("include_background", False),
        },
        (
            _LAYOUT,
            "MONAI adds up a whole batch before it divides and adds 1e-4 to the harmonic mean: equal for a batch of one image "
            "up to that.",
        ),
    ),
    Call(
        "monai.losses.PatchAdversarialLoss",
        "reduction='mean', criterion='least_squares', no_activation_leastsq=False",
        "losses.DiscriminatorLoss",
        {
            "reduction": choice("reduction", {"mean": None, "sum": "sum", "none": "none"}),
            "criterion": choice("kind", {"least_squares": "least_squares", "bce": "bce", "hinge": "hinge"}),
            "no_activation_leastsq": drop,
        },
        (
            "This is the loss of the discriminator; that of the generator is `losses.GeneratorLoss` of the same kind.",
            "MONAI puts a leaky ReLU before least squares unless `no_activation_leastsq=True`; here outputs are "
            "taken as they are.",
        ),
    ),
)
