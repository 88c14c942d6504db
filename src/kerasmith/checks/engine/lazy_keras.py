"""Keras, imported when a check first asks for it: `kerasmith explain` and the parent of the workers never do."""

import importlib


class _Later:
    """Stands for a module until an attribute of it is read."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self._name), attribute)


keras = _Later("keras")
ops = _Later("keras.ops")


def backend():
    """What Keras runs on in this process: "tensorflow", "jax" or "torch"."""
    return keras.config.backend()
