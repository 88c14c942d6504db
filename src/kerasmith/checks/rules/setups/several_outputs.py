"""Which loss, weight and labels reach which output."""

import dataclasses
from typing import Any

import numpy as np

from kerasmith.checks.engine.finding import Failed, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.registry import check
from kerasmith.checks.rules.setups.case import SetupCase


@check("T135", "setup", "error", requires=("base",), since="0.2.0")
def one_loss_for_each_output(case: SetupCase) -> None:
    """There are several losses for one output, and Keras takes the first only.

    A list in `compile(loss=[...])` has one entry for each output. With one output the others are neither added nor refused.

    Fix: one function that adds them: `loss=lambda y, p: a(y, p) + 0.5 * b(y, p)`.
    """
    _require_losses(case)
    for output in case.outputs:
        if len(output.losses) < 2 or keras.tree.is_nested(case.y):
            continue
        predicted = case.predictions()[output.index].astype("float32")
        each = [dataclasses.replace(output, loss=loss) for loss in output.losses]
        values = [float(np.mean(case.loss_values(one, output.y_true, predicted))) for one in each]
        listed = ", ".join(f"{_name(one)} ({value:.4g})" for one, value in zip(output.losses, values))
        raise Failed(
            f"one loss for output {output.name!r}",
            f"{len(output.losses)} of them, {listed}: only the first is trained on",
            ["print(model.loss, len(model.outputs))"],
            fix="Give `compile` one function that adds them: "
            f"`loss=lambda y, p: {' + '.join(f'{_function(one)}(y, p)' for one in output.losses)}`.",
        )


def _function(loss):
    """How code calls a loss of Keras."""
    name = getattr(getattr(loss, "fn", None), "__name__", None)
    if name is not None and hasattr(keras.losses, name):
        return f"keras.losses.{name}"
    return f"keras.losses.{type(loss).__name__}()" if hasattr(keras.losses, type(loss).__name__) else name or _name(loss)


def _name(loss):
    return getattr(getattr(loss, "fn", None), "__name__", None) or type(loss).__name__


@check("T136", "setup", "warning", requires=("base",), since="0.2.0")
def each_label_has_a_loss(case: SetupCase) -> None:
    """There are labels for an output that has no loss.

    Nothing trains this output: what only it depends on stays as it was drawn.

    Fix: name a loss for it in `compile(loss={...})`; leave out its labels where it is only to be looked at.
    """
    _require_losses(case)
    if len(case.outputs) < 2 or getattr(case.model, "losses", None):
        raise NotApplicable("there is one output, or a loss within the model")
    labels = keras.tree.flatten(case.y) if case.y is not None else []
    if len(labels) != len(case.outputs):
        raise NotApplicable("there are no labels for each output")
    without = [output for output in case.outputs if output.loss is None and not output.metrics]
    if without and len(without) < len(case.outputs):
        names = ", ".join(repr(output.name) for output in without)
        raise Failed(
            "a loss for each output with labels",
            f"none for {names}; {len(case.outputs) - len(without)} of {len(case.outputs)} outputs have one",
            ["print(model.output_names, model.loss)"],
            fix=f"Add a loss for {names} to `compile(loss=...)`, or leave out the labels of what is only looked at.",
        )


@check("T137", "setup", "warning", requires=("base",), since="0.2.0")
def loss_weights_are_not_zero(case: SetupCase) -> None:
    """The loss of an output has the weight 0.

    It is computed and predicted, and changes nothing.

    Fix: a weight above 0 in `loss_weights`; leave the loss out where the output is only to be watched, and take a metric.
    """
    _require_losses(case)
    for output in case.outputs:
        weight = output.loss_weight
        if weight is not None and np.isscalar(weight) and float(weight) == 0:
            raise Failed(
                f"a weight above 0 for the loss of {output.name!r}",
                f"loss_weights={case.compiled['loss_weights']!r}: its loss counts 0 times",
                ["print(model.loss_weights if hasattr(model, 'loss_weights') else model.get_compile_config())"],
                fix=f"Write a weight above 0 for {output.name!r} in `loss_weights`.",
                severity="error" if len(case.outputs) == 1 and not getattr(case.model, "losses", None) else None,
            )


