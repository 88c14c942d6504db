"""The environment of a process that this one starts."""

import os
import pathlib

import kerasmith


def child_environment(backend, **more):
    """Environment variables for a process with Keras on `backend`.

    Args:
        backend: "tensorflow", "jax" or "torch".
        **more: what the child needs besides.
    """
    # This kerasmith, also where it is not installed; behind everything else, so that it hides nothing.
    here = str(pathlib.Path(kerasmith.__file__).resolve().parents[1])
    return {
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # The inputs are small: threads only wait for each other, most of all beside another process.
        "OMP_NUM_THREADS": "1",
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), here])),
        **more,
    }
