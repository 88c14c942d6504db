"""Double precision on every backend."""

import contextlib

import keras


def enabled():
    """A context in which float64 arrays stay float64; JAX has to be told, the others do it anyway."""
    return jax_enabled() if keras.backend.backend() == "jax" else contextlib.nullcontext()


def jax_enabled():
    """The same for JAX, whatever the backend of Keras is."""
    import jax

    # Before JAX 0.8 the context was only an experimental one.
    return jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