@check("T138", "setup", "error", requires=(), since="0.2.0")
def names_reach_their_output(case: SetupCase) -> None:
    """A name in `loss_weights`, `y` or `x` is that of no output or input, or its value goes to another one.

    Keras takes what it does not know by name in the order of the alphabet: a weight or labels for one output reach another.

    Fix: the names of the outputs, `model.output_names`, as keys, for `loss`, `loss_weights`, `metrics` and `y` alike.
    """
    _require_losses(case)
    names = [output.name for output in case.outputs]
    weights = case.compiled["loss_weights"]
    if isinstance(weights, dict) and len(names) > 1:
        given = {output.name: output.loss_weight for output in case.outputs if output.loss is not None}
        unknown = [key for key in weights if key not in names]
        wrong = {name: value for name, value in given.items() if name in weights and value != weights[name]}
        if unknown or wrong:
            raise Failed(
                f"weights for {', '.join(map(repr, names))}",
                f"loss_weights={weights!r} became "
                + ", ".join(f"{name!r}: {value}" for name, value in given.items())
                + (f"; no output is called {', '.join(map(repr, unknown))}" if unknown else ""),
                ["print(model.output_names, model.get_compile_config()['loss_weights'])"],
                fix=f"Write `loss` and `loss_weights` as dicts with the keys {', '.join(map(repr, names))}.",
            )
    if isinstance(case.y, dict) and len(names) > 1:
        unknown = [key for key in case.y if key not in names]
        if unknown and all(name not in case.y for name in names):
            taken = {output.name: _key_of(case.y, output.y_true) for output in case.outputs if output.y_true is not None}
            raise Failed(
                f"labels for {', '.join(map(repr, names))}",
                "keys "
                + ", ".join(map(repr, case.y))
                + ", taken in the order of the alphabet, if at all: "
                + ", ".join(f"{name!r} is trained on {key!r}" for name, key in taken.items() if key is not None),
                ["print(model.output_names, list(y))"],
                fix=f"Give `y` the keys {', '.join(map(repr, names))}.",
                severity="error" if list(taken.values()) != list(case.y) else "warning",
            )
        if unknown:
            missing = [name for name in names if name not in case.y]
            right = [one for one in case.outputs if one.loss is None or _key_of(case.y, one.y_true) == one.name]
            raise Failed(
                f"labels for {', '.join(map(repr, names))}",
                f"also for {', '.join(map(repr, unknown))}, which nothing reads"
                + (f"; none for {', '.join(map(repr, missing))}" if missing else ""),
                ["print(model.output_names, list(y))"],
                fix=(
                    f"Rename the key {unknown[0]!r} of `y` to {missing[0]!r}."
                    if missing
                    else f"Leave {', '.join(map(repr, unknown))} out of `y`, or give that name to an output."
                ),
                severity="warning" if len(right) == len(names) else None,
            )
    inputs = getattr(case.model, "inputs", None)
    if isinstance(case.x, dict) and inputs:
        known = {one.name for one in inputs} | set(_keys(getattr(case.model, "input", None)))
        unknown = [key for key in case.x if key not in known]
        if unknown:
            raise Failed(
                f"inputs for {', '.join(map(repr, sorted(known)))}",
                f"also {', '.join(map(repr, unknown))}, which nothing reads",
                ["print([one.name for one in model.inputs], list(x))"],
                fix=f"Leave {', '.join(map(repr, unknown))} out of `x`, or add an `Input` of that name.",
                severity="warning",
            )


def _keys(structure) -> list[Any]:
    return list(structure) if isinstance(structure, dict) else []


def _key_of(y, array):
    """The key of the labels that an output was given."""
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        return None
    return next((key for key, one in y.items() if np.shape(one) == array.shape and np.array_equal(one, array)), None)


def _require_losses(case):
    if case.is_objective or case.has_own_step:
        raise NotApplicable("the model has a step of its own")
