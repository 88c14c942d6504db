"""Losses and schedules of PyTorch itself."""

from collections.abc import Mapping

from kerasmith.migration.call import Argument, Call
from kerasmith.migration.line import Line
from kerasmith.migration.rules import choice, drop, lost, sets, to

_LAYOUT = (
    "PyTorch's losses are called as loss(input, target) with classes on axis 1; ours as loss(y_true, "
    "y_pred) with classes on the "
    "last axis, or with `axis=1`."
)
_REDUCTION = {
    "size_average": drop,
    "reduce": drop,
    "reduction": choice("reduction", {"mean": None, "sum": "sum", "none": "none"}),
}
_OLD = "size_average=None, reduce=None, reduction='mean'"


def _logits(line: Line, arguments: Mapping[str, Argument]) -> None:
    line.write("from_logits", "True")
    weight = arguments.get("pos_weight")
    if weight is not None and weight.text != "None":
        line.ours = "{losses.Focal}"
        line.write("gamma", "0.0")
        to("pos_weight")(line, weight)


_OPTIMIZER = {"optimizer": drop, "last_epoch": drop, "verbose": drop}
_PLACE = "Give it to the optimizer as `learning_rate`, or to `callbacks.ScheduleLR`; `steps_per_epoch` makes the unit epochs."

CALLS = (
    Call(
        "torch.nn.BCELoss",
        f"weight=None, {_OLD}",
        "losses.CrossEntropy",
        {**_REDUCTION, "weight": lost(None, "weights are `sample_weight` here.")},
        (_LAYOUT, "For several channels add `multi_label=True`."),
    ),
    Call(
        "torch.nn.BCEWithLogitsLoss",
        f"weight=None, {_OLD}, pos_weight=None",
        "losses.CrossEntropy",
        {**_REDUCTION, "weight": lost(None, "weights are `sample_weight` here."), "pos_weight": drop},
        (_LAYOUT, "For several channels add `multi_label=True`."),
        finish=_logits,
    ),
    Call(
        "torch.nn.CrossEntropyLoss",
        "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
        "losses.CrossEntropy",
        {
            **_REDUCTION,
            "weight": to("class_weights", None),
            "ignore_index": to("ignore_class", -100),
            "label_smoothing": to("label_smoothing", 0.0),
        },
        (
            _LAYOUT,
            "PyTorch takes one mean over all pixels of the batch, ours over those of each image, then over "
            "images: equal unless "
            "images have different numbers of valid pixels, or class weights.",
        ),
        finish=_logits,
    ),
    Call(
        "torch.nn.GaussianNLLLoss",
        "full=False, eps=1e-06, reduction='mean'",
        "losses.GaussianNLL",
        {
            "full": sets(True, full=True),
            "eps": to("variance_floor", 1e-6),
            "reduction": choice("reduction", {"mean": None, "sum": "sum", "none": "none"}),
        },
        ("Ours reads the mean and the variance from the last axis of y_pred.",),
        finish=lambda line, _: line.write("variance", "'identity'"),
    ),
    Call(
        "torch.optim.lr_scheduler.CosineAnnealingWarmRestarts",
        "optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1",
        "schedules.CosineRestarts",
        {**_OPTIMIZER, "T_0": to("T_0"), "T_mult": to("T_mult", 1), "eta_min": to("eta_min", 0.0)},
        (_PLACE, "`eta_max` here, 1e-3 by default, is the rate of the optimizer there."),
    ),
    Call(
        "torch.optim.lr_scheduler.OneCycleLR",
        "optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy='cos', "
        "cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=10000.0, "
        "three_phase=False, last_epoch=-1",
        "schedules.OneCycle",
        {
            **_OPTIMIZER,
            "max_lr": to("eta_max", 1e-3),
            "total_steps": to("length", None),
            "epochs": to("length", None),
            "steps_per_epoch": to("steps_per_epoch", None),
            "pct_start": to("rise", 0.3),
            "anneal_strategy": choice("anneal", {"cos": None, "linear": "linear"}),
            "cycle_momentum": lost(False, "momentum stays as it is; with `cycle_momentum=False` both are the same."),
            "base_momentum": drop,
            "max_momentum": drop,
            "div_factor": to("div_factor", 25.0),
            "final_div_factor": to("final_div_factor", 1e4),
            "three_phase": sets(True, three_phase=True),
        },
        (_PLACE,),
    ),
    Call(
        "torch.optim.lr_scheduler.CyclicLR",
        "optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode='triangular', gamma=1.0, scale_fn=None, "
        "scale_mode='cycle', cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1",
        "schedules.Cyclic",
        {
            **_OPTIMIZER,
            "base_lr": to("eta_min", 1e-4),
            "max_lr": to("eta_max", 1e-3),
            "step_size_up": to("up"),
            "step_size_down": to("down", None),
            "mode": choice("mode", {"triangular": None, "triangular2": "triangular2", "exp_range": "exp"}),
            "gamma": to("gamma", 1.0),
            "scale_fn": lost(None, "the modes are triangular, triangular2 and exp."),
            "scale_mode": drop,
            "cycle_momentum": lost(False, "momentum stays as it is; with `cycle_momentum=False` both are the same."),
            "base_momentum": drop,
            "max_momentum": drop,
        },
        (_PLACE,),
    ),
)
