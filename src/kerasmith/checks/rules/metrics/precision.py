"""Counts stay exact, and sums finite, when there are many data."""

import numpy as np

from kerasmith.checks.engine.comparison import HALF
from kerasmith.checks.engine.examination import deadline
from kerasmith.checks.engine.finding import Failed, Inconclusive, NotApplicable, OutOfTime
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.metrics.case import MetricCase, part

_STEPS = 64
_MANY = 2.0**17
# That much may be spent on a large batch.
_SECONDS = 3.0


@check("M111", "metric", "error", requires=("base", "M102", "M104", "M105", "M109", "M110", "M118"), since="0.1.0")
def counts_reach_billions(case: MetricCase) -> None:
    """The counter stops at 2^24, or wraps at 2^31.

    A float32 variable cannot add 1 to 16,777,216: thirty-two masks of 512 x 512 are enough, and the count stands still from
    there. An int32 one turns negative at 2,147,483,648.

    Fix: keep the count in two variables, units of 2^20 and the rest, and carry; or use float64 or int64 where the backend
    has it. A ratio of two float32 sums is not affected before the parts of a step get lost; what is reported as a count is.
    """
    keys = _count_keys(case)
    key, row, each = _smallest_row(case, keys)
    one_hot = np.eye(case.batch)[row]
    inputs = case.draw(0)
    # One update of at most 2^28, and a total of which float32 has steps of more than twice the row.
    weight = 2.0 ** (28 - int(np.ceil(np.log2(max(each, 1)))))
    times = int(np.ceil(each * 2.0**26 / (each * weight)))
    metric = case.metric()
    for _ in range(times):
        case.update(metric, inputs, one_hot * weight)
    start = case.result(metric).values[key]
    for _ in range(_STEPS):
        case.update(metric, inputs, one_hot)
    grown = float(case.result(metric).values[key] - start)
    total = times * each * weight
    lines = [
        *case.preparation(),
        f"one = np.eye({case.batch}, dtype='float32')[{row}]; w = lambda k: keras.ops.convert_to_tensor(one * np.float32(k))",
    ]
    read = f"metric.result()[{key!r}]" if key else "metric.result()"
    if abs(start - total) > 1e-5 * total or abs(grown - _STEPS * each) > 0.3 * _STEPS * each:
        raise Failed(
            expected=f"{_STEPS} more updates of {each:g} add {_STEPS * each:g} to a count of {total:.0f}",
            actual=f"they add {grown:g} to a count of {float(start):.0f}",
            lines=[
                *lines,
                f"for _ in range({times}): metric.update_state({case.arguments}, w({weight:.0f}))",
                f"before = float({read})",
                f"for _ in range({_STEPS}): metric.update_state({case.arguments}, w(1))",
                f"print(before, 'grows by', float({read}) - before)",
            ],
        )
    more = int(np.ceil(2.0**32 / (each * weight)))
    for _ in range(more):
        case.update(metric, inputs, one_hot * weight)
    end, due = float(case.result(metric).values[key]), total + _STEPS * each + more * each * weight
    if abs(end - due) > 1e-5 * due:
        raise Failed(
            expected=f"a count of {due:.0f}",
            actual=f"{end:.0f}",
            lines=[
                *lines,
                f"for _ in range({more}): metric.update_state({case.arguments}, w({weight:.0f}))",
                f"print({read}, 'expected', {more} * {each * weight:.0f})",
            ],
        )


def _count_keys(case):
    """The keys that are whole numbers and double with the data."""
    once, twice = case.whole(0), case.run(*[(case.draw(0), None)] * 2)
    keys = [
        key
        for key, value in once.values.items()
        if value.ndim == 0 and value > 0 and value == np.round(value) and twice.values[key] == 2 * value
    ]
    if not keys:
        raise NotApplicable("the result is not a count")
    return keys


def _smallest_row(case, keys):
    """(key, index, count) of the sample that adds the smallest whole number to a count."""
    found = []
    for row in range(case.batch):
        values = case.run((case.draw(0), np.eye(case.batch)[row])).values
        found += [(float(values[key]), key, row) for key in keys if values[key] >= 1 and values[key] == np.round(values[key])]
    if not found or min(found)[0] > 1024:
        raise Inconclusive("no single sample adds a small whole number")
    each, key, row = min(found)
    return key, row, each


