"""The public names of this version and their parameters."""

import importlib
import inspect

PACKAGES = ("", "callbacks", "data", "distribution", "layers", "losses", "metrics", "multitask", "schedules", "testing")


def public_api():
    """{"losses.Dice": ["from_logits", "axis", ...]} of every public class and function."""
    names = {}
    for package in PACKAGES:
        module = importlib.import_module("kerasmith" + (package and f".{package}"))
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value):
                names[f"{package}.{name}".lstrip(".")] = parameters(value)
    return names


def parameters(value):
    """Names of the parameters of a class or function."""
    try:
        return list(inspect.signature(value).parameters)
    except ValueError:  # a NamedTuple and the like
        return []


def find(name):
    """The object of a public name, deprecated ones too."""
    package, _, attribute = f"kerasmith.{name}".rpartition(".")
    return getattr(importlib.import_module(package), attribute)
