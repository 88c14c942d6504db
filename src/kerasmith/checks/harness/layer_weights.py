"""Weights and random generators of a layer at known values: the same on every backend and in every process."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kerasmith.checks.engine.lazy_keras import ops


def set_seeded(layer: Any, seed: int) -> None:
    """Assigns each floating weight numbers that depend on the seed, its shape and the kind of its first values only."""
    rng = np.random.default_rng(seed)
    for variable in layer.weights:
        if "float" in str(variable.dtype):
            value = np.array(ops.convert_to_numpy(variable)).astype("float32")
            variable.assign(seeded(value, rng))


def seeded(value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers to stand for `value`: near it where it is constant, of the usual size where it was drawn.

    A positive array stays positive, as a variance must; a table in order, such as edges of bins, is left alone. Small arrays
    could be positive or in order by chance, and must not be taken for such.
    """
    if not value.size or (value.size >= 8 and value.ndim == 1 and (np.diff(value) > 0).all()):
        return value
    if value.min() == value.max() and (value.size > 1 or _is_round(value)):
        constant = float(value.min())
        return (constant + rng.uniform(0.05, 0.3, value.shape)).astype("float32") if abs(constant) < 1e3 else value
    fan_in = np.prod(value.shape[:-1]) if value.ndim > 1 else 4
    drawn = rng.normal(size=value.shape) / np.sqrt(fan_in)
    positive = value.min() >= 0 and value.size >= 16
    return (np.abs(drawn) + 0.05 if positive else drawn).astype("float32")


def _is_round(value: np.ndarray) -> bool:
    """Whether one number was written down rather than drawn."""
    return bool(np.allclose(100 * value, np.round(100 * value), atol=1e-4))


def generators(layer: Any) -> list[Any]:
    """The states of the layer's own `SeedGenerator`s."""
    known = {id(variable) for variable in layer.weights}
    return [v for v in layer.variables if id(v) not in known and "seed_generator_state" in v.path and tuple(v.shape) == (2,)]


def reset_generators(layer: Any, seed: int) -> None:
    """Puts the layer's own random generators to a known state."""
    for index, state in enumerate(generators(layer)):
        state.assign(np.array([1 + seed + index, 0]).astype(str(state.dtype)))


def values(variables: Iterable[Any]) -> list[np.ndarray]:
    """[array] of variables."""
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def copy_weights(source: Any, target: Any) -> bool:
    """Gives `target` the weights of `source`; False, and nothing is changed, where their shapes differ."""
    if [tuple(v.shape) for v in source.weights] != [tuple(v.shape) for v in target.weights]:
        return False
    for variable, value in zip(target.weights, values(source.weights)):
        variable.assign(value)
    return True
