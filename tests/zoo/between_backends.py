"""Components that are wrong on one backend only: what compares several finds them, no process alone does."""

import importlib

import kerasmith

# They compare what several backends have computed.
CHECKS = ("L125", "M120", "Y117")


def entries(names):
    """[(entry, "module:Name")] of the broken components of modules that only a comparison finds."""
    return [
        (entry, f"{name}:{entry.component.__name__}")
        for name in names
        for entry in importlib.import_module(name).BROKEN
        if entry.check in CHECKS
    ]


def report(entry, target):
    """The `Report` of the named check on the backends of the entry, by default on JAX and PyTorch."""
    return kerasmith.check(
        target,
        init=entry.init,
        like=entry.like,
        contract=entry.contract,
        backends=list(entry.backends or ("jax", "torch")),
        select=[entry.check],
    )
