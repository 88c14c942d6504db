"""A function as `fit` runs it: inside `tf.function` or `jax.jit`, its variables carried through."""

from collections.abc import Callable, Iterable
from typing import Any

from kerasmith.checks.engine.finding import NotApplicable
from kerasmith.checks.engine.lazy_keras import backend, keras


def require_compiler() -> None:
    """Ends a check where Keras compiles nothing.

    Raises:
        NotApplicable: on PyTorch.
    """
    if backend() == "torch":
        raise NotApplicable("Keras runs PyTorch eagerly")


def compiled(function: Callable[..., Any], variables: Iterable[Any] = ()) -> Callable[..., Any]:
    """`function(*tensors)` compiled; `variables` that it reads or assigns get their new values after each call.

    Raises:
        NotApplicable: on PyTorch.
    """
    require_compiler()
    if backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, autograph=False)
    import jax

    variables = list(variables)

    @jax.jit
    def pure(values, *arguments):
        with keras.StatelessScope(state_mapping=list(zip(variables, values))) as scope:
            output = function(*arguments)
        return output, [_or(scope.get_current_value(v), value) for v, value in zip(variables, values)]

    def run(*arguments):
        output, values = pure([variable.value for variable in variables], *arguments)
        for variable, value in zip(variables, values):
            variable.assign(value)
        return output

    return run


def traced_without_batch(function: Callable[..., Any], *arrays: Any) -> Callable[..., Any]:
    """Traces `function(*tensors)` with the size of the first axis unknown, as `fit` does on TensorFlow.

    Returns:
        The traced function: call it with tensors of any batch size.

    Raises:
        NotApplicable: on JAX and PyTorch, which know every size when they run.
    """
    if backend() != "tensorflow":
        raise NotApplicable("only TensorFlow traces without a batch size")
    import tensorflow as tf

    specs = keras.tree.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), list(arrays))
    return tf.function(function, input_signature=specs, autograph=False).get_concrete_function()


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value
