"""The factor in front of a term: a number, a function of the step, or learned."""

import math
import numbers

import keras
from keras import ops

from kerasmith.base import Configured, register
from kerasmith.base.arguments import check_choice, check_number


class Constant:
    """A number."""

    is_shown = False

    def __init__(self, value):
        check_number("weight", value)
        self.value = float(value)

    def build(self, add_weight, name):
        pass

    def __call__(self, step):
        return self.value, None


class Scheduled:
    """A function of the step, such as a `keras.optimizers.schedules.LearningRateSchedule`."""

    is_shown = True

    def __init__(self, schedule):
        self.schedule = schedule

    def build(self, add_weight, name):
        try:
            first = self.schedule(ops.zeros((), "int32"))
        except TypeError as problem:
            raise TypeError(
                f"The weight of the term {name!r} is called with the step, `def weight(step)`. {problem}"
            ) from problem
        shape = getattr(first, "shape", ())
        if first is None or tuple(shape) != () or not math.isfinite(first):
            raise ValueError(
                f"The weight of the term {name!r} must be a finite number in every step. In step 0 "
                f"{getattr(self.schedule, '__name__', type(self.schedule).__name__)} returned {first!r}."
            )

    def __call__(self, step):
        return ops.cast(self.schedule(step), "float32"), None


@register
class Uncertainty(Configured):
    """A weight that is learned with the model, from the homoscedastic uncertainty of a task.

    With s = log(sigma^2), one trainable variable a term:
    "regression": L exp(-s) / 2 + s / 2, for squared errors and other losses of measured quantities;
    "classification": L exp(-s) + s / 2, for cross-entropies of logits.

    What is shown as `<term>_weight` is the factor in front of L.

    Args:
        form: "regression" or "classification".
        initial_log_variance: s before training.

    Raises:
        ValueError: for another form.

    Example:

    >>> from kerasmith import Objective, Term
    >>> objective = Objective({
    ...     "depth": Term("mse", weight="learned"),
    ...     "labels": Term("categorical_crossentropy", weight=Uncertainty("classification")),
    ... })

    An optimizer with weight decay pulls s towards 0; `optimizer.exclude_from_weight_decay(var_names=["log_variance"])` before
    `fit` keeps it out.

    Reference: Kendall, Gal and Cipolla, "Multi-task learning using uncertainty to weigh losses for scene geometry and
    semantics", 2018, equations 7 and 10.
    """

    is_shown = True

    def __init__(self, form="regression", *, initial_log_variance=0.0):
        check_choice("form", form, ("regression", "classification"))
        check_number("initial_log_variance", initial_log_variance)
        self.form = form
        self.initial_log_variance = initial_log_variance

    def build(self, add_weight, name):
        self.log_variance = add_weight(
            shape=(), initializer=keras.initializers.Constant(self.initial_log_variance), name=f"{name}_log_variance"
        )

    def __call__(self, step):
        s = ops.convert_to_tensor(self.log_variance)
        return ops.exp(-s) * (0.5 if self.form == "regression" else 1.0), 0.5 * s


def weight_of(given):
    """The weight object of what a user wrote."""
    if isinstance(given, Uncertainty):
        return Uncertainty.from_config(given.get_config())  # each term learns its own
    if isinstance(given, str) and given == "learned":
        return Uncertainty()
    if isinstance(given, numbers.Real) and not isinstance(given, bool):
        return Constant(given)
    if callable(given) and not isinstance(given, keras.Variable):
        return Scheduled(given)
    raise TypeError(
        '`weight` must be a number, a function of the step (a LearningRateSchedule, for example) or "learned". A number that '
        f"changes in training is a function of the step. Received: weight={given!r}"
    )