@check("M117", "metric", "warning", since="0.1.0")
def sums_are_not_half(case: MetricCase) -> None:
    """Sums in half precision: they overflow, or stand still, after a few thousand samples.

    float16 ends at 65,504 and cannot add 1 to 2,048. A variable of this type, or a sum of a float16 prediction over an
    image (which is what a model under mixed_float16 gives), is infinite or wrong long before an epoch is over.

    Fix: make variables with `dtype="float32"`, and cast predictions to float32 before they are summed.
    """
    metric = case.metric()
    case.update(metric, case.draw(0))
    half = case.half_variables(metric)
    if half:
        _half_variables(case, half)
    _half_predictions(case)


def _half_variables(case, half):
    weights = np.full(case.batch, _MANY)
    try:
        many = case.run((case.draw(0), weights))
    except Exception:
        raise Inconclusive(f"`{half[0].name}` is {half[0].dtype}, but no weights are understood that would fill it") from None
    if case.whole(0).has_finite and not many.has_finite:
        raise Failed(
            expected=f"{case.whole(0)}, as from each sample once",
            actual=f"{many} from each sample {_MANY:.0f} times: `{half[0].name}` is in half precision",
            lines=[
                *case.preparation(),
                f"metric.update_state({case.arguments}, keras.ops.full(({case.batch},), {_MANY}))",
                "print(metric.result(), [(v.name, v.dtype) for v in metric.variables])",
            ],
        )


def _half_predictions(case):
    """The same predictions as float16, in a large batch of them: masks come in millions of pixels."""
    size = _size_of_predictions(case)
    if size is None:
        return
    repeats = max(1, 2**18 // size) if size >= 64 * case.batch else 1
    try:
        with deadline(_SECONDS):
            found = case.run((_halved(_repeated(case, repeats)), None))
    except (Exception, OutOfTime):
        # A crash is loud: M130 says it. What takes that long works on single samples, not on sums of all.
        return
    # A mean is that of the samples once; anything else is computed in full.
    once = case.whole(0)
    if not once.differs(found, HALF):
        return
    due = case.run((_repeated(case, repeats), None))
    texts = due.difference(found, HALF)
    if due.has_finite and texts:
        raise Failed(
            expected=f"{texts[0]}, as from the same numbers in float32",
            actual=f"{texts[1]} from float16 predictions of {case.batch * repeats} samples",
            lines=_half_lines(case, repeats),
        )


@check("M130", "metric", "warning", since="0.1.0")
def half_predictions_are_understood(case: MetricCase) -> None:
    """float16 predictions are an error.

    A model under mixed_float16 predicts float16, the labels are float32 or integers. TensorFlow refuses to multiply or
    compare the two with `*` and `==`; training stops in the first step.

    Fix: cast both before they meet, `y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")`, or compute
    with the functions of `keras.ops`, which do.
    """
    if _size_of_predictions(case) is None:
        raise NotApplicable("the predictions are whole numbers")
    try:
        case.run((_halved(_repeated(case, 1)), None))
    except Exception as error:
        raise Failed(
            expected="a result from float16 predictions", actual=describe_error(error), lines=_half_lines(case, 1)
        ) from None


def _size_of_predictions(case):
    """How many numbers are predicted in a batch; None if they are not floats."""
    leaves = keras.tree.flatten(case.inputs["y_pred"])
    return sum(leaf.size for leaf in leaves) if all(leaf.dtype.kind == "f" for leaf in leaves) else None


def _halved(inputs):
    return {**inputs, "y_pred": keras.tree.map_structure(lambda leaf: leaf.astype("float16"), inputs["y_pred"])}


def _repeated(case, repeats):
    """Draw 0 many times, its predictions rounded to what float16 can say."""
    inputs = part(case.draw(0), np.tile(np.arange(case.batch), repeats))
    rounded = keras.tree.map_structure(lambda leaf: leaf.astype("float16").astype("float32"), inputs["y_pred"])
    return {**inputs, "y_pred": rounded}


def _half_lines(case, repeats):
    cast = "lambda x: keras.ops.cast(x, dtype)"
    index = f"np.tile(np.arange({case.batch}), {repeats})"
    return [
        *case.preparation(),
        f"take = lambda x: keras.ops.take(x, keras.ops.convert_to_tensor({index}), axis=0)",
        "y_true, y_pred = keras.tree.map_structure(take, (y_true, y_pred))",
        "for dtype in ('float16', 'float32'):",
        f"    y_pred = keras.tree.map_structure({cast}, y_pred); metric.reset_state()",
        f"    metric.update_state({case.arguments}); print(dtype, metric.result())",
    ]
