"""A place to make variables in, whatever is traced, compiled or inferred around it."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def outside_traces() -> Iterator[None]:
    """Variables are made with values, and read as they are, also inside of a step that a backend or Keras is tracing."""
    from keras.src.backend.common import global_state

    names = ["stateless_scope", "symbolic_scope"]
    # Where Keras infers shapes on PyTorch.
    names += ["torch_device"] if str(global_state.get_global_attribute("torch_device")) == "meta" else []
    before = {name: global_state.get_global_attribute(name) for name in names}
    try:
        for name in names:
            global_state.set_global_attribute(name, None)
        with _computed_now():
            yield
    finally:
        for name, value in before.items():
            global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def _computed_now():
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.init_scope():
            yield
    elif keras.backend.backend() == "jax":
        import jax

        with jax.ensure_compile_time_eval():
            yield
    else:
        yield
