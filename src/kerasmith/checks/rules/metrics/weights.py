"""Sample weights mean repetitions."""

import numpy as np

from kerasmith.checks.engine.comparison import CLEAR
from kerasmith.checks.engine.finding import Failed, Inconclusive
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.metrics.case import MetricCase, mixed, part

# Half as many samples again: a size that the check of batches has too.
_REPEATS = (1, 2)


def _whole_weights(batch):
    return np.resize(_REPEATS, batch)


@check("M105", "metric", "error", requires=("base", "M101", "M109", "M123", "M132"), since="0.1.0")
def weight_is_repetition(case: MetricCase) -> None:
    """Sample weights are ignored, or do not count as repetitions.

    A sample of weight 3 counts as three samples of weight 1; so do all metrics of Keras in `weighted_metrics`. A metric
    that ignores the weights reports the unweighted number under the weighted one's name; one that weighs only the numerator
    reports more than 100 %.

    Fix: multiply each sample's statistic by its weight before it is added, in the numerator and in the denominator alike.
    Take `sample_weight=None` as the third argument of `update_state`.

    A metric in which repetitions mean something else declares `weights_repeat=False`; one of whole weights only
    `integer_weights=True`.
    """
    case.contract.require("weights_repeat")
    case.contract.require("additive")
    case.require_full_sums()
    weights = _whole_weights(case.batch)
    _require_weights(case, weights)
    expected = {}

    def reveals(draw):
        expected[draw] = case.run((part(case.draw(draw), np.repeat(np.arange(case.batch), weights)), None))
        return expected[draw].has_finite and expected[draw].differs(case.whole(draw), CLEAR)

    draw = case.revealing_draw(reveals, "repeated samples do not change the result")
    found = case.run((case.draw(draw), weights))
    texts = expected[draw].difference(found)
    lines = [*case.preparation(draw), f"w = np.resize({_REPEATS}, {case.batch})"]
    if texts:
        ignored = not found.differs(case.whole(draw))
        raise Failed(
            expected=f"{texts[0]}, as from samples repeated 1, 2, 1, 2, ... times",
            actual=f"{texts[1]} with these numbers as weights" + (", the same as without weights" if ignored else ""),
            title="Sample weights are ignored" if ignored else "Sample weights do not count as repetitions",
            lines=[
                *lines,
                f"metric.update_state({case.arguments}, keras.ops.convert_to_tensor(w, 'float32'))",
                "print('weights', metric.result())",
                "index = keras.ops.convert_to_tensor(np.repeat(np.arange(len(w)), w)); metric.reset_state()",
                f"metric.update_state({_taken(case)}); print('repetitions', metric.result())",
            ],
        )
    if case.contract.integer_weights:
        return
    halves = case.run(*[(case.draw(draw), weights / 2)] * 2)
    texts = found.difference(halves)
    if texts:
        raise Failed(
            expected=f"{texts[0]}, as from weights 1, 2, 1, 2, ... once",
            actual=f"{texts[1]} from half of these weights twice",
            title="Fractions of sample weights are lost",
            fix="Multiply by the weights as floats; a cast to integers makes 0 of a weight of 0.5.",
            lines=[
                *lines,
                "w = keras.ops.convert_to_tensor(w, 'float32')",
                f"metric.update_state({case.arguments}, w); print('once', metric.result()); metric.reset_state()",
                f"for _ in range(2): metric.update_state({case.arguments}, w / 2)",
                "print('half of it twice', metric.result())",
            ],
        )


@check("M106", "metric", "error", requires=("base", "M101", "M105"), since="0.1.0")
def zero_weight_deletes(case: MetricCase) -> None:
    """A sample of weight 0 still changes the result.

    Weight 0 is how padding, unlabelled samples and incomplete last batches are left out. They must not count, whatever is
    in them; a maximum over all rows takes them in.

    Fix: leave them out of sums by multiplying with the weight, out of extrema by `ops.where(sample_weight > 0, value,
    neutral)`.
    """
    weights = np.where(np.arange(case.batch) % 2, 0.0, 1.0)
    _require_weights(case, weights)
    replaced = {}

    def reveals(draw):
        replaced[draw] = mixed(case.draw(draw), case.draw(draw + 1), weights == 0)
        unweighted = case.run((replaced[draw], None))
        return unweighted.has_finite and unweighted.differs(case.whole(draw), CLEAR)

    first = case.revealing_draw(reveals, "the samples do not change the result")
    texts, results = None, []
    # An extremum shows only where it sits in a sample of weight 0.
    for draw in range(first, first + 3):
        if draw not in replaced and not reveals(draw):
            continue
        result = case.run((case.draw(draw), weights))
        results += [result] if result.has_finite else []
        texts = result.difference(case.run((replaced[draw], weights)))
        if texts:
            break
    if texts:
        raise Failed(
            expected=f"{texts[0]}, whatever is in the samples of weight 0",
            actual=f"{texts[1]} when only these samples are replaced",
            lines=[
                *case.preparation(draw),
                f"w = keras.ops.convert_to_tensor(np.where(np.arange({case.batch}) % 2, 0.0, 1.0).astype('float32'))",
                f"metric.update_state({case.arguments}, w); print('weight 0', metric.result()); metric.reset_state()",
                f"metric.update_state({case.part_text('::2')}, w[::2]); print('left out', metric.result())",
            ],
        )
    if not results:
        raise Inconclusive("the result of half of the samples is never finite")


def _taken(case):
    """The arguments of `update_state` for the samples at `index`, as text."""
    return f"*keras.tree.map_structure(lambda x: keras.ops.take(x, index, axis=0), ({case.arguments},))"


def _require_weights(case, weights):
    """Fails for a metric that cannot take (B,) weights at all: `fit` stops as soon as there are some."""
    try:
        case.run((case.inputs, weights))
    except Exception as error:
        raise Failed(
            expected=f"`update_state({case.arguments}, sample_weight)` with weights of shape ({case.batch},)",
            actual=describe_error(error),
            title="Sample weights are not understood",
            lines=[
                *case.preparation(),
                f"metric.update_state({case.arguments}, keras.ops.ones(({case.batch},))); print(metric.result())",
            ],
        ) from None
