"""The result does not depend on how the data come in batches."""

import numpy as np

from kerasmith.checks.engine.comparison import CLEAR, RESULT, differ
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.class_axes import REDUCTIONS, AxisUse, noted_axes
from kerasmith.checks.rules.metrics.case import MetricCase, part


@check("M101", "metric", "error", requires=("base", "M123"), since="0.1.0")
def any_split_gives_the_same(case: MetricCase) -> None:
    """The result depends on how the data are split into batches.

    `evaluate` with another batch size reports another number for the same model and the same data, and the last, smaller
    batch counts as much as a full one. The mean of the F1 scores of batches is not the F1 score of the data.

    Fix: keep sums in variables (`add_weight`), add to them in `update_state`, and divide, take roots or combine them in
    `result` only.

    A metric that is meant to depend on the batches declares `additive=False`.
    """
    case.contract.require("additive")
    case.require_full_sums()
    # The sizes are few and those of other checks: eager JAX compiles each operation for each of them.
    cut, size = case.batch, case.batch + case.batch // 2
    found = {}

    def reveals(draw):
        inputs = case.draw(draw, size)
        two = [part(inputs, slice(0, cut)), part(inputs, slice(cut, None))]
        whole, first, second = (case.run((one, None)) for one in (inputs, *two))
        found[draw] = two, whole
        return first.has_finite and second.has_finite and (first.differs(second, CLEAR) or second.differs(whole, CLEAR))

    draw = case.revealing_draw(reveals, "each batch gives the same number as all of them together")
    two, whole = found[draw]
    slices = [f"slice(0, {cut})", f"slice({cut}, None)"]
    for order, sizes in ((1, (cut, size - cut)), (-1, (size - cut, cut))):
        split = case.run(*((one, None) for one in two[::order]))
        texts = whole.difference(split)
        if texts:
            raise Failed(
                expected=f"{texts[0]}, as from all {size} samples at once",
                actual=f"{texts[1]} from batches of {sizes[0]} and {sizes[1]}",
                lines=[
                    *case.preparation(draw, size),
                    f"metric.update_state({case.arguments}); print('at once', metric.result())",
                    "metric.reset_state()",
                    f"for part in ({', '.join(slices[::order])}): metric.update_state({case.part_text('part')})",
                    "print('in two batches', metric.result())",
                ],
                **_table_of_pairs(case),
            )


def _table_of_pairs(case):
    """{"title", "fix", "line"} where one label and one prediction for each sample have made a (B, B) table; else {}."""
    table = table_inside(case)
    if table is None:
        return {}
    return {
        "title": "Labels (B,) and predictions (B, 1) are counted B x B times inside `update_state`",
        "fix": "Bring both to one shape before they meet: `y_true = ops.reshape(y_true, ops.shape(y_pred))`.",
        "line": table.line,
    }


def table_inside(case: MetricCase) -> AxisUse | None:
    """The first reduction of a (B, B) array in an update with one label and one prediction for each sample."""
    inputs, batch = case.draw(0), case.batch
    if any(getattr(inputs[name], "size", 0) != batch for name in ("y_true", "y_pred")):
        return None
    with noted_axes(case.subject.file, REDUCTIONS) as uses:
        case.run((inputs, None))
    return next((use for use in uses if use.shape[:2] == (batch, batch)), None)


@check("M102", "metric", "error", requires=("base", "M101"), since="0.1.0")
def same_data_twice(case: MetricCase) -> None:
    """The same data twice give another mean.

    A score of a data set does not change if every sample comes twice; a count doubles. A metric that divides by a number
    that was fixed beforehand, such as the size of the training set, is wrong for every other data set, `validation_data`
    included.

    Fix: count what was seen in a variable and divide by that count.

    Which of the two a metric is, is found by trial; `mean_like=True` in the contract makes doubling an error.
    """
    case.contract.require("additive")
    wanted = case.contract.mean_like
    draw = case.revealing_draw(
        lambda draw: bool(case.whole(draw).keys_where(lambda x: (x != 0).any())), "the result is always 0"
    )
    once = case.whole(draw)
    twice = case.run(*[(case.draw(draw), None)] * 2)
    texts = once.difference(twice)
    if texts is None or wanted is False:
        return
    if wanted:
        raise Failed(
            expected=f"{texts[0]}, as from the same data once",
            actual=f"{texts[1]} from the same data twice",
            lines=[
                *case.preparation(draw),
                f"for _ in range(2): metric.update_state({case.arguments}); print(metric.result())",
            ],
        )
    if not all(_is_equal_or_double(once.values[key], twice.values[key]) for key in once.values):
        raise Inconclusive(f"{texts[0]} from the data once, {texts[1]} from the same data twice: neither a mean nor a count")


def _is_equal_or_double(once: np.ndarray, twice: np.ndarray) -> bool:
    return not differ(once, twice, RESULT) or not differ(2 * once, twice, RESULT)
