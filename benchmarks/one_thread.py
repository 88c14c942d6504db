"""One thread for every library, set before any of them is imported."""

import os
import sys

_FIXED = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
}


def pin():
    """Pins this process to one core and tells the libraries to use one thread.

    CPU time of several threads adds up what they waited for each other; one thread measures the work alone.

    Raises:
        RuntimeError: if a backend is imported already and has made its thread pool.
    """
    early = {"keras", "torch", "jax", "tensorflow"} & set(sys.modules)
    if early:
        raise RuntimeError(f"pin() must run before a backend is imported. Received: {', '.join(sorted(early))} imported")
    os.environ.update(_FIXED)
    flags = "--xla_cpu_multi_thread_eigen=false"
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
