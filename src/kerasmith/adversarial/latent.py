"""Random input of a generator."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from kerasmith._types import Tensor
from kerasmith.distribution import replica_count, replica_number

KINDS = ("normal", "uniform")


def drawing(kind: str, size: Any, seed: keras.random.SeedGenerator) -> Callable[[tuple[int, ...], Any], Tensor]:
    """A function of (shape of a sample, dtype) that draws a batch; replicas draw different numbers from one seed.

    Args:
        kind: "normal", or "uniform" for -1 to 1.
        size: how many samples this replica has.
        seed: what is drawn from.
    """

    def draw(shape, dtype):
        replicas = replica_count()
        shape = (size, *shape) if replicas == 1 else (replicas, size, *shape)
        dtype = keras.backend.standardize_dtype(dtype)
        if kind == "normal":
            drawn = keras.random.normal(shape, dtype=dtype, seed=seed)
        else:
            drawn = keras.random.uniform(shape, -1.0, 1.0, dtype=dtype, seed=seed)
        return drawn if replicas == 1 else ops.take(drawn, replica_number(), axis=0)

    return draw


def placeholder(size: int | None, shape: tuple[int, ...], dtype: Any) -> Tensor:
    """What stands for such a batch while shapes are inferred."""
    return keras.KerasTensor((size, *shape), keras.backend.standardize_dtype(dtype))
