"""The backends of Keras and which of them are installed; imports none."""

import importlib.util

BACKENDS: tuple[str, ...] = ("tensorflow", "jax", "torch")


def installed_backends() -> list[str]:
    """["tensorflow", ...]: those that can be imported, in the order in which they are preferred."""
    return [name for name in BACKENDS if importlib.util.find_spec(name)]
