"""How each backend updates a metric: the ways in which `fit` would."""

import keras


def update(metrics, mode, y_true, y_pred, read=None):
    """A zero-argument call that updates once, finished when it returns.

    Args:
        metrics: a metric of Keras' kind, or a list.
        mode: one of `modes.modes()`.
        y_true, y_pred: NumPy arrays; they are tensors before the first call.
        read: what the call returns, after the first update only, so that reading is not timed.
    """
    metrics = metrics if isinstance(metrics, list) else [metrics]
    y, p = keras.ops.convert_to_tensor(y_true), keras.ops.convert_to_tensor(y_pred)
    step = {"eager": _torch, "jit": _jax}.get(mode, _tensorflow)(metrics, mode, y, p)
    first = []

    def call():
        step()
        if not first:
            first.append(read() if read else None)
        return first[0]

    return call


def _torch(metrics, mode, y, p):
    import torch

    torch.set_num_threads(1)

    def step():
        with torch.no_grad():
            for metric in metrics:
                metric.update_state(y, p)

    return step


def _jax(metrics, mode, y, p):
    import jax

    for metric in metrics:  # makes the variables of those that wait for the first batch
        metric.update_state(y[:1], p[:1])
        metric.reset_state()

    def all_of_them(states, y, p):
        return [metric.stateless_update_state(state, y, p) for metric, state in zip(metrics, states)]

    compiled = jax.jit(all_of_them)
    held = [[[v.value for v in metric.variables] for metric in metrics]]

    def step():
        held[0] = jax.block_until_ready(compiled(held[0], y, p))
        if len(held) == 1:
            held.append(True)
            for metric, state in zip(metrics, held[0]):
                for variable, value in zip(metric.variables, state):
                    variable.assign(value)

    return step


def _tensorflow(metrics, mode, y, p):
    import tensorflow as tf

    for metric in metrics:
        metric.update_state(y[:1], p[:1])
        metric.reset_state()

    @tf.function(jit_compile=mode.endswith("jit"))
    def compiled(y, p):
        for metric in metrics:
            metric.update_state(y, p)

    return lambda: compiled(y, p)
