"""The losses and metrics of medicai, each with inputs of the kind that it is made for."""

import medicai.losses
import medicai.metrics

from tests.zoo.entries import Right

LIKE = {
    "Binary": {"y_true": "float32[4,16,16,1]{0,1}", "y_pred": "float32[4,16,16,1](0,1)"},
    "Categorical": {"y_true": "float32[4,16,16,3]onehot", "y_pred": "float32[4,16,16,3]simplex"},
    "Sparse": {"y_true": "int32[4,16,16,1]{0,2}", "y_pred": "float32[4,16,16,3]simplex"},
}


def _parts(module, kind):
    for name in sorted(vars(module)):
        for start, like in LIKE.items():
            if name.startswith(start):
                init = {"from_logits": False, "num_classes": 1 if start == "Binary" else 3}
                yield Right(getattr(module, name), like=like, init=init, kind=kind)


RIGHT = [*_parts(medicai.losses, "loss"), *_parts(medicai.metrics, "metric")]
