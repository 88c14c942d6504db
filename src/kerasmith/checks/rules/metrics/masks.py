"""A metric leaves out what the Keras mask of its predictions leaves out."""

import numpy as np

from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.registry import check
from kerasmith.checks.engine.spec import Spec
from kerasmith.checks.rules.metrics.case import MetricCase
from kerasmith.keras_internals.reproducers import IMPORT_SET_MASK


@check("M131", "metric", "warning", requires=("base", "M101", "M105"), since="0.2.0")
def padding_does_not_count(case: MetricCase) -> None:
    """Padding counts, although the predictions carry a Keras mask.

    `Embedding(mask_zero=True)` and `Masking` mark padded steps, and the mask travels to the metric as an attribute of
    `y_pred`. Keras leaves those steps out of the loss. A metric that does not ask for the mask reports a mean over words
    and padding: the more padding, the better an accuracy that takes 0 for a word.

    Fix: `mask = getattr(y_pred, "_keras_mask", None)` first in `update_state`, and multiply the weight of each step by it; or
    give `fit` a `sample_weight` of 0 for padding.
    """
    from kerasmith.keras_internals.tensors import set_keras_mask

    true, pred = case.specs["y_true"], case.specs["y_pred"]
    if case.takes_values or not isinstance(true, Spec) or not isinstance(pred, Spec):
        raise NotApplicable("not one array of labels and one of predictions")
    if len(pred.shape) != 3 or true.shape[:2] != pred.shape[:2] or pred.shape[1] < 2:
        raise NotApplicable("the predictions are not those of the steps of sequences")
    mask = np.arange(pred.shape[1])[None] < 1 + np.arange(case.batch)[:, None] % (pred.shape[1] - 1)

    def result(inputs):
        y_true, y_pred = case.given(inputs)
        set_keras_mask(y_pred, case_mask)
        metric = case.metric()
        metric.update_state(y_true, y_pred)
        return case.result(metric)

    from kerasmith.checks.engine.lazy_keras import ops

    case_mask = ops.convert_to_tensor(mask)
    inputs, other = case.draw(0), case.draw(1)
    where = lambda a, b: np.where(mask.reshape(mask.shape + (1,) * (a.ndim - 2)), a, b).astype(a.dtype)  # noqa: E731
    replaced = {name: where(inputs[name], other[name]) for name in inputs}
    if not case.whole(0).has_finite or not case.whole(0).differs(case.run((replaced, None))):
        raise Inconclusive("the padding of these inputs does not change the result")
    texts = result(inputs).difference(result(replaced))
    if texts:
        raise Failed(
            f"{texts[0]}, whatever stands in the masked steps",
            f"{texts[1]} when only masked steps are replaced",
            [
                *case.preparation(),
                f"mask = np.arange({pred.shape[1]})[None] < 1 + np.arange({case.batch})[:, None] % {pred.shape[1] - 1}",
                f"{IMPORT_SET_MASK}; set_keras_mask(y_pred, keras.ops.convert_to_tensor(mask))",
                "metric.update_state(y_true, y_pred); print('with a mask', metric.result()); metric.reset_state()",
                "set_keras_mask(y_pred, keras.ops.ones_like(mask)); metric.update_state(y_true, y_pred)",
                "print('without', metric.result())",
            ],
        )
