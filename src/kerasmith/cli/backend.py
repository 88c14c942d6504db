"""The backend that a command runs on, chosen before Keras is imported."""

import argparse
import os

from kerasmith.backends import BACKENDS, installed_backends
from kerasmith.files.quiet_import import import_quietly


def add_backend(command: argparse.ArgumentParser) -> None:
    """`--backend`."""
    command.add_argument("--backend", choices=BACKENDS, help="default: $KERAS_BACKEND, else the first one installed")


def chosen_backend(asked: str | None) -> str:
    """The name of the backend that was asked for, or that the environment names, or the first one installed.

    Raises:
        ValueError: if `KERAS_BACKEND` names none.
        ImportError: if it is not installed.
    """
    installed = installed_backends()
    asked = asked or os.environ.get("KERAS_BACKEND") or (installed[0] if installed else BACKENDS[0])
    if asked not in BACKENDS:
        raise ValueError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}. Received: {asked!r}")
    if asked not in installed:
        raise ImportError(f"The backend {asked!r} is not installed. Write `pip install {asked}`.")
    return asked


def use_backend(asked: str | None, trains: bool = False) -> str:
    """Lets Keras, which is not imported yet, run on a backend; returns its name. Raises as `chosen_backend`.

    Args:
        asked: the name of the backend, or None.
        trains: whether Keras' random seed is going to be set, which imports TensorFlow wherever it is installed.
    """
    backend = chosen_backend(asked)
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if backend == "tensorflow" or (trains and "tensorflow" in installed_backends()):
        import_quietly("tensorflow")
    return backend
