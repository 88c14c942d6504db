"""What a call of a loss leaves behind: in Python, in variables, in its arguments, in the random state."""

import inspect

import numpy as np

from kerasmith.checks.engine.comparison import EXACT, REPEATED, copied, differ, format_numbers, format_value, same
from kerasmith.checks.engine.finding import Failed
from kerasmith.checks.engine.lazy_keras import backend, keras, to_arrays, to_tensors
from kerasmith.checks.engine.registry import check
from kerasmith.checks.harness.attributes import is_plain, reached_from
from kerasmith.checks.rules.losses.case import LossCase, leaves, owned
from kerasmith.checks.rules.losses.reproducers import callable_loss

_CALLS = 4


@check("L115", "loss", "error", since="0.1.0")
def state_in_python(case: LossCase) -> None:
    """A call changes Python attributes on which the value depends.

    `fit` runs `call` once, to trace it; after that the compiled step repeats what was recorded. A counter in an attribute
    stays at its first value, so a warm-up never ends and a running mean never moves, on TensorFlow and JAX; it is not
    saved either.

    Fix: make what changes with training a schedule of the optimizer's step or a term of `kerasmith.Objective`, whose weights
    may be schedules; keep state in variables of a layer or of the model.
    """
    loss, inputs = case.loss(), case.inputs
    first = case.unreduced(loss, inputs["y_true"], inputs["y_pred"])
    # What is made in the first call and kept is a cache.
    before = _plain_state(loss)
    for _ in range(_CALLS):
        last = case.unreduced(loss, inputs["y_true"], inputs["y_pred"])
    after = _plain_state(loss)
    changed = [name for name in after if name in before and not same(after[name], before[name], EXACT)]
    changed += [name for name in after if name not in before]
    if not changed:
        return
    name = changed[0]
    moves = differ(first, last, REPEATED)
    text = f"`{name}` goes from {format_value(before.get(name))} to {format_value(after[name])} in {_CALLS} calls"
    raise Failed(
        f"the same value {format_numbers(first)} in each call, nothing kept in Python",
        text + (f", the value from {format_numbers(first)} to {format_numbers(last)}" if moves else ", the value stays"),
        [*callable_loss(case), "print([float(loss(y_true, y_pred)) for _ in range(3)])"],
        severity=None if moves else "note",
        title=None if moves else "A call changes Python attributes",
    )


@check("L127", "loss", "error", requires=("base", "L115"), since="0.1.0")
def two_calls_differ(case: LossCase) -> None:
    """Two calls with the same arguments give two values.

    Random numbers from NumPy or Python are drawn while tracing and frozen in the compiled step; from Keras' global
    generator they make a validation loss that cannot be compared between epochs.

    Fix: put noise into the data pipeline or into a layer with a `keras.random.SeedGenerator`; if the loss is meant to be
    random, declare `deterministic=False`.
    """
    case.contract.require("deterministic")
    case.contract.require("stateful")
    loss, inputs = case.loss(), case.inputs
    first, second = (case.unreduced(loss, inputs["y_true"], inputs["y_pred"]) for _ in range(2))
    if differ(first, second, REPEATED):
        raise Failed(
            f"{format_numbers(case.samples(first) if first.ndim else first)} in both calls",
            f"{format_numbers(case.samples(second) if second.ndim else second)} in the second",
            [*callable_loss(case), "print(loss(y_true, y_pred), loss(y_true, y_pred))"],
        )


@check("L128", "loss", "error", since="0.1.0")
def writes_into_its_arguments(case: LossCase) -> None:
    """The loss changes the labels or predictions that it was given.

    On PyTorch `y_true *= 0.9` writes into the caller's tensor: metrics, other losses and the next epoch see changed labels.

    Fix: write `y_true = y_true * 0.9`, which makes a new tensor.
    """
    inputs = case.inputs
    tensors = to_tensors(inputs)
    before = to_arrays(tensors)
    case.loss()(tensors["y_true"], tensors["y_pred"])
    for name, after in to_arrays(tensors).items():
        for old, new in zip(leaves(before[name]), leaves(after)):
            if not np.array_equal(old, new, equal_nan=True):
                raise Failed(
                    f"{name} as before, {format_numbers(old)}",
                    format_numbers(new),
                    [
                        *callable_loss(case),
                        "y_true, y_pred = map(keras.ops.convert_to_tensor, (y_true, y_pred))",
                        f"print({name})",
                        f"loss(y_true, y_pred); print({name})",
                    ],
                )


@check("L130", "loss", "error", since="0.1.0")
def untracked_state(case: LossCase) -> None:
    """The loss owns variables that training does not know.

    A `Loss` is no layer: the trainer neither trains nor saves the variables that it holds. Learned weights of terms stay
    at their initial values; on JAX, where a step gets and returns its state, every update made in `call` is dropped, and
    a seed generator draws the same numbers in each step.

    Fix: own the variables by a layer or the model: `kerasmith.Objective` with `weight="learned"` trains the weights of
    its terms and saves them; add noise in a layer.
    """
    loss = case.loss()
    variables, _ = owned(loss)
    trainable = [variable for variable in variables if variable.trainable]
    lines = [
        *callable_loss(case),
        "print({name: value for name, value in vars(loss).items() if isinstance(value, keras.Variable)})",
    ]
    if trainable:
        raise Failed(
            "no trainable variable in a loss",
            f"{len(trainable)}: {', '.join(f'{v.name} {tuple(v.shape)}' for v in trainable[:3])}, which no optimizer gets",
            lines,
        )
    if backend() != "jax" or not variables:
        return
    inputs = case.inputs
    before = to_arrays([variable.value for variable in variables])
    case.unreduced(loss, inputs["y_true"], inputs["y_pred"])
    after = to_arrays([variable.value for variable in variables])
    moved = [v for v, old, new in zip(variables, before, after) if not np.array_equal(old, new)]
    if moved:
        raise Failed(
            "no state that changes in `call`: a compiled step on JAX drops the change",
            f"{', '.join(variable.name for variable in moved)} change in each call",
            lines,
        )


def _plain_state(loss):
    """{name: copy} of the numbers, texts, arrays and collections that a loss, or its function, keeps in Python."""
    places = reached_from(loss, "", enter=(keras.losses.Loss,))
    found = {place.path.removeprefix("."): copied(place.value) for place in places if is_plain(place.value)}
    function = getattr(loss, "fn", None)
    if inspect.isfunction(function):
        for name in function.__code__.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, (bool, int, float, list, dict)):
                found[name] = copied(value)
    return found
