"""Where Keras on JAX puts a batch on the devices of several processes."""

from collections.abc import Callable
from typing import Any


def replace_distribution_of_batches(place: Callable[[Any, Any], Any]) -> None:
    """From now on a function puts batches on devices.

    Args:
        place: (an array of a batch, the `jax.sharding.Sharding` that Keras chose for the first batch) -> a global array.
    """
    from keras.src.backend.jax import distribution_lib

    def distribute_data_input(per_process_batch: Any, layout: Any, batch_dim_name: Any = None) -> Any:
        return place(per_process_batch, getattr(layout, "backend_layout", layout))

    distribution_lib.distribute_data_input = distribute_data_input
