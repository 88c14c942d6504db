"""The software and the machine of a run, without anything that tells who or where."""

import importlib.metadata
import os
import platform
import sys
from typing import Any

_DISTRIBUTIONS = {
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"),
    "jax": ("jax",),
    "torch": ("torch",),
}


def environment(seed: int | None = None) -> dict[str, Any]:
    """Versions and platform as {name: text or number}; no paths, no user name, no host name.

    Args:
        seed: the seed of the run, added if given.

    Example:

    >>> environment(seed=7)["seed"]
    7
    """
    backend = _backend()
    found = {
        "kerasmith": _version("kerasmith"),
        "keras": _version("keras"),
        "backend": " ".join(filter(None, (backend, _version(*_DISTRIBUTIONS.get(backend, (backend,)))))),
        "device": _devices(backend),
        "numpy": _version("numpy"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}".strip(),
        "CPU count": os.cpu_count(),
    }
    if seed is not None:
        found["seed"] = seed
    return {name: value for name, value in found.items() if value not in (None, "")}


def _backend() -> str:
    # Asked of a loaded Keras only: a page can be written without starting a backend.
    keras = sys.modules.get("keras")
    return keras.backend.backend() if keras else os.environ.get("KERAS_BACKEND", "tensorflow")


def _version(*names: str) -> str | None:
    for name in names:
        loaded = getattr(sys.modules.get(name), "__version__", None)
        if loaded:
            return loaded
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _devices(backend: str) -> str | None:
    """What the backend computes on: `2 x NVIDIA H100`, `CPU`."""
    module = sys.modules.get(backend)
    try:
        if backend == "torch" and module:
            count = module.cuda.device_count()
            names = [module.cuda.get_device_name(i) for i in range(count)]
        elif backend == "jax" and module:
            names = [device.device_kind for device in module.devices() if device.platform != "cpu"]
        elif backend == "tensorflow" and module:
            gpus = module.config.list_physical_devices("GPU")
            names = [module.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
        else:
            return None
    except (RuntimeError, AttributeError, ValueError):
        return None
    return ", ".join(f"{names.count(n)} x {n}" if names.count(n) > 1 else n for n in dict.fromkeys(names)) or "CPU"
