"""Makes a training step forget what was baked into it."""

import functools

import keras


def retrace(model: keras.Model) -> None:
    """Has the training step traced anew, after a change to something that it holds as a constant, such as a schedule.

    On JAX `make_train_function(force=True)` alone is not enough: while anything holds the old function, as a step in progress
    does, `jax.jit` finds the trace of the same method with the same shapes in its cache.

    Args:
        model: a compiled model, also one in `fit`.
    """
    if keras.backend.backend() != "jax" or "train_step" in vars(model):
        model.make_train_function(force=True)
        return
    own = model.train_step

    @functools.wraps(own)
    def fresh(state, data):
        return own(state, data)

    # Not by `setattr`, which Keras watches.
    object.__setattr__(model, "train_step", fresh)
    try:
        model.make_train_function(force=True)
    finally:
        del model.__dict__["train_step"]
