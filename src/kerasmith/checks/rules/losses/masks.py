"""The mask of the predictions reaches each value of a loss."""

import numpy as np

from kerasmith.checks.engine.comparison import ROUNDED, differ, format_numbers, gap
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import ops, to_tensors
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.losses.case import LossCase
from kerasmith.checks.rules.losses.reproducers import callable_loss
from kerasmith.checks.rules.losses.weights import allowed_sums, plain_sum, require_values
from kerasmith.keras_internals.reproducers import IMPORT_SET_MASK


@check("L106", "loss", "error", requires=("base", "L104"), since="0.1.0")
def mask_of_predictions(case: LossCase) -> None:
    """The Keras mask of the predictions is ignored.

    `Masking` and `Embedding(mask_zero=True)` mark padded steps, and Keras leaves them out of the loss through a mask that
    travels as an attribute of `y_pred`. Any operation on `y_pred` before `super().__call__` makes a new tensor without
    that attribute, so the padding is trained on.

    Fix: change the predictions inside `call`, which is asked after the mask was read.
    """
    from kerasmith.keras_internals.tensors import set_keras_mask

    require_values(case)
    case.require_arrays()
    values, inputs = case.values, case.inputs
    if values.shape != inputs["y_pred"].shape[: values.ndim]:
        raise NotApplicable("the values do not belong to single steps of the predictions")
    mask = (np.arange(values.size) % 3 > 0).reshape(values.shape)
    right = allowed_sums(values, mask.astype("float32"))
    if min(gap(plain_sum(values), value) for value in right) < 0.01:
        raise Inconclusive("the masked and the plain loss of these inputs are too near to tell apart")
    true, pred = to_tensors([inputs["y_true"], inputs["y_pred"]])
    set_keras_mask(pred, ops.convert_to_tensor(mask))
    actual = float(case.number(case.summing()(true, pred)))
    if not any(not differ(actual, value) for value in right) and not differ(actual, float(np.sum(values)), ROUNDED):
        raise Failed(
            f"with a mask that keeps {int(mask.sum())} of {mask.size} values the sum {format_numbers(right[0])}",
            f"{format_numbers(actual)}, the sum without a mask",
            [
                *callable_loss(case),
                f"{IMPORT_SET_MASK}; print(loss(y_true, y_pred))",
                "y_pred = keras.ops.convert_to_tensor(y_pred)",
                f"set_keras_mask(y_pred, keras.ops.reshape(keras.ops.arange({values.size}) % 3 > 0, {values.shape}))",
                "print(loss(y_true, y_pred))",
            ],
        )
