"""How many operations a function is made of: a Python loop over samples shows in it, whatever the machine is busy with."""

from collections.abc import Callable, Iterable
from typing import Any

from kerasmith.checks.engine.lazy_keras import backend, keras


def operations(function: Callable[..., Any], variables: Iterable[Any], tensors: list[Any]) -> int:
    """The number of operations of the backend that `function(*tensors)` records.

    Args:
        function: returns tensors or nothing.
        variables: those that it reads and assigns; their values stay.
        tensors: a list of (nested) tensors.
    """
    return {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[backend()](function, list(variables), tensors)


def _tensorflow(function: Callable[..., Any], variables: list[Any], tensors: list[Any]) -> int:
    import tensorflow as tf

    concrete = tf.function(lambda *given: _leaves(function(*given)), autograph=False).get_concrete_function(*tensors)
    return len(concrete.graph.get_operations())


def _jax(function: Callable[..., Any], variables: list[Any], tensors: list[Any]) -> int:
    import jax

    def pure(values, *given):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))) as scope:
            output = function(*given)
        # Without its effects everything would be left out as unused.
        new = [value if (now := scope.get_current_value(v)) is None else now for v, value in zip(variables, values)]
        return _leaves(output), new

    return _equations(jax.make_jaxpr(pure)([variable.value for variable in variables], *tensors).jaxpr)


def _equations(jaxpr: Any) -> int:
    """Equations of a program and of the functions in it."""
    inner = [getattr(value, "jaxpr", value) for equation in jaxpr.eqns for value in equation.params.values()]
    return len(jaxpr.eqns) + sum(_equations(part) for part in inner if hasattr(part, "eqns"))


def _torch(function: Callable[..., Any], variables: list[Any], tensors: list[Any]) -> int:
    from kerasmith.keras_internals.torch_dispatch import count_operations

    values = [variable.value.detach().clone() for variable in variables]
    count = count_operations(lambda: function(*tensors))
    for variable, value in zip(variables, values):
        variable.assign(value)
    return count


def _leaves(output: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(output) if leaf is not None]
