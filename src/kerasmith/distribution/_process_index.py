"""Which of several processes that train together this one is."""

import json
import os
import sys

import keras


def process_index() -> int:
    """The number of this process, from 0; 0 also where it trains alone (since 0.2)."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    if keras.backend.backend() == "jax":
        import jax

        return jax.process_index()
    try:
        task = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {})
        return int(task.get("index", 0))
    except (ValueError, AttributeError, TypeError):
        return 0
