"""Functions of tensors in the library that runs the problem, and of NumPy's arrays."""

import importlib
import os

import numpy as np

# {DDE_BACKEND: where the functions are}; without it they are those of Keras.
_OF_DEEPXDE = {"pytorch": "torch", "tensorflow": "tensorflow", "jax": "jax.numpy"}


def _functions(x):
    if isinstance(x, np.ndarray):
        return np
    library = "keras.ops" if os.environ.get("PROBLEM_LIBRARY") != "deepxde" else _OF_DEEPXDE[os.environ["DDE_BACKEND"]]
    return importlib.import_module(library)


def sin(x):
    return _functions(x).sin(x)


def cos(x):
    return _functions(x).cos(x)


def exp(x):
    return _functions(x).exp(x)
