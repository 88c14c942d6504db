"""Twelve classic problems, one file each; Poisson's equation in one dimension and in two."""

import importlib
import pkgutil

NAMES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name):
    """The problem of a file."""
    return importlib.import_module(f"benchmarks.physics.problems.{name}").PROBLEM
